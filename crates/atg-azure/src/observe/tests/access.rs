//! Role assignments, identities, the directory.

use atg_models::NodeId;
use atg_models::graph::{NodeKind, Source};
use serde_json::json;

use super::{TENANT, aliases, context, edges, in_group, lookups, observe, resource};
use crate::observe::{Listing, RowError, directory_row, listed};

const PERSON: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const GROUP: &str = "aaaaaaaa-0000-0000-0000-000000000002";
const ROLE: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

#[test]
fn a_role_assignment_tells_who_what_and_where() {
    let id = "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/A1";
    let seen = observe(&json!({"id": id, "properties": {
        "principalId": PERSON, "principalType": "User", "scope": "/subscriptions/S", "condition": "x",
        "roleDefinitionId": format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{ROLE}")}}));
    assert_eq!(
        edges(&seen),
        [
            format!("{PERSON} -HAS_ROLE-> roledefinitions/{ROLE}"),
            "roleassignments/a1 -APPLIES_TO-> subscriptions/s".to_owned(),
            format!("roleassignments/a1 -ASSIGNED_TO-> {PERSON}"),
            format!("roleassignments/a1 -DEFINED_BY-> roledefinitions/{ROLE}"),
            "subscriptions/s -CONTAINS-> roleassignments/a1".to_owned(),
        ]
    );
    let has_role = seen[0]
        .edges
        .iter()
        .find(|edge| edge.source.id.as_str() == PERSON)
        .unwrap();
    assert_eq!(has_role.source.kind, NodeKind::User);
    assert_eq!(has_role.qualifier, id.to_lowercase());
    assert_eq!(
        serde_json::Value::Object(has_role.properties.clone()),
        json!({"assignment": id.to_lowercase(), "condition": "x", "scope": "/subscriptions/S"})
    );
}

#[test]
fn the_root_scope_is_the_tenant() {
    let seen = observe(&json!({"id": "/providers/Microsoft.Authorization/roleAssignments/a",
        "properties": {"scope": "/", "principalId": PERSON}}));
    let lines = edges(&seen);
    assert!(
        lines.contains(&format!("roleassignments/a -APPLIES_TO-> tenant:{TENANT}")),
        "{lines:?}"
    );
    assert!(
        lines.contains(&format!("tenant:{TENANT} -CONTAINS-> roleassignments/a")),
        "{lines:?}"
    );
}

#[test]
fn identities_are_property_names() {
    let mut row = resource("Microsoft.Web/sites", "a", &json!({}));
    row["identity"] = json!({"principalId": PERSON, "userAssignedIdentities": {
        in_group("Microsoft.ManagedIdentity/userAssignedIdentities/I"): {"principalId": GROUP, "clientId": GROUP}}});
    let lines = edges(&observe(&row));
    for target in [PERSON, GROUP, "userassignedidentities/i"] {
        assert!(
            lines.contains(&format!("sites/a -USES_IDENTITY-> {target}")),
            "{target}: {lines:?}"
        );
    }
}

#[test]
fn a_vault_policy_says_which_rights() {
    let policy = json!({"accessPolicies": [{"objectId": PERSON, "permissions": {"keys": ["get"]}}]});
    let seen = observe(&resource("Microsoft.KeyVault/vaults", "v", &policy));
    let edge = seen[0]
        .edges
        .iter()
        .find(|edge| edge.relation.as_str() == "CAN_ACCESS")
        .unwrap();
    assert_eq!((edge.source.id.as_str(), edge.source.kind), (PERSON, NodeKind::Stub));
    assert_eq!(edge.qualifier, seen[0].node.id.as_str());
    assert_eq!(edge.properties["permissions"], json!({"keys": ["get"]}));
}

#[test]
fn authors_are_people_or_applications() {
    let mut row = resource("Microsoft.Web/sites", "a", &json!({}));
    row["systemData"] = json!({"createdBy": "Ann@contoso.com", "createdByType": "User"});
    let user = json!({"id": PERSON, "userPrincipalName": "ann@Contoso.com", "displayName": "Ann"});
    let user = directory_row(NodeKind::User, &user, &context(Source::Graph)).unwrap();
    assert_eq!(
        (user.node.name.as_str(), user.node.display_id.as_str()),
        ("Ann", PERSON)
    );
    assert_eq!(
        lookups(&observe(&row)),
        [format!("CREATED_BY {}", aliases(std::slice::from_ref(&user))[0])]
    );
    row["systemData"] = json!({"createdBy": GROUP, "createdByType": "Application"});
    let principal = json!({"id": PERSON, "appId": GROUP, "appOwnerOrganizationId": TENANT});
    let principal = directory_row(NodeKind::ServicePrincipal, &principal, &context(Source::Graph)).unwrap();
    let published = aliases(std::slice::from_ref(&principal));
    assert!(
        published.contains(&lookups(&observe(&row))[0].replace("CREATED_BY ", "")),
        "{published:?}"
    );
    assert_eq!(
        lookups(std::slice::from_ref(&principal)),
        [format!("DEFINED_BY appid@microsoft.graph/applications {GROUP}")]
    );
    assert_eq!(
        edges(&[principal]),
        [
            format!("{PERSON} -LOCATED_IN-> tenant:{TENANT}"),
            format!("tenant:{TENANT} -CONTAINS-> {PERSON}"),
        ]
    );
}

#[test]
fn directory_rows_need_an_object_id() {
    let row = json!({"id": "not-one"});
    let refused = directory_row(NodeKind::User, &row, &context(Source::Graph)).unwrap_err();
    assert!(matches!(refused, RowError::NoId { .. }));
}

#[test]
fn listings_state_members_owners_and_rights() {
    let parent: NodeId = GROUP.parse().unwrap();
    let lines = |listing, row| {
        let all = listed(listing, &parent, &[row, json!({"id": "junk"})], &context(Source::Graph));
        let lines = all.iter().map(|listed| {
            let edge = &listed.edge;
            let (source, target) = (&edge.source, &edge.target);
            format!(
                "{} {source} -{}-> {target} {}",
                listed.by,
                edge.relation.as_str(),
                edge.qualifier,
                source = source.kind.as_str(),
                target = target.kind.as_str()
            )
        });
        lines.collect::<Vec<_>>()
    };
    let person = json!({"@odata.type": "#microsoft.graph.user", "id": PERSON});
    assert_eq!(
        lines(Listing::GroupMembers, person.clone()),
        [format!("{GROUP} User -MEMBER_OF-> Group ")]
    );
    assert_eq!(
        lines(Listing::ApplicationOwners, person.clone()),
        [format!("{GROUP} Application -OWNED_BY-> User ")]
    );
    assert_eq!(
        lines(Listing::RoleMembers, person),
        [format!("{GROUP} User -HAS_ROLE-> DirectoryRole {GROUP}")]
    );
    let role = json!({"id": "a1", "principalId": PERSON, "principalType": "ServicePrincipal", "resourceId": GROUP, "appRoleId": "r"});
    assert_eq!(
        lines(Listing::AppRoleAssignments, role),
        [format!("{GROUP} ServicePrincipal -CAN_ACCESS-> ServicePrincipal a1")]
    );
    let grant = json!({"id": "g1", "clientId": PERSON, "resourceId": GROUP, "scope": "User.Read", "consentType": "AllPrincipals"});
    assert_eq!(
        lines(Listing::PermissionGrants, grant),
        [format!("{PERSON} ServicePrincipal -CAN_ACCESS-> ServicePrincipal g1")]
    );
}
