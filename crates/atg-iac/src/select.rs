//! The selection: which nodes are resources, which are context, and what is known about both.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::graph::{Node, NodeKind};
use atg_models::{ArmId, secrets};
use serde_json::Value;

use crate::options::Options;

/// A resource that is to be written or reported.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// The key: the canonical id.
    pub(crate) key: String,
    /// The id as read; `None` when the text is no ARM id.
    pub(crate) id: Option<ArmId>,
    /// The id as read, as text.
    pub(crate) display_id: String,
    /// Lower-cased ARM type.
    pub(crate) type_: String,
    /// The name as read.
    pub(crate) name: String,
    /// The version that the body was read at.
    pub(crate) api_version: Option<String>,
    /// The body without secrets.
    pub(crate) body: Option<Value>,
    /// Object and client ids of its managed identities, lower case, each with the attribute that gives it.
    pub(crate) identities: Vec<(String, &'static str)>,
    /// Whether it counts: false for a child that stands only in its parent's body.
    pub(crate) counted: bool,
}

/// What is known around the resources.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The tenant's id.
    pub(crate) tenant_id: String,
    /// Subscription id to its name.
    pub(crate) subscriptions: BTreeMap<String, String>,
    /// Object id of a directory object to words that say what it is.
    pub(crate) principals: BTreeMap<String, String>,
    /// Canonical id of a role definition to its name, for those that Azure ships.
    pub(crate) built_in_roles: BTreeMap<String, String>,
}

/// Splits the nodes into resources, sorted by key, and context.
pub(crate) fn select(nodes: Vec<Node>, tenant_id: String, options: &Options) -> (Vec<Resource>, Context) {
    let mut context = Context {
        tenant_id,
        ..Context::default()
    };
    let mut resources = BTreeMap::new();
    for node in nodes {
        match role_of(&node) {
            Role::Resource => {
                if wanted(&node, options) {
                    resources.insert(node.id.as_str().to_owned(), resource(node));
                }
            }
            Role::BuiltIn => {
                let name = node.body.as_ref().and_then(|body| body.pointer("/properties/roleName"));
                if let Some(name) = name.and_then(Value::as_str) {
                    context
                        .built_in_roles
                        .insert(node.id.as_str().to_owned(), name.to_owned());
                }
            }
            Role::Subscription => {
                if let Some(id) = node.id.as_str().rsplit('/').next() {
                    context.subscriptions.insert(id.to_owned(), node.name.clone());
                }
            }
            Role::Principal(sort) => {
                let words = format!("{sort} {}", node.name);
                context.principals.insert(node.id.as_str().to_owned(), words);
            }
            Role::Other => {}
        }
    }
    (resources.into_values().collect(), context)
}

enum Role {
    Resource,
    BuiltIn,
    Subscription,
    Principal(&'static str),
    Other,
}

fn role_of(node: &Node) -> Role {
    match node.kind {
        NodeKind::ResourceGroup
        | NodeKind::Resource
        | NodeKind::RoleAssignment
        | NodeKind::DenyAssignment
        | NodeKind::PolicyAssignment
        | NodeKind::Lock => {
            if node.observed {
                Role::Resource
            } else {
                Role::Other
            }
        }
        NodeKind::RoleDefinition | NodeKind::PolicyDefinition => {
            if is_built_in(node) {
                Role::BuiltIn
            } else if node.observed {
                Role::Resource
            } else {
                Role::Other
            }
        }
        NodeKind::Subscription => Role::Subscription,
        NodeKind::User => Role::Principal("user"),
        NodeKind::Group => Role::Principal("group"),
        NodeKind::ServicePrincipal => Role::Principal("service principal"),
        NodeKind::Application => Role::Principal("application"),
        NodeKind::Tenant
        | NodeKind::ManagementGroup
        | NodeKind::DirectoryRole
        | NodeKind::AdministrativeUnit
        | NodeKind::Device
        | NodeKind::Tag
        | NodeKind::Region
        | NodeKind::ResourceType
        | NodeKind::ExternalIssuer
        | NodeKind::Stub => Role::Other,
    }
}

/// A definition that Azure ships: it says so in `type` (roles) or `policyType`.
fn is_built_in(node: &Node) -> bool {
    let text = |pointer: &str| {
        node.body
            .as_ref()
            .and_then(|body| body.pointer(pointer))
            .and_then(Value::as_str)
    };
    match text("/properties/type").or_else(|| text("/properties/policyType")) {
        Some(sort) => !(sort.eq_ignore_ascii_case("CustomRole") || sort.eq_ignore_ascii_case("Custom")),
        None => true,
    }
}

fn wanted(node: &Node, options: &Options) -> bool {
    let filters = &options.filters;
    let holds = |list: &[String], value: Option<&str>| {
        list.is_empty() || value.is_some_and(|value| list.iter().any(|entry| entry.eq_ignore_ascii_case(value)))
    };
    let tag = |(name, value): &(String, Option<String>)| {
        let found = node.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.is_some_and(|(_, found)| value.as_ref().is_none_or(|value| value.eq_ignore_ascii_case(found)))
    };
    holds(&filters.subscriptions, node.subscription_id.as_deref())
        && holds(&filters.resource_groups, node.resource_group.as_deref())
        && holds(&filters.types, node.type_.as_ref().map(atg_models::ArmType::as_str))
        && (filters.tags.is_empty() || filters.tags.iter().any(tag))
}

fn resource(node: Node) -> Resource {
    let id: Option<ArmId> = node.display_id.parse().ok();
    let type_ = match (&node.type_, &id) {
        (Some(type_), _) => type_.as_str().to_owned(),
        (None, Some(id)) => id.arm_type().as_str().to_owned(),
        (None, None) => String::new(),
    };
    let body = node.body.map(|mut body| {
        secrets::redact(&type_, &mut body);
        body
    });
    let identities = body.as_ref().map_or_else(Vec::new, |body| identities(&type_, body));
    Resource {
        identities,
        key: node.id.as_str().to_owned(),
        id,
        display_id: node.display_id,
        type_,
        name: node.name,
        api_version: node.api_version,
        body,
        counted: true,
    }
}

fn identities(type_: &str, body: &Value) -> Vec<(String, &'static str)> {
    let places: &[(&str, &'static str)] = if type_ == "microsoft.managedidentity/userassignedidentities" {
        &[
            ("/properties/principalId", "principal_id"),
            ("/properties/clientId", "client_id"),
        ]
    } else {
        &[("/identity/principalId", "identity[0].principal_id")]
    };
    let found = places.iter().filter_map(|(place, attr)| {
        let id = body.pointer(place)?.as_str()?;
        Some((id.to_lowercase(), *attr))
    });
    found.collect()
}

/// Children that stand in the bodies of `resources` and are resources of their own by `inline`, unless they
/// are there already.
pub(crate) fn add_inline_children(resources: &mut Vec<Resource>, inline: impl Fn(&Resource) -> Vec<Resource>) {
    let known: BTreeSet<String> = resources.iter().map(|resource| resource.key.clone()).collect();
    let mut found = BTreeMap::new();
    for resource in resources.iter() {
        for child in inline(resource) {
            if !known.contains(&child.key) {
                found.insert(child.key.clone(), child);
            }
        }
    }
    resources.extend(found.into_values());
    resources.sort_by(|a, b| a.key.cmp(&b.key));
}
