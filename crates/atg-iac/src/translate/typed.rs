//! A body through a row: the attributes and blocks of a typed resource, not yet held against the schema.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::rows::{BlockRow, Row};
use crate::tables::BlockSchema;
use crate::translate::eval::{Scope, member};
use crate::translate::place::Notes;
use crate::value::{Block, Val};

/// The attributes and blocks that a row gives for a body.
pub(crate) fn build(row: &BlockRow, scope: &Scope<'_>, path: &str, notes: &mut Notes) -> Block {
    let mut block = Block::default();
    for (name, expr) in &row.attrs {
        let value = scope.value(expr);
        if scope.rejects(expr) {
            let note = "the body's value is not one that the provider accepts; left out";
            notes.push((format!("{path}{name}"), note.to_owned()));
        }
        if !value.is_empty() {
            block.attrs.insert(name.clone(), value);
        }
    }
    for (name, specs) in &row.blocks {
        let inner: Vec<Block> = {
            let path = format!("{path}{name}.");
            let blocks = specs.iter().flat_map(|spec| nested(spec, scope, &path, notes));
            blocks.collect()
        };
        if !inner.is_empty() {
            block.blocks.insert(name.clone(), inner);
        }
    }
    block
}

fn nested(spec: &BlockRow, scope: &Scope<'_>, path: &str, notes: &mut Notes) -> Vec<Block> {
    let mut scopes = vec![scope.clone()];
    if let Some(path) = &spec.from {
        scopes = match scope.find(path) {
            crate::translate::eval::Found::One(element) if !element.is_null() => vec![scope.enter(element, None)],
            crate::translate::eval::Found::One(_)
            | crate::translate::eval::Found::Nothing
            | crate::translate::eval::Found::Many(_) => Vec::new(),
        };
    }
    if let Some(path) = &spec.each {
        scopes = scopes
            .iter()
            .flat_map(|scope| {
                let elements = scope.elements_at(path);
                elements.into_iter().map(|(element, key)| scope.enter(element, key))
            })
            .collect();
    }
    scopes
        .iter()
        .filter(|scope| spec.when.as_ref().is_none_or(|condition| scope.holds(condition)))
        .map(|scope| build(spec, scope, path, notes))
        .filter(|block| spec.always || !block.is_empty())
        .collect()
}

/// Fills in what every type has, where the schema has it and the row says nothing: `name`, `resource_group_name`,
/// `location`, `tags`, `zones` and `identity`.
pub(crate) fn add_common(block: &mut Block, row: &Row, schema: &BlockSchema, scope: &Scope<'_>) {
    let missing = |block: &Block, name: &str| {
        schema.attrs.contains_key(name) && !row.body.attrs.contains_key(name) && !block.attrs.contains_key(name)
    };
    for (name, special) in [("name", "name"), ("resource_group_name", "rg")] {
        if missing(block, name) && !row.without.iter().any(|without| without == name) {
            block.attrs.insert(name.to_owned(), special_value(scope, special));
        }
    }
    let body = scope.body;
    let mut add = |name: &str, value: Option<Val>| {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && missing(block, name)
            && !row.without.iter().any(|without| without == name)
        {
            block.attrs.insert(name.to_owned(), value);
        }
    };
    add(
        "location",
        member(body, "location").and_then(Json::as_str).map(location),
    );
    add("tags", member(body, "tags").map(tags));
    let zones = member(body, "zones").map(Val::from_json);
    if let Some(Val::List(list)) = &zones {
        add("zone", list.first().cloned());
    }
    add("zones", zones);
    let without_identity = row.without.iter().any(|without| without == "identity");
    if schema.blocks.contains_key("identity")
        && !row.body.blocks.contains_key("identity")
        && !without_identity
        && let Some(identity) = member(body, "identity").and_then(identity)
    {
        block.blocks.insert("identity".to_owned(), vec![identity]);
    }
}

fn special_value(scope: &Scope<'_>, name: &str) -> Val {
    crate::rows::expr::Expr::parse(&format!("@{name}")).map_or(Val::Null, |expr| scope.value(&expr))
}

/// A region as Terraform writes it: `West Europe` and `westeurope` are the same.
pub(crate) fn location(text: &str) -> Val {
    Val::text(&text.to_lowercase().replace(' ', ""))
}

/// Tags: texts only; other scalars become texts.
pub(crate) fn tags(value: &Json) -> Val {
    let Some(members) = value.as_object() else {
        return Val::Null;
    };
    let text = |value: &Json| match value {
        Json::String(text) => Some(Val::text(text)),
        Json::Null => Some(Val::Text(String::new())),
        Json::Bool(_) | Json::Number(_) => Some(Val::text(&value.to_string())),
        Json::Array(_) | Json::Object(_) => None,
    };
    let tags = members
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)));
    Val::Map(tags.collect::<BTreeMap<_, _>>())
}

/// The `identity` block: its type in the provider's spelling, and the ids of user-assigned ones.
pub(crate) fn identity(value: &Json) -> Option<Block> {
    let lower = member(value, "type")?.as_str()?.to_lowercase();
    let (system, user) = (lower.contains("systemassigned"), lower.contains("userassigned"));
    let type_ = match (system, user) {
        (true, true) => "SystemAssigned, UserAssigned",
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => return None,
    };
    let mut block = Block::default();
    block.attrs.insert("type".to_owned(), Val::text(type_));
    let ids: Vec<Val> = member(value, "userAssignedIdentities")
        .and_then(Json::as_object)
        .into_iter()
        .flat_map(|ids| ids.keys())
        .map(|id| Val::text(id))
        .collect();
    if user {
        if ids.is_empty() {
            return None;
        }
        block.attrs.insert("identity_ids".to_owned(), Val::List(ids));
    }
    Some(block)
}
