//! Which collection owns a thing: it alone may remove it. Follows from type and scope, never from
//! who saw it first.

use atg_models::TenantId;
use atg_models::graph::{CollectionKey, NodeKind};

use crate::observe::Owned;
use crate::plan::sources;

/// The owner; `None` for what no collection lists whole (stubs, derived nodes, deny assignments
/// above subscriptions).
pub(crate) fn owner(tenant: TenantId, thing: &Owned<'_>) -> Option<CollectionKey> {
    let of_tenant = |source: &str| Some(CollectionKey::new(source, &tenant.to_string()));
    let by_scope = |source: &str| match thing.subscription_id {
        Some(subscription) => Some(CollectionKey::new(source, subscription)),
        None => of_tenant(source),
    };
    match thing.kind {
        NodeKind::Tenant => of_tenant(sources::TENANT),
        NodeKind::ManagementGroup => of_tenant(sources::MANAGEMENT_GROUPS),
        NodeKind::Subscription => of_tenant(sources::SUBSCRIPTIONS),
        NodeKind::ResourceGroup => by_scope(sources::RESOURCE_GROUPS),
        NodeKind::Resource => by_scope(sources::RESOURCES),
        NodeKind::RoleAssignment => by_scope(sources::ROLE_ASSIGNMENTS),
        NodeKind::RoleDefinition => of_tenant(sources::ROLE_DEFINITIONS),
        NodeKind::DenyAssignment => thing
            .subscription_id
            .map(|subscription| CollectionKey::new(sources::DENY_ASSIGNMENTS, subscription)),
        NodeKind::User
        | NodeKind::Group
        | NodeKind::ServicePrincipal
        | NodeKind::Application
        | NodeKind::DirectoryRole
        | NodeKind::AdministrativeUnit
        | NodeKind::Device => sources::directory_source(thing.kind).and_then(of_tenant),
        NodeKind::PolicyAssignment
        | NodeKind::PolicyDefinition
        | NodeKind::Lock
        | NodeKind::Tag
        | NodeKind::Region
        | NodeKind::ResourceType
        | NodeKind::ExternalIssuer
        | NodeKind::Stub => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::ArmId;

    const TENANT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn check(id: &str, expected: &str) {
        let arm: ArmId = id.parse().unwrap();
        let (type_, subscription) = (arm.arm_type(), arm.subscription().map(str::to_lowercase));
        let thing = Owned {
            id: &arm.node_id(),
            kind: NodeKind::of_type(&type_),
            type_: Some(&type_),
            subscription_id: subscription.as_deref(),
            materialised: false,
        };
        let owner = owner(TENANT.parse().unwrap(), &thing);
        assert_eq!(owner.map(|key| key.to_string()).as_deref(), Some(expected), "{id}");
    }

    #[test]
    fn the_owner_follows_from_type_and_scope() {
        check("/subscriptions/S", &format!("arg.subscriptions/{TENANT}"));
        check("/subscriptions/S/resourceGroups/g", "arg.resourcegroups/s");
        check("/subscriptions/S/resourceGroups/g/providers/A.B/c/d", "arg.resources/s");
        check("/providers/A.B/c/d", &format!("arg.resources/{TENANT}"));
        check(
            "/subscriptions/S/providers/Microsoft.Authorization/roleAssignments/r",
            "arg.roleassignments/s",
        );
        check(
            "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/roleAssignments/r",
            &format!("arg.roleassignments/{TENANT}"),
        );
        check(
            "/subscriptions/S/providers/Microsoft.Authorization/roleDefinitions/r",
            &format!("arg.roledefinitions/{TENANT}"),
        );
    }
}
