//! Listings that belong to one object: members, owners, roles and grants.

use atg_models::NodeId;
use atg_models::graph::{AssertedEdge, EdgeEnd, ListedEdge, NodeKind, Relation};
use serde_json::{Map, Value};

use crate::observe::Context;
use crate::relations::path::{member, text_member};
use crate::relations::{object_end, object_id};

/// What a listing says of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listing {
    /// `groups/{id}/members`.
    GroupMembers,
    /// `administrativeUnits/{id}/members`.
    UnitMembers,
    /// `directoryRoles/{id}/members`.
    RoleMembers,
    /// `groups/{id}/owners`.
    GroupOwners,
    /// `applications/{id}/owners`.
    ApplicationOwners,
    /// `servicePrincipals/{id}/owners`.
    ServicePrincipalOwners,
    /// `devices/{id}/registeredOwners`.
    DeviceOwners,
    /// `servicePrincipals/{id}/appRoleAssignedTo`, or `…/appRoleAssignments` of any principal.
    AppRoleAssignments,
    /// `servicePrincipals/{id}/oauth2PermissionGrants`, or all of the tenant's.
    PermissionGrants,
}

impl Listing {
    const fn parent_kind(self) -> NodeKind {
        match self {
            Self::GroupMembers | Self::GroupOwners => NodeKind::Group,
            Self::UnitMembers => NodeKind::AdministrativeUnit,
            Self::RoleMembers => NodeKind::DirectoryRole,
            Self::ApplicationOwners => NodeKind::Application,
            Self::ServicePrincipalOwners | Self::AppRoleAssignments | Self::PermissionGrants => {
                NodeKind::ServicePrincipal
            }
            Self::DeviceOwners => NodeKind::Device,
        }
    }

    const fn relation(self) -> Relation {
        match self {
            Self::GroupMembers | Self::UnitMembers => Relation::MemberOf,
            Self::RoleMembers => Relation::HasRole,
            Self::GroupOwners | Self::ApplicationOwners | Self::ServicePrincipalOwners | Self::DeviceOwners => {
                Relation::OwnedBy
            }
            Self::AppRoleAssignments | Self::PermissionGrants => Relation::CanAccess,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::GroupMembers | Self::UnitMembers | Self::RoleMembers => "members[*].id",
            Self::GroupOwners | Self::ApplicationOwners | Self::ServicePrincipalOwners => "owners[*].id",
            Self::DeviceOwners => "registeredOwners[*].id",
            Self::AppRoleAssignments | Self::PermissionGrants => "resourceId",
        }
    }
}

/// The edges that a page of a listing states. Members that name nobody are left out. `parent` is
/// the object that was listed; a grant of the tenant's whole list belongs to its client instead.
pub fn listed(listing: Listing, parent: &NodeId, members: &[Value], _context: &Context<'_>) -> Vec<ListedEdge> {
    let rows = members.iter();
    match listing {
        Listing::GroupMembers | Listing::UnitMembers | Listing::RoleMembers => {
            rows.filter_map(|row| membership(listing, parent, row, false)).collect()
        }
        Listing::GroupOwners | Listing::ApplicationOwners | Listing::ServicePrincipalOwners | Listing::DeviceOwners => {
            rows.filter_map(|row| membership(listing, parent, row, true)).collect()
        }
        Listing::AppRoleAssignments => rows
            .filter_map(|row| access(listing, Some(parent), row, "principalId"))
            .collect(),
        Listing::PermissionGrants => rows.filter_map(|row| access(listing, None, row, "clientId")).collect(),
    }
}

fn membership(listing: Listing, parent: &NodeId, row: &Value, from_parent: bool) -> Option<ListedEdge> {
    let other = object_end(object_id(text_member(row, "id")?)?, kind_of(row));
    let listed = object_end(object_id(parent.as_str())?, listing.parent_kind());
    let (source, target) = if from_parent { (listed, other) } else { (other, listed) };
    let qualifier = if listing.relation() == Relation::HasRole {
        parent.to_string()
    } else {
        String::new()
    };
    Some(edge(listing, parent.clone(), source, target, qualifier, Map::new()))
}

fn access(listing: Listing, parent: Option<&NodeId>, row: &Value, principal: &str) -> Option<ListedEdge> {
    let kind = if listing == Listing::PermissionGrants {
        NodeKind::ServicePrincipal
    } else {
        text_member(row, "principalType").map_or(NodeKind::Stub, kind_named)
    };
    let source = object_end(object_id(text_member(row, principal)?)?, kind);
    let target = object_end(object_id(text_member(row, "resourceId")?)?, NodeKind::ServicePrincipal);
    let mut properties = Map::new();
    for name in ["appRoleId", "scope", "consentType", "principalId"] {
        let fact = member(row, name).filter(|value| !value.is_null() && name != principal);
        if let Some(fact) = fact {
            properties.insert(name.to_owned(), fact.clone());
        }
    }
    let qualifier = text_member(row, "id").unwrap_or_default().to_owned();
    let by = parent.cloned().unwrap_or_else(|| source.id.clone());
    Some(edge(listing, by, source, target, qualifier, properties))
}

fn edge(
    listing: Listing,
    by: NodeId,
    source: EdgeEnd,
    target: EdgeEnd,
    qualifier: String,
    properties: Map<String, Value>,
) -> ListedEdge {
    ListedEdge {
        by,
        edge: AssertedEdge {
            source,
            relation: listing.relation(),
            target,
            qualifier,
            path: listing.path().to_owned(),
            properties,
        },
    }
}

/// Microsoft Graph says what a member is in `@odata.type`.
fn kind_of(row: &Value) -> NodeKind {
    let said = text_member(row, "@odata.type").unwrap_or_default();
    kind_named(said.rsplit('.').next().unwrap_or(said))
}

fn kind_named(name: &str) -> NodeKind {
    let kinds = [
        ("user", NodeKind::User),
        ("group", NodeKind::Group),
        ("servicePrincipal", NodeKind::ServicePrincipal),
        ("application", NodeKind::Application),
        ("device", NodeKind::Device),
        ("administrativeUnit", NodeKind::AdministrativeUnit),
        ("directoryRole", NodeKind::DirectoryRole),
    ];
    let found = kinds.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(NodeKind::Stub, |(_, kind)| *kind)
}
