//! The selection: which nodes are resources, which are context, and what is known about both.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::api::{ResourceFacts, ResourceFilter};
use atg_models::graph::{Node, NodeKind};
use atg_models::{ArmId, ArmType, secrets};
use serde_json::Value;

use crate::options::Options;

/// A resource that is to be written or reported.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// The key: the canonical id.
    pub(crate) key: String,
    /// The id; `None` when the text is no ARM id.
    pub(crate) id: Option<ArmId>,
    /// The id as text.
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
    /// The id as read, for the report: `display_id` may be another one, of where the code is for.
    pub(crate) source_id: String,
    /// Whether it counts: false for a child that stands only in its parent's body.
    pub(crate) counted: bool,
}

/// What is known around the resources.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The tenant's id.
    pub(crate) tenant_id: String,
    /// The id of the tenant that was read.
    pub(crate) source_tenant: String,
    /// Subscription id to its name.
    pub(crate) subscriptions: BTreeMap<String, String>,
    /// Object id of a directory object to words that say what it is.
    pub(crate) principals: BTreeMap<String, String>,
    /// Client id of an application of the tenant to words that say what it is.
    pub(crate) applications: BTreeMap<String, String>,
    /// Canonical id of a role definition to its name, for those that Azure ships.
    pub(crate) built_in_roles: BTreeMap<String, String>,
    /// Lower-cased names of the management groups.
    pub(crate) management_groups: BTreeSet<String>,
    /// Every subscription that an id of the source names, lower case.
    pub(crate) source_subscriptions: BTreeSet<String>,
    /// Of these, those of which something was read.
    pub(crate) read_subscriptions: BTreeSet<String>,
    /// Directory objects that only bodies name.
    pub(crate) named_principals: BTreeSet<String>,
    /// Canonical ids of everything that was read.
    pub(crate) known: BTreeSet<String>,
    /// What stands in for things that have no counterpart in the target, by the stand-in.
    pub(crate) unmapped: BTreeMap<String, Unmapped>,
}

/// Something that has no counterpart in the target.
#[derive(Debug, Clone)]
pub(crate) struct Unmapped {
    /// What sort of thing.
    pub(crate) sort: &'static str,
    /// Its id in the source.
    pub(crate) id: String,
    /// What it is, in words; may be empty.
    pub(crate) words: String,
}

impl Context {
    fn new(tenant_id: String, nodes: &[Node], options: &Options) -> Self {
        let mut context = Self {
            source_tenant: tenant_id.clone(),
            tenant_id,
            ..Self::default()
        };
        let elsewhere = options.is_elsewhere();
        for node in nodes {
            if elsewhere {
                context.source_subscriptions.extend(node.subscription_id.clone());
                if node.observed {
                    context.read_subscriptions.extend(node.subscription_id.clone());
                    context.known.insert(node.id.as_str().to_owned());
                }
            }
            context.add(node);
        }
        context.management_groups.remove(&context.tenant_id);
        context
    }

    fn add(&mut self, node: &Node) {
        let text = |pointer: &str| node.body.as_ref()?.pointer(pointer)?.as_str();
        match role_of(node) {
            Role::BuiltIn => {
                if let Some(name) = text("/properties/roleName") {
                    self.built_in_roles.insert(node.id.as_str().to_owned(), name.to_owned());
                }
            }
            Role::Subscription => {
                if let Some(id) = node.id.as_str().rsplit('/').next() {
                    self.subscriptions.insert(id.to_owned(), node.name.clone());
                }
            }
            Role::Principal(sort) => {
                let words = format!("{sort} {}", node.name);
                if let Some(id) = text("/appId").filter(|_| node.kind == NodeKind::Application) {
                    self.applications
                        .insert(id.to_lowercase(), format!("client of the {words}"));
                }
                self.principals.insert(node.id.as_str().to_owned(), words);
            }
            Role::ManagementGroup => {
                if let Some(name) = node.id.as_str().rsplit('/').next() {
                    self.management_groups.insert(name.to_owned());
                }
            }
            Role::Resource | Role::Other => {}
        }
    }
}

/// Splits the nodes into resources, sorted by key, and context.
pub(crate) fn select(nodes: Vec<Node>, tenant_id: String, options: &Options) -> (Vec<Resource>, Context) {
    let context = Context::new(tenant_id, &nodes, options);
    let mut resources = BTreeMap::new();
    for node in nodes {
        if matches!(role_of(&node), Role::Resource) && wanted(&node, options.filters.as_ref(), &context.subscriptions) {
            resources.insert(node.id.as_str().to_owned(), resource(node));
        }
    }
    (resources.into_values().collect(), context)
}

enum Role {
    Resource,
    BuiltIn,
    Subscription,
    ManagementGroup,
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
        NodeKind::ManagementGroup => Role::ManagementGroup,
        NodeKind::Tenant
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

/// Whether [`Context`] or a resource is made from the body of a node of this kind.
pub(crate) fn reads_body_of(kind: NodeKind) -> bool {
    match kind {
        NodeKind::ResourceGroup
        | NodeKind::Resource
        | NodeKind::RoleAssignment
        | NodeKind::DenyAssignment
        | NodeKind::PolicyAssignment
        | NodeKind::Lock
        | NodeKind::RoleDefinition
        | NodeKind::PolicyDefinition
        | NodeKind::Application => true,
        NodeKind::Subscription
        | NodeKind::User
        | NodeKind::Group
        | NodeKind::ServicePrincipal
        | NodeKind::Tenant
        | NodeKind::ManagementGroup
        | NodeKind::DirectoryRole
        | NodeKind::AdministrativeUnit
        | NodeKind::Device
        | NodeKind::Tag
        | NodeKind::Region
        | NodeKind::ResourceType
        | NodeKind::ExternalIssuer
        | NodeKind::Stub => false,
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

fn wanted(node: &Node, filter: Option<&ResourceFilter>, subscriptions: &BTreeMap<String, String>) -> bool {
    let Some(filter) = filter else {
        return true;
    };
    let subscription = node.subscription_id.as_deref();
    filter.matches(&ResourceFacts {
        type_: node.type_.as_ref().map_or("", ArmType::as_str),
        id: &node.display_id,
        name: &node.name,
        subscription_id: subscription,
        subscription_name: subscription.and_then(|id| subscriptions.get(id)).map(String::as_str),
        resource_group: node.resource_group.as_deref(),
        location: node.location.as_deref(),
        tags: &node.tags,
    })
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
        source_id: node.display_id.clone(),
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
