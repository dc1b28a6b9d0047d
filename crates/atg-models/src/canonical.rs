//! Canonical JSON: one text for one value, whatever order its members arrived in.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Prints `value` without blanks and with the members of every object in byte order.
///
/// `serde_json`'s map keeps insertion order when any crate of the build turns on
/// `preserve_order`, so the order is made here and not left to it.
pub fn print(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// The SHA-256 of [`print()`], as 32 bytes.
pub fn hash(value: &Value) -> [u8; 32] {
    Sha256::digest(print(value)).into()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(&Value::String(name.clone()), out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"ä\n"}],"a":1.5}"#).unwrap();
        let two = json!({"a": 1.5, "b": [1, {"c": "ä\n", "d": null}]});
        assert_eq!(print(&one), print(&two));
        assert_eq!(print(&one), r#"{"a":1.5,"b":[1,{"c":"ä\n","d":null}]}"#);
    }

    #[test]
    fn the_order_of_items_does() {
        assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
    }
}
