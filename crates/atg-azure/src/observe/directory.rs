//! Rows of Microsoft Graph.

use std::collections::BTreeMap;

use atg_models::graph::{Node, NodeKind, Observation};
use atg_models::secrets;
use serde_json::Value;

use crate::observe::arm::assemble;
use crate::observe::{Context, Owned, RowError};
use crate::relations::path::text_member;
use crate::relations::{Subject, derive, directory_type, object_end, object_id};

/// A directory object: user, group, service principal, application, directory role,
/// administrative unit or device.
pub fn directory_row(kind: NodeKind, row: &Value, context: &Context<'_>) -> Result<Observation, RowError> {
    let refused = |reason: &str| RowError::NoId {
        reason: reason.to_owned(),
    };
    let text = row.as_object().ok_or(RowError::NotAnObject)?.get("id");
    let text = text.and_then(Value::as_str).ok_or_else(|| refused("there is none"))?;
    let id = object_id(text).ok_or_else(|| refused("it is not an object id"))?;
    let type_ = directory_type(kind).ok_or_else(|| refused("it is not of the directory"))?;
    let mut body = row.clone();
    secrets::redact(type_, &mut body);
    let derived = derive(&Subject::object(context.tenant, id, kind, &body));
    let end = object_end(id, kind);
    let owner = (context.owner)(&Owned {
        id: &end.id,
        kind,
        type_: None,
        subscription_id: None,
        materialised: false,
    });
    let node = Node {
        tenant_id: context.tenant,
        id: end.id,
        display_id: text.trim().to_owned(),
        kind,
        type_: None,
        api_version: None,
        name: name(&body).map_or(end.name, str::to_owned),
        subscription_id: None,
        resource_group: None,
        location: None,
        tags: BTreeMap::new(),
        body: Some(body),
        observed: true,
        source: context.source,
        owner,
        observed_at: context.observed_at,
    };
    Ok(assemble(node, derived))
}

fn name(body: &Value) -> Option<&str> {
    let names = ["displayName", "userPrincipalName", "appId"];
    names
        .iter()
        .find_map(|name| text_member(body, name).filter(|text| !text.is_empty()))
}
