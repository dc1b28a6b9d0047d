//! Values without members.

use serde_json::{Number, Value as Json};

use crate::tables::Node;
use crate::template::value::Value;

/// A text, number or truth value as the node wants it, converted where nothing is lost.
pub(super) fn scalar(value: &Json, node: &Node) -> Option<Value> {
    match (node, value) {
        (Node::Text | Node::SecretText, Json::String(text)) => Some(Value::Text(text.clone())),
        (Node::Text | Node::SecretText | Node::Enum(_), Json::Bool(_) | Json::Number(_)) => {
            Some(Value::Text(value.to_string()))
        }
        (Node::Enum(values), Json::String(text)) => {
            let known = values.iter().find(|known| known.eq_ignore_ascii_case(text));
            Some(Value::Text(known.unwrap_or(text).clone()))
        }
        (Node::Number, Json::Number(number)) => Some(Value::Number(number.clone())),
        (Node::Number, Json::String(text)) => text.trim().parse::<Number>().ok().map(Value::Number),
        (Node::Bool, Json::Bool(value)) => Some(Value::Bool(*value)),
        (Node::Bool, Json::String(text)) => text.trim().to_lowercase().parse().ok().map(Value::Bool),
        _ => None,
    }
}

/// Whether leaving it out loses anything.
pub(super) fn says_something(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => items.iter().any(says_something),
        Json::Object(members) => members.values().any(says_something),
        Json::Bool(true) | Json::Number(_) => true,
    }
}
