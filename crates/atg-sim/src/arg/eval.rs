//! Evaluates expressions and steps over rows, as Kusto does.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::kql::{Expr, Step};
use crate::seeded;

/// A row whose columns are made when they are asked for.
pub(crate) trait Columns {
    /// A top-level column; names are exact.
    fn column(&self, name: &str) -> Option<Value>;

    /// The id in lower case, where it is at hand: the filter that all partitions use.
    fn lower_id(&self) -> Option<String> {
        None
    }
}

impl Columns for Value {
    fn column(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

/// The value of an expression; what is absent is null.
pub(crate) fn value(expr: &Expr, row: &dyn Columns) -> Value {
    match expr {
        Expr::Literal(literal) => literal.clone(),
        Expr::Path(path) => path_value(path, row),
        Expr::Call(name, arguments) => call(name, arguments, row),
        Expr::Binary(operator, left, right) => match operator.as_str() {
            "and" => Value::Bool(truth(left, row) && truth(right, row)),
            "or" => Value::Bool(truth(left, row) || truth(right, row)),
            _ => binary(operator, &value(left, row), &value(right, row)),
        },
        Expr::In(operator, left, items) => {
            let left = value(left, row);
            let equal = if operator.ends_with('~') { "=~" } else { "==" };
            let found = items.iter().any(|item| compare(equal, &left, &value(item, row)));
            Value::Bool(found != operator.starts_with('!'))
        }
    }
}

/// Whether a predicate holds.
pub(crate) fn truth(expr: &Expr, row: &dyn Columns) -> bool {
    value(expr, row) == Value::Bool(true)
}

/// A step that looks at one row at a time: the row after it, or `None` when it is filtered out.
pub(crate) fn row_step(step: &Step, mut row: Value) -> Option<Value> {
    match step {
        Step::Where(predicate) => truth(predicate, &row).then_some(row),
        Step::Project(columns) => Some(Value::Object(project(columns, &row))),
        Step::Extend(columns) => {
            let new = project(columns, &row);
            if let Value::Object(map) = &mut row {
                map.extend(new);
            }
            Some(row)
        }
        Step::ProjectAway(names) => {
            if let Value::Object(map) = &mut row {
                map.retain(|name, _| !names.contains(name));
            }
            Some(row)
        }
        Step::Order(_) | Step::Summarize { .. } | Step::Distinct(_) | Step::Count | Step::Take(_) => Some(row),
    }
}

/// A step over all rows.
pub(crate) fn table_step(step: &Step, mut rows: Vec<Value>) -> Vec<Value> {
    match step {
        Step::Where(_) | Step::Project(_) | Step::Extend(_) | Step::ProjectAway(_) => {
            rows.into_iter().filter_map(|row| row_step(step, row)).collect()
        }
        Step::Order(keys) => {
            rows.sort_by(|left, right| order(keys, left, right));
            rows
        }
        Step::Summarize { counts, by } => summarize(counts, by, &rows),
        Step::Distinct(columns) => {
            let mut seen: Vec<Value> = Vec::new();
            for row in &rows {
                let row = Value::Object(project(columns, row));
                if !seen.contains(&row) {
                    seen.push(row);
                }
            }
            seen
        }
        Step::Count => {
            let mut row = Map::new();
            row.insert("Count".to_owned(), Value::from(rows.len()));
            vec![Value::Object(row)]
        }
        Step::Take(count) => {
            rows.truncate(seeded::narrow(*count));
            rows
        }
    }
}

fn project(columns: &[(String, Expr)], row: &Value) -> Map<String, Value> {
    columns
        .iter()
        .map(|(name, expr)| (name.clone(), value(expr, row)))
        .collect()
}

fn summarize(counts: &[String], by: &[(String, Expr)], rows: &[Value]) -> Vec<Value> {
    let mut groups: std::collections::BTreeMap<String, (Map<String, Value>, u64)> = std::collections::BTreeMap::new();
    for row in rows {
        let key = project(by, row);
        let text = Value::Object(key.clone()).to_string();
        groups.entry(text).or_insert((key, 0)).1 += 1;
    }
    if by.is_empty() {
        // Without groups there is one row, also for nothing.
        groups.entry("{}".to_owned()).or_insert((Map::new(), 0));
    }
    groups
        .into_values()
        .map(|(mut row, count)| {
            for name in counts {
                row.insert(name.clone(), Value::from(count));
            }
            Value::Object(row)
        })
        .collect()
}

fn order(keys: &[(Expr, bool)], left: &Value, right: &Value) -> Ordering {
    keys.iter()
        .map(|(key, descending)| {
            let ordering = ordering(&value(key, left), &value(key, right));
            if *descending { ordering.reverse() } else { ordering }
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn ordering(left: &Value, right: &Value) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => text(left).to_lowercase().cmp(&text(right).to_lowercase()),
    }
}

fn path_value(path: &[String], row: &dyn Columns) -> Value {
    let mut segments = path.iter();
    let mut here = segments.next().and_then(|name| row.column(name)).unwrap_or(Value::Null);
    for segment in segments {
        here = here.get(segment).cloned().unwrap_or(Value::Null);
    }
    here
}

fn call(name: &str, arguments: &[Expr], row: &dyn Columns) -> Value {
    if let ("tolower", [Expr::Path(path)]) = (name, arguments)
        && path.as_slice() == ["id"]
        && let Some(id) = row.lower_id()
    {
        return Value::String(id);
    }
    let first = arguments.first().map_or(Value::Null, |first| value(first, row));
    match name {
        "tolower" => Value::String(text(&first).to_lowercase()),
        "toupper" => Value::String(text(&first).to_uppercase()),
        "tostring" => Value::String(text(&first)),
        "strlen" => Value::from(text(&first).chars().count()),
        "strcat" => Value::String(arguments.iter().map(|argument| text(&value(argument, row))).collect()),
        "isnull" => Value::Bool(first.is_null()),
        "isnotnull" => Value::Bool(!first.is_null()),
        "isempty" => Value::Bool(text(&first).is_empty()),
        "isnotempty" => Value::Bool(!text(&first).is_empty()),
        "not" => Value::Bool(first == Value::Bool(false)),
        "toint" | "tolong" => text(&first).parse::<i64>().map_or(Value::Null, Value::from),
        "hash" => {
            let number = signed_hash(&text(&first));
            match arguments
                .get(1)
                .map(|modulus| value(modulus, row))
                .and_then(|modulus| modulus.as_i64())
            {
                Some(modulus) if modulus > 0 => Value::from(number.rem_euclid(modulus)),
                _ => Value::from(number),
            }
        }
        // The parser lets no other name pass.
        _ => Value::Null,
    }
}

/// Kusto's `hash` answers a signed 64-bit number; which one is not documented.
fn signed_hash(text: &str) -> i64 {
    i64::from_be_bytes(seeded::hash(0, text).to_be_bytes())
}

fn binary(operator: &str, left: &Value, right: &Value) -> Value {
    if !matches!(operator, "%" | "+" | "-") {
        return Value::Bool(compare(operator, left, right));
    }
    let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) else {
        return Value::Null;
    };
    let number = match operator {
        // Kusto's modulo is never negative.
        "%" => left.checked_rem_euclid(right),
        "+" => left.checked_add(right),
        _ => left.checked_sub(right),
    };
    number.map_or(Value::Null, Value::from)
}

fn compare(operator: &str, left: &Value, right: &Value) -> bool {
    let exact = || {
        if left.is_number() || left.is_boolean() {
            left == right
        } else {
            text(left) == text(right)
        }
    };
    let folded = || (text(left).to_lowercase(), text(right).to_lowercase());
    let pair = folded();
    match operator {
        "==" => exact(),
        "!=" => !exact(),
        "=~" => pair.0 == pair.1,
        "!~" => pair.0 != pair.1,
        "contains" => pair.0.contains(&pair.1),
        "!contains" => !pair.0.contains(&pair.1),
        "contains_cs" => text(left).contains(&text(right)),
        "startswith" => pair.0.starts_with(&pair.1),
        "!startswith" => !pair.0.starts_with(&pair.1),
        "endswith" => pair.0.ends_with(&pair.1),
        "!endswith" => !pair.0.ends_with(&pair.1),
        "has" => has_term(&pair.0, &pair.1),
        "!has" => !has_term(&pair.0, &pair.1),
        "<" => ordering(left, right).is_lt(),
        "<=" => ordering(left, right).is_le(),
        ">" => ordering(left, right).is_gt(),
        ">=" => ordering(left, right).is_ge(),
        _ => false,
    }
}

/// `has` looks for a whole term: no letter or digit stands beside it.
fn has_term(haystack: &str, needle: &str) -> bool {
    haystack.match_indices(needle).any(|(at, found)| {
        let before = haystack.get(..at).and_then(|before| before.chars().next_back());
        let after = haystack.get(at + found.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
