//! Role definitions, role assignments at several scopes, deny assignments.

use serde_json::{Map, Value, json};

use super::bodies::{DATABRICKS, FACTORY};
use super::changes;
use super::codec::{Kind, decode, encode};
use super::containers;
use super::cx::Cx;
use super::plan::PLAN;
use super::seeded::{SeededWorld, number};
use super::shape;
use crate::seeded;

/// Built-in role definitions: GUID, name, actions, data actions (Microsoft's documented GUIDs).
#[rustfmt::skip]
const BUILT_IN: [(&str, &str, &[&str], &[&str]); 22] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", &["*"], &[]),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", &["*"], &[]),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", &["*/read"], &[]),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"], &[]),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor", &["Microsoft.Storage/storageAccounts/blobServices/containers/read"], &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"]),
    ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader", &["Microsoft.Storage/storageAccounts/blobServices/containers/read"], &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"]),
    ("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User", &[], &["Microsoft.KeyVault/vaults/secrets/getSecret/action"]),
    ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator", &["Microsoft.KeyVault/*/read"], &["Microsoft.KeyVault/vaults/*"]),
    ("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", &["Microsoft.Network/*"], &[]),
    ("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", &["Microsoft.Compute/virtualMachines/*"], &[]),
    ("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", &["*/read"], &[]),
    ("92aaf0da-9dab-42b6-94a3-d43ce8d16293", "Log Analytics Contributor", &["*/read", "Microsoft.OperationalInsights/*"], &[]),
    ("7f951dda-4ed3-4680-a7ca-43fe172d538d", "AcrPull", &["Microsoft.ContainerRegistry/registries/pull/read"], &[]),
    ("8311e382-0749-4cb8-b61a-304f252e45ec", "AcrPush", &["Microsoft.ContainerRegistry/registries/push/write"], &[]),
    ("39bc4728-0917-49c7-9d2c-d95423bc2eb4", "Security Reader", &["Microsoft.Security/*/read"], &[]),
    ("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", &["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"], &[]),
    ("4abbcc35-e782-43d8-92c5-2d3f1bd2253f", "Azure Kubernetes Service Cluster User Role", &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"], &[]),
    ("befefa01-2a29-4197-83a8-272ff33ce314", "DNS Zone Contributor", &["Microsoft.Network/dnsZones/*"], &[]),
    ("9b7fa17d-e63e-47b0-bb0a-15c516ac86ec", "SQL DB Contributor", &["Microsoft.Sql/servers/databases/*"], &[]),
    ("de139f84-1756-47ae-9be6-808fbbe84772", "Website Contributor", &["Microsoft.Web/sites/*"], &[]),
    ("5e467623-bb1f-42f4-a55d-6e525e11384b", "Backup Contributor", &["Microsoft.RecoveryServices/Vaults/*"], &[]),
    ("72fafb9e-0641-4937-9268-a91bfd8191a3", "Cost Management Reader", &["Microsoft.CostManagement/*/read"], &[]),
];
/// Custom roles: name and actions; each may be given in one subscription.
const CUSTOM: [(&str, &[&str]); 3] = [
    (
        "VM Operator (custom)",
        &[
            "Microsoft.Compute/virtualMachines/start/action",
            "Microsoft.Compute/virtualMachines/restart/action",
        ],
    ),
    (
        "Network Peering Manager",
        &[
            "Microsoft.Network/virtualNetworks/peer/action",
            "Microsoft.Network/virtualNetworks/read",
        ],
    ),
    ("Deployment Reader", &["Microsoft.Resources/deployments/read"]),
];
/// Tries to find a scope that exists before the subscription is taken.
const SCOPE_TRIES: u64 = 4;

/// How many definitions there are.
pub(crate) fn definitions(world: &SeededWorld) -> usize {
    BUILT_IN.len() + CUSTOM.len().min(world.sizes().subscriptions)
}

/// Definition `index`, built-in ones first.
pub(crate) fn definition(world: &SeededWorld, index: usize) -> Option<Value> {
    let (id, name, properties) = match BUILT_IN.get(index) {
        Some((guid, name, actions, data)) => {
            let not: &[&str] = if *name == "Contributor" {
                &[
                    "Microsoft.Authorization/*/Delete",
                    "Microsoft.Authorization/*/Write",
                    "Microsoft.Authorization/elevateAccess/Action",
                ]
            } else {
                &[]
            };
            let properties = json!({
                "roleName": name, "type": "BuiltInRole", "description": format!("Built-in role {name}."), "assignableScopes": ["/"],
                "permissions": [{"actions": actions, "notActions": not, "dataActions": data, "notDataActions": []}],
                "createdOn": "2015-02-02T21:55:09.8806423Z", "updatedOn": "2023-08-10T02:00:38.7250000Z",
                "createdBy": null, "updatedBy": null, "isServiceRole": false,
            });
            (
                format!("/providers/Microsoft.Authorization/RoleDefinitions/{guid}"),
                (*guid).to_owned(),
                properties,
            )
        }
        None => custom(world, index - BUILT_IN.len())?,
    };
    Some(row(
        world,
        &id,
        &name,
        "Microsoft.Authorization/roleDefinitions",
        properties,
    ))
}

fn custom(world: &SeededWorld, number: usize) -> Option<(String, String, Value)> {
    let (name, actions) = CUSTOM.get(number)?;
    let scope = format!("/subscriptions/{}", world.subscription_guid(number));
    let guid = encode(world.seed(), Kind::CustomRole, number).to_string();
    let properties = json!({
        "roleName": name, "type": "CustomRole", "description": "Made by the platform team.", "assignableScopes": [scope],
        "permissions": [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}],
        "createdOn": "2024-03-11T09:14:22.1180000Z", "updatedOn": "2024-03-11T09:14:22.1180000Z",
        "createdBy": user_id(world, number), "updatedBy": user_id(world, number), "isServiceRole": false,
    });
    Some((
        format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}"),
        guid,
        properties,
    ))
}

/// Assignment `index`; `None` for the one that a planted change removes.
pub(crate) fn assignment(world: &SeededWorld, index: usize) -> Option<Value> {
    if world.planted() && index == changes::REMOVED_ASSIGNMENT {
        return None;
    }
    assignment_always(world, index)
}

/// Assignment `index`, removed or not.
pub(crate) fn assignment_always(world: &SeededWorld, index: usize) -> Option<Value> {
    let (scope, subscription) = scope(world, index);
    let (principal, kind) = principal(world, index);
    let role = match number(world, "custom role", index) % 25 {
        // A custom role exists in its own subscription only.
        0 if subscription.is_some_and(|at| at < CUSTOM.len()) => custom(world, subscription?)?.1,
        _ => BUILT_IN.get(role_index(number(world, "role", index)))?.0.to_owned(),
    };
    let role_scope = subscription.map_or_else(String::new, |at| {
        format!("/subscriptions/{}", world.subscription_guid(at))
    });
    let name = encode(world.seed(), Kind::Assignment, index).to_string();
    let prefix = if scope == "/" { "" } else { scope.as_str() };
    let conditional = number(world, "condition", index).is_multiple_of(30);
    let condition = "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'reports'))";
    let properties = json!({
        "scope": scope,
        "roleDefinitionId": format!("{role_scope}/providers/Microsoft.Authorization/RoleDefinitions/{role}"),
        "principalId": principal, "principalType": kind,
        "condition": conditional.then_some(condition), "conditionVersion": conditional.then_some("2.0"), "description": null,
        "createdOn": "2024-05-21T13:02:11.4470000Z", "updatedOn": "2024-05-21T13:02:11.4470000Z",
        "createdBy": user_id(world, index), "updatedBy": user_id(world, index), "delegatedManagedIdentityResourceId": null,
    });
    let id = format!("{prefix}/providers/Microsoft.Authorization/roleAssignments/{name}");
    Some(row(
        world,
        &id,
        &name,
        "Microsoft.Authorization/roleAssignments",
        properties,
    ))
}

/// Reader and Contributor are the most given.
fn role_index(number: u64) -> usize {
    seeded::narrow(match number % 10 {
        0..3 => 2,
        3..5 => 1,
        5 => 0,
        _ => number / 10 % seeded::wide(BUILT_IN.len()),
    })
}

/// The scope of an assignment, and the subscription it is in.
fn scope(world: &SeededWorld, index: usize) -> (String, Option<usize>) {
    let number = |label: &str| number(world, label, index);
    let kind = number("scope kind") % 100;
    if index == 0 {
        return ("/".to_owned(), None);
    }
    if kind < 5 {
        let at = number("management") % seeded::wide(containers::MANAGEMENT_GROUPS.len());
        let name = containers::management_name(world, seeded::narrow(at));
        return (format!("/providers/Microsoft.Management/managementGroups/{name}"), None);
    }
    for attempt in 0..SCOPE_TRIES {
        if (25..55).contains(&kind) {
            let groups = seeded::wide(world.sizes().resource_groups).max(1);
            let group = seeded::narrow(number(&format!("group{attempt}")) % groups);
            if group < world.sizes().resource_groups && !changes::is_removed_group(world, group) {
                let subscription = shape::subscription_of_block(group / PLAN.stamps.len());
                return (world.group_id(group), Some(subscription));
            }
        } else if kind >= 55 {
            let rows = seeded::wide(world.resources()).max(1);
            let cx = world.cx_of_row(seeded::narrow(number(&format!("row{attempt}")) % rows));
            // Role assignments stand on top-level resources that stay where they are.
            let fit = |cx: &Cx<'_>| cx.slot.row.arm.split('/').count() == 2 && !changes::is_untouchable(cx);
            if let Some(cx) = cx.filter(|cx| world.resources() > 0 && fit(cx)) {
                return (changes::usual_id(&cx), Some(shape::subscription_of_block(cx.block)));
            }
        }
    }
    let subscription = seeded::narrow(number("subscription") % seeded::wide(world.sizes().subscriptions));
    (
        format!("/subscriptions/{}", world.subscription_guid(subscription)),
        Some(subscription),
    )
}

fn principal(world: &SeededWorld, index: usize) -> (String, &'static str) {
    let number = |label: &str| number(world, label, index);
    let (kind, name, count) = match number("principal kind") % 10 {
        0..3 => (Kind::User, "User", world.users()),
        3..6 => (Kind::Group, "Group", world.groups()),
        _ => (Kind::Principal, "ServicePrincipal", world.sizes().principals),
    };
    let at = number("principal").checked_rem(seeded::wide(count)).unwrap_or(0);
    (encode(world.seed(), kind, seeded::narrow(at)).to_string(), name)
}

fn user_id(world: &SeededWorld, index: usize) -> String {
    let at = number(world, "author", index)
        .checked_rem(seeded::wide(world.users()))
        .unwrap_or(0);
    encode(world.seed(), Kind::User, seeded::narrow(at)).to_string()
}

/// How many deny assignments there are: one per group that a Databricks workspace made.
pub(crate) fn denials(world: &SeededWorld) -> usize {
    let slot = PLAN
        .slot_of(PLAN.stamp_of("analytics"), DATABRICKS, 0)
        .unwrap_or(usize::MAX);
    let (whole, rest) = (
        world.resources() / PLAN.slots.len(),
        world.resources() % PLAN.slots.len(),
    );
    whole + usize::from(rest > slot)
}

/// Deny assignment `index`.
pub(crate) fn denial(world: &SeededWorld, index: usize) -> Option<Value> {
    let group = index * PLAN.stamps.len() + PLAN.stamp_of("databricks");
    let scope = world.group_id(group);
    let name = seeded::uuid(world.seed(), &format!("deny{index}"));
    let databricks = encode(world.seed(), Kind::Principal, 3).to_string();
    // The workspace's group is written to by the platform alone.
    let factory = PLAN
        .slot_of(PLAN.stamp_of("analytics"), FACTORY, 0)
        .and_then(|at| world.cx(index, at))?;
    let properties = json!({
        "denyAssignmentName": "System deny assignment created by Azure Databricks", "description": "Protects managed resources",
        "permissions": [{"actions": ["*"], "notActions": ["*/read"], "dataActions": [], "notDataActions": []}],
        "scope": scope, "doNotApplyToChildScopes": false, "isSystemProtected": true,
        "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
        "excludePrincipals": [
            {"id": databricks, "type": "ServicePrincipal"},
            {"id": factory.principal(), "type": "ServicePrincipal"},
        ],
    });
    let id = format!("{scope}/providers/Microsoft.Authorization/denyAssignments/{name}");
    Some(row(
        world,
        &id,
        &name,
        "Microsoft.Authorization/denyAssignments",
        properties,
    ))
}

/// A definition or assignment by the last two segments of its id, in lower case.
pub(crate) fn by_name(world: &SeededWorld, kind: &str, name: &str) -> Option<Value> {
    match (kind, decode(world.seed(), name)) {
        ("roleassignments", Some((Kind::Assignment, index))) => {
            let rows = world.sizes().assignments + usize::from(world.planted());
            (index < rows).then(|| assignment(world, index)).flatten()
        }
        ("roledefinitions", Some((Kind::CustomRole, index))) => definition(world, BUILT_IN.len() + index),
        ("roledefinitions", _) => definition(world, BUILT_IN.iter().position(|role| role.0 == name)?),
        _ => None,
    }
}

fn row(world: &SeededWorld, id: &str, name: &str, arm: &str, properties: Value) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), Value::String(id.to_owned()));
    row.insert("name".to_owned(), Value::String(name.to_owned()));
    row.insert("type".to_owned(), Value::String(arm.to_owned()));
    row.insert("tenantId".to_owned(), Value::String(world.tenant_text()));
    row.insert("properties".to_owned(), properties);
    row.insert("apiVersion".to_owned(), Value::String("2022-04-01".to_owned()));
    if let Some(rest) = id.strip_prefix("/subscriptions/") {
        let guid = rest.split('/').next().unwrap_or_default();
        row.insert("subscriptionId".to_owned(), Value::String(guid.to_owned()));
    }
    shape::fill(&mut row);
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assignment_names_a_definition_and_a_scope_that_exist() {
        use crate::world::{Table, World};
        let world = SeededWorld::new(7, 1_000);
        for index in 0..world.len(Table::RoleAssignments) {
            let row = world.row(Table::RoleAssignments, index).unwrap();
            let properties = &row["properties"];
            for id in [
                properties["roleDefinitionId"].as_str().unwrap(),
                row["id"].as_str().unwrap(),
            ] {
                assert!(world.resource(&id.to_lowercase()).is_some(), "{id}");
            }
            let scope = properties["scope"].as_str().unwrap();
            assert!(
                scope == "/" || world.resource(&scope.to_lowercase()).is_some(),
                "{scope}"
            );
            assert!(decode(7, properties["principalId"].as_str().unwrap()).is_some());
        }
    }
}
