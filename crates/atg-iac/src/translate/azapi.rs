//! Any ARM resource as `azapi_resource`: its body without what can only be read.

use atg_models::ArmId;
use serde_json::Value as Json;

use crate::select::Resource;
use crate::tables::{ArmTypeFacts, Tables};
use crate::translate::eval::member;
use crate::translate::typed;
use crate::value::{Block, Val};
use crate::{IacError, Reason};

/// Members of a body that every type may have, for types whose members are not published.
const COMMON_MEMBERS: &[&str] = &[
    "properties",
    "sku",
    "kind",
    "zones",
    "plan",
    "extendedLocation",
    "managedBy",
];

/// Members that have an attribute of their own, or that are no part of a request.
const NOT_BODY: &[&str] = &[
    "id",
    "name",
    "type",
    "apiVersion",
    "location",
    "tags",
    "identity",
    "systemData",
    "etag",
    "dependsOn",
    "resources",
    "scope",
    "subscriptionId",
    "resourceGroup",
    "tenantId",
];

/// The block of an `azapi_resource`, or why there is none.
pub(crate) fn translate(
    resource: &Resource,
    id: &ArmId,
    body: &Json,
    tables: &Tables,
) -> Result<Result<Block, Refused>, IacError> {
    let facts = tables.arm_type(&resource.type_)?;
    if facts.as_ref().is_some_and(|facts| !facts.writable) {
        return Ok(Err((
            Reason::ReadOnly,
            "ARM publishes no way to create this type".to_owned(),
        )));
    }
    let version = match (&resource.api_version, &facts) {
        (Some(version), _) if !version.is_empty() => version.clone(),
        (_, Some(facts)) if facts.preview => {
            return Ok(Err((
                Reason::PreviewOnly,
                "only preview versions are published".to_owned(),
            )));
        }
        (_, Some(facts)) => facts.api_version.clone(),
        (_, None) => return Ok(Err((Reason::NoApiVersion, "no api-version is known".to_owned()))),
    };
    let type_ = facts
        .as_ref()
        .map_or_else(|| spelled_type(id), |facts| facts.type_.clone());
    let mut block = Block::default();
    let mut set = |name: &str, value: Val| {
        if !value.is_empty() {
            block.attrs.insert(name.to_owned(), value);
        }
    };
    set("type", Val::Text(format!("{type_}@{version}")));
    set("name", Val::text(id.name()));
    let parent = id
        .parent()
        .map_or_else(|| "/".to_owned(), |parent| parent.as_str().to_owned());
    set("parent_id", Val::Text(parent));
    set(
        "location",
        member(body, "location")
            .and_then(Json::as_str)
            .map_or(Val::Null, typed::location),
    );
    set("tags", member(body, "tags").map_or(Val::Null, typed::tags));
    set("body", request_body(body, facts.as_deref()));
    // What ARM answered need not fit the schema that this version of the provider carries.
    set("schema_validation_enabled", Val::Bool(false));
    if let Some(identity) = member(body, "identity").and_then(typed::identity) {
        block.blocks.insert("identity".to_owned(), vec![identity]);
    }
    Ok(Ok(block))
}

type Refused = (Reason, String);

fn request_body(body: &Json, facts: Option<&ArmTypeFacts>) -> Val {
    let Some(members) = body.as_object() else {
        return Val::Null;
    };
    let mut kept = serde_json::Map::new();
    for (name, value) in members {
        let in_list = |list: &[&str]| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
        let known = match facts {
            Some(facts) => facts.members.iter().any(|entry| entry.eq_ignore_ascii_case(name)),
            None => in_list(COMMON_MEMBERS),
        };
        if known && !in_list(NOT_BODY) && !value.is_null() {
            kept.insert(name.clone(), value.clone());
        }
    }
    let mut kept = Json::Object(kept);
    for path in facts.map_or(&[][..], |facts| &facts.read_only) {
        let steps: Vec<&str> = path.split('.').collect();
        remove(&mut kept, &steps);
    }
    Val::from_json(&kept)
}

/// Removes what the path names; an array or map is gone through at `*`.
fn remove(value: &mut Json, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match value {
        Json::Array(items) if *step == "*" => items.iter_mut().for_each(|item| remove(item, rest)),
        Json::Object(members) if *step == "*" => members.values_mut().for_each(|item| remove(item, rest)),
        Json::Object(members) => {
            let Some(name) = members.keys().find(|name| name.eq_ignore_ascii_case(step)).cloned() else {
                return;
            };
            if rest.is_empty() {
                members.remove(&name);
            } else if let Some(inner) = members.get_mut(&name) {
                remove(inner, rest);
            }
        }
        Json::Array(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The type as the id spells it.
pub(crate) fn spelled_type(id: &ArmId) -> String {
    let text = id.as_str();
    let lower = text.to_lowercase();
    let Some(at) = lower.rfind("/providers/") else {
        return id.arm_type().as_str().to_owned();
    };
    let mut segments = text.get(at..).unwrap_or_default().split('/').skip(2);
    let mut type_ = segments.next().unwrap_or_default().to_owned();
    for segment in segments.step_by(2) {
        type_.push('/');
        type_.push_str(segment);
    }
    type_
}
