//! `data/tables/arm-bodies.gz`: what a request body of each ARM type may hold, as short as it can be said.
//!
//! A node is a text (`s` text, `S` secret text, `O` secret object, `i` number, `b` truth value, `a` anything),
//! a list (the values of an enum), or an object with one of `l` (items of a list), `m` (items of a map),
//! `p` (members; `x` for any further one), `k` with `v` (variants by the member `k`, `p` common to all),
//! `r` (a name in `d`). A member's name starts with `*` when it is required, and with `-` when it can only
//! be read; of those the node is left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{MakeError, pack, source_digest, unpack};

/// Members that every body has and that are no part of it.
const NOT_BODY: &[&str] = &["id", "name", "type", "apiVersion"];

/// `data/tables/arm-bodies.gz` from the published ARM types.
pub fn arm_bodies(types_gz: &[u8]) -> Result<Vec<u8>, MakeError> {
    let mut lines = BTreeMap::new();
    for line in unpack(types_gz)?.lines() {
        let facts: Value = serde_json::from_str(line)?;
        let text = |key: &'static str| facts.get(key).and_then(Value::as_str).ok_or(MakeError::Shape(key));
        let list = |key: &str| facts.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        if list("writable").is_empty() {
            continue;
        }
        let mut body = node(facts.get("body").ok_or(MakeError::Shape("body"))?);
        without_common(&mut body);
        let empty = Map::new();
        let defs = facts.get("defs").and_then(Value::as_object).unwrap_or(&empty);
        let defs: Map<String, Value> = defs.iter().map(|(name, def)| (name.clone(), node(def))).collect();
        let mut row = json!({ "n": list("versions"), "b": body });
        if let Some(row) = row.as_object_mut().filter(|_| !defs.is_empty()) {
            row.insert("d".to_owned(), Value::Object(used(&defs, row.get("b"))));
        }
        lines.insert(text("type")?.to_lowercase(), row);
    }
    pack(&source_digest(&[types_gz]), &lines)
}

fn node(node: &Value) -> Value {
    let kind = node.get("kind").and_then(Value::as_str).unwrap_or_default();
    let secret = node.get("secret").is_some();
    let inner = |key: &str| node.get(key).map_or_else(|| json!("a"), self::node);
    match kind {
        "string" if secret => json!("S"),
        "object" if secret => json!("O"),
        "string" => json!("s"),
        "int" => json!("i"),
        "bool" => json!("b"),
        "enum" => node.get("values").cloned().unwrap_or_else(|| json!("s")),
        "array" => json!({ "l": inner("items") }),
        "map" => json!({ "m": inner("items") }),
        "ref" => json!({ "r": node.get("ref") }),
        "object" | "discriminated" => members(node),
        _ => json!("a"),
    }
}

fn members(object: &Value) -> Value {
    let props = object.get("props").and_then(Value::as_object).into_iter().flatten();
    let props = props.map(|(name, prop)| {
        let flags = prop.get("flags").and_then(Value::as_str).unwrap_or_default();
        if flags.contains('o') {
            (format!("-{name}"), json!(0))
        } else if flags.contains('r') {
            (format!("*{name}"), node(prop))
        } else {
            (name.clone(), node(prop))
        }
    });
    let mut out = Map::new();
    out.insert("p".to_owned(), Value::Object(props.collect()));
    if let Some(extra) = object.get("extra") {
        out.insert("x".to_owned(), node(extra));
    }
    if let Some(by) = object.get("by") {
        out.insert("k".to_owned(), by.clone());
        let variants = object.get("variants").and_then(Value::as_object).into_iter().flatten();
        let variants = variants.map(|(value, variant)| (value.clone(), node(variant)));
        out.insert("v".to_owned(), Value::Object(variants.collect()));
    }
    Value::Object(out)
}

/// Takes away what stands outside the body.
fn without_common(body: &mut Value) {
    for name in NOT_BODY
        .iter()
        .flat_map(|name| ["*", "-", ""].map(|flag| format!("{flag}{name}")))
    {
        if let Some(props) = body.get_mut("p").and_then(Value::as_object_mut) {
            props.remove(&name);
        }
        let variants = body.get_mut("v").and_then(Value::as_object_mut).into_iter().flatten();
        for (_, variant) in variants {
            if let Some(props) = variant.get_mut("p").and_then(Value::as_object_mut) {
                props.remove(&name);
            }
        }
    }
}

/// The definitions that `body` leads to: those of read-only members fall away.
fn used(defs: &Map<String, Value>, body: Option<&Value>) -> Map<String, Value> {
    let mut out = Map::new();
    let mut open: Vec<String> = Vec::new();
    names(body.unwrap_or(&Value::Null), &mut open);
    while let Some(name) = open.pop() {
        if out.contains_key(&name) {
            continue;
        }
        if let Some(def) = defs.get(&name) {
            names(def, &mut open);
            out.insert(name, def.clone());
        }
    }
    out
}

fn names(node: &Value, out: &mut Vec<String>) {
    let Some(object) = node.as_object() else {
        return;
    };
    if let Some(name) = object.get("r").and_then(Value::as_str) {
        out.push(name.to_owned());
    }
    for key in ["l", "m", "x"] {
        names(object.get(key).unwrap_or(&Value::Null), out);
    }
    for key in ["p", "v"] {
        for child in object.get(key).and_then(Value::as_object).into_iter().flatten() {
            names(child.1, out);
        }
    }
}
