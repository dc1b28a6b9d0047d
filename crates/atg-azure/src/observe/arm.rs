//! Rows of ARM and Resource Graph.

use std::collections::BTreeMap;

use atg_models::graph::{Node, NodeKind, Observation, Source};
use atg_models::{ArmId, ArmType, secrets};
use serde_json::{Map, Value};

use crate::observe::{Context, Owned, RowError};
use crate::relations::path::{member, text_member};
use crate::relations::{Derived, MATERIALISED, Subject, arm_end, arm_id, derive, is_global, region, tenant_end};

/// Columns that Resource Graph answers with null where the body has no such member.
const ENVELOPE: &[&str] = &[
    "kind",
    "location",
    "tags",
    "sku",
    "plan",
    "identity",
    "zones",
    "managedBy",
    "extendedLocation",
    "etag",
    "systemData",
    "properties",
];

/// Columns that Resource Graph adds to the body.
const ADDED: &[&str] = &["tenantId", "subscriptionId", "resourceGroup"];

/// The node that a row describes, and the children that its body holds.
pub fn arm_row(row: &Value, context: &Context<'_>) -> Result<Vec<Observation>, RowError> {
    let mut body = row.as_object().ok_or(RowError::NotAnObject)?.clone();
    let id = parsed_id(&body)?;
    refuse_other_tenant(&body, &id, context)?;
    if context.source == Source::Arg {
        body.retain(|name, value| {
            !(ADDED.contains(&name.as_str()) || (value.is_null() && ENVELOPE.contains(&name.as_str())))
        });
    }
    let mut body = Value::Object(body);
    secrets::redact(id.arm_type().as_str(), &mut body);
    // An inline child is read at its parent's version.
    let version_of = id.arm_type();
    let mut observations = vec![];
    for (id, child) in inline_children(&id, &body) {
        observations.push(observation(&id, child, Source::Derived, &version_of, context));
    }
    observations.insert(0, observation(&id, body, context.source, &version_of, context));
    Ok(observations)
}

/// The tenant's own node. `body` is its row of `GET /tenants`, where it was read.
pub fn tenant_node(body: Option<&Value>, context: &Context<'_>) -> Observation {
    let end = tenant_end(context.tenant);
    let name = body
        .and_then(|body| text_member(body, "displayName"))
        .filter(|name| !name.is_empty());
    let owner = (context.owner)(&Owned {
        id: &end.id,
        kind: NodeKind::Tenant,
        type_: None,
        subscription_id: None,
        materialised: false,
    });
    let node = Node {
        tenant_id: context.tenant,
        name: name.map_or(end.name, str::to_owned),
        id: end.id,
        display_id: end.display_id,
        kind: NodeKind::Tenant,
        type_: None,
        api_version: None,
        subscription_id: None,
        resource_group: None,
        location: None,
        tags: BTreeMap::new(),
        body: body.cloned(),
        observed: true,
        source: context.source,
        owner,
        observed_at: context.observed_at,
    };
    assemble(node, Derived::default())
}

/// Derives again what a stored body says (`rebuild_edges`).
pub fn rederive(node: &Node) -> Observation {
    let derived = Subject::of_node(node)
        .map(|subject| derive(&subject))
        .unwrap_or_default();
    assemble(node.clone(), derived)
}

pub(super) fn assemble(node: Node, derived: Derived) -> Observation {
    Observation {
        node,
        edges: derived.edges,
        aliases: derived.aliases,
        lookups: derived.lookups,
    }
}

pub(super) fn tags(body: &Value) -> BTreeMap<String, String> {
    let tags = member(body, "tags").and_then(Value::as_object).into_iter().flatten();
    tags.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn parsed_id(body: &Map<String, Value>) -> Result<ArmId, RowError> {
    let refused = |reason: &str| RowError::NoId {
        reason: reason.to_owned(),
    };
    let text = body
        .get("id")
        .and_then(Value::as_str)
        .ok_or_else(|| refused("there is none"))?;
    text.parse().or_else(|error: atg_models::ArmIdError| {
        // The subscription list of ARM and old services leave the slash out.
        arm_id(text).ok_or_else(|| refused(&error.to_string()))
    })
}

/// Resource Graph's rows say whose they are; of ARM's, subscriptions do.
fn refuse_other_tenant(body: &Map<String, Value>, id: &ArmId, context: &Context<'_>) -> Result<(), RowError> {
    let says = context.source == Source::Arg || arm_end(id).kind == NodeKind::Subscription;
    let tenant = body
        .get("tenantId")
        .and_then(Value::as_str)
        .filter(|text| says && !text.is_empty());
    match tenant {
        Some(text) if !text.eq_ignore_ascii_case(&context.tenant.to_string()) => Err(RowError::OtherTenant),
        Some(_) | None => Ok(()),
    }
}

fn inline_children(id: &ArmId, body: &Value) -> Vec<(ArmId, Value)> {
    let own = id.arm_type();
    let mut children = Vec::new();
    for kind in MATERIALISED.iter().filter(|kind| kind.parent == own.as_str()) {
        let list = member(body, "properties").and_then(|properties| member(properties, kind.list));
        for item in list.and_then(Value::as_array).into_iter().flatten() {
            let stated = text_member(item, "id").and_then(arm_id);
            let named = || {
                let name = text_member(item, "name")?;
                (!name.is_empty() && !name.contains('/')).then(|| id.child(kind.segment, name))
            };
            let child = stated.filter(|child| child.parent().is_some_and(|parent| parent.node_id() == id.node_id()));
            if let Some(child) = child.or_else(named) {
                children.push((child, item.clone()));
            }
        }
    }
    children
}

fn observation(id: &ArmId, body: Value, source: Source, version_of: &ArmType, context: &Context<'_>) -> Observation {
    let subject = Subject::arm(context.tenant, id, &body);
    let derived = derive(&subject);
    let end = arm_end(id);
    let global = is_global(id, &end.id);
    let segment = |text: Option<&str>| text.filter(|_| !global).map(str::to_lowercase);
    let subscription_id = segment(id.subscription());
    let owner = (context.owner)(&Owned {
        id: &end.id,
        kind: end.kind,
        type_: end.type_.as_ref(),
        subscription_id: subscription_id.as_deref(),
        materialised: source == Source::Derived,
    });
    let node = Node {
        tenant_id: context.tenant,
        name: name(id, end.kind, &body),
        api_version: (context.api_version)(version_of),
        id: end.id,
        display_id: end.display_id,
        kind: end.kind,
        type_: end.type_,
        subscription_id,
        resource_group: segment(id.resource_group()),
        location: text_member(&body, "location").and_then(region),
        tags: tags(&body),
        observed: true,
        source,
        owner,
        observed_at: context.observed_at,
        body: Some(body),
    };
    assemble(node, derived)
}

/// A subscription's display name; else the id's last segment, as the body spells it. Lists name
/// children `parent/child`.
fn name(id: &ArmId, kind: NodeKind, body: &Value) -> String {
    let said = text_member(body, "name").unwrap_or_default();
    if kind == NodeKind::Subscription {
        let shown = text_member(body, "displayName").unwrap_or(said);
        return if shown.is_empty() { id.name() } else { shown }.to_owned();
    }
    let last = said.rsplit('/').next().unwrap_or(said);
    if last.eq_ignore_ascii_case(id.name()) {
        last
    } else {
        id.name()
    }
    .to_owned()
}
