//! Ends of edges: what an id, a name or a value proves about the thing it names.

use atg_models::graph::{EdgeEnd, NodeKind};
use atg_models::{ArmId, ArmType, NodeId, TenantId};
use uuid::Uuid;

/// The thing that an ARM id names.
pub(crate) fn arm_end(id: &ArmId) -> EdgeEnd {
    let type_ = id.arm_type();
    EdgeEnd {
        id: id.node_id(),
        display_id: id.as_str().to_owned(),
        kind: NodeKind::of_type(&type_),
        type_: Some(type_),
        name: id.name().to_owned(),
    }
}

/// Whether a thing is keyed without what its id puts in front (built-in roles and policies), so
/// that the id's spelling says nothing about where it belongs.
pub(crate) fn is_global(id: &ArmId, node_id: &NodeId) -> bool {
    node_id.as_str().len() < id.as_str().len()
}

/// A directory object.
pub(crate) fn object_end(id: Uuid, kind: NodeKind) -> EdgeEnd {
    let text = id.as_hyphenated().to_string();
    EdgeEnd {
        id: NodeId::object(id),
        display_id: text.clone(),
        kind,
        type_: None,
        name: text,
    }
}

/// A tenant.
pub(crate) fn tenant_end(tenant: TenantId) -> EdgeEnd {
    EdgeEnd {
        id: NodeId::tenant(tenant),
        display_id: tenant.to_string(),
        kind: NodeKind::Tenant,
        type_: None,
        name: tenant.to_string(),
    }
}

/// A region by any spelling of its name; `None` for blanks and template expressions.
pub(crate) fn region_end(text: &str) -> Option<EdgeEnd> {
    let name = region(text)?;
    Some(derived(NodeKind::Region, "region", name))
}

/// A region's name, lower case without blanks.
pub(crate) fn region(text: &str) -> Option<String> {
    let name: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    let sound = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    sound.then_some(name)
}

/// A tag. Names of tags are the same in any case, values are not.
pub(crate) fn tag_end(name: &str, value: &str) -> Option<EdgeEnd> {
    let text = format!("{}={value}", name.to_lowercase());
    let fits = "tag:".len() + text.len() <= NodeId::MAX_BYTES;
    fits.then(|| derived(NodeKind::Tag, "tag", text))
}

/// A resource type.
pub(crate) fn type_end(text: &str) -> Option<EdgeEnd> {
    let type_ = ArmType::new(text);
    let sound = type_.as_str().contains('/') && !type_.as_str().contains(char::is_whitespace);
    sound.then(|| derived(NodeKind::ResourceType, "type", type_.as_str().to_owned()))
}

/// An outside token issuer, as [`super::address::issuer`] prints it.
pub(crate) fn issuer_end(issuer: String) -> EdgeEnd {
    derived(NodeKind::ExternalIssuer, "issuer", issuer)
}

/// The kind of directory object that a type of Microsoft Graph is.
pub(crate) fn directory_kind(type_: &ArmType) -> Option<NodeKind> {
    DIRECTORY
        .iter()
        .find(|(_, name)| *name == type_.as_str())
        .map(|(kind, _)| *kind)
}

/// The type under which the catalogue knows a kind of directory object.
pub(crate) fn directory_type(kind: NodeKind) -> Option<&'static str> {
    DIRECTORY
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, name)| *name)
}

const DIRECTORY: &[(NodeKind, &str)] = &[
    (NodeKind::User, "microsoft.graph/users"),
    (NodeKind::Group, "microsoft.graph/groups"),
    (NodeKind::ServicePrincipal, "microsoft.graph/serviceprincipals"),
    (NodeKind::Application, "microsoft.graph/applications"),
    (NodeKind::DirectoryRole, "microsoft.graph/directoryroles"),
    (NodeKind::AdministrativeUnit, "microsoft.graph/administrativeunits"),
    (NodeKind::Device, "microsoft.graph/devices"),
];

fn derived(kind: NodeKind, prefix: &'static str, text: String) -> EdgeEnd {
    EdgeEnd {
        id: NodeId::derived(prefix, &text),
        display_id: text.clone(),
        kind,
        type_: None,
        name: text,
    }
}
