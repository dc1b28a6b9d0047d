//! The differences of another version of the provider, laid over the rows.

use toml::Value;

/// Takes an attribute or a block away.
const AWAY: &str = "-";

/// The provider's type that a row is for.
pub(super) fn provider_type<'a>(name: &'a str, row: &'a Value) -> &'a str {
    let named = row.get("_azurerm").and_then(Value::as_str);
    named.unwrap_or_else(|| name.split_once("__").map_or(name, |(type_, _)| type_))
}

/// Lays a difference over a row: what it names is replaced, added, or taken away; a list of blocks is changed block by
/// block. A difference within a block that the row does not have changes nothing.
pub(super) fn apply(row: &mut Value, difference: &Value) {
    if let Value::Array(blocks) = row {
        for block in blocks {
            apply(block, difference);
        }
        return;
    }
    let (Some(row), Some(difference)) = (row.as_table_mut(), difference.as_table()) else {
        return;
    };
    for (name, change) in difference {
        if change.as_str() == Some(AWAY) {
            row.remove(name);
        } else if !change.is_table() {
            row.insert(name.clone(), change.clone());
        } else if let Some(inner) = row.get_mut(name) {
            apply(inner, change);
        }
    }
}
