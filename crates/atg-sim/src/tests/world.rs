//! A literal world: two subscriptions, a few resources, a small directory.

use std::sync::atomic::{AtomicBool, Ordering};

use atg_models::TenantId;
use serde_json::{Value, json};

use crate::world::{Listing, PlantedChanges, Table, World};

pub(super) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const SUB_A: &str = "aaaaaaaa-0000-0000-0000-000000000001";
pub(super) const SUB_B: &str = "bbbbbbbb-0000-0000-0000-000000000002";

/// `vnets` virtual networks in each subscription, `users` users.
pub(super) struct Literal {
    pub(super) vnets: usize,
    pub(super) users: usize,
    pub(super) changed: AtomicBool,
}

impl Literal {
    fn vnet(&self, index: usize) -> Option<Value> {
        if index == 0 && self.changed.load(Ordering::Relaxed) {
            return None;
        }
        let sub = if index.is_multiple_of(2) { SUB_A } else { SUB_B };
        let id = format!(
            "/subscriptions/{sub}/resourceGroups/Net-RG/providers/Microsoft.Network/virtualNetworks/vnet-{index:05}"
        );
        Some(json!({
            "id": id, "name": format!("vnet-{index:05}"), "type": "Microsoft.Network/virtualNetworks",
            "tenantId": TENANT, "kind": "", "location": "westeurope", "resourceGroup": "Net-RG",
            "subscriptionId": sub, "managedBy": "", "sku": null, "plan": null,
            "tags": {"env": if index.is_multiple_of(3) { "Prod" } else { "dev" }},
            "identity": null, "zones": null, "extendedLocation": null, "apiVersion": "2024-05-01",
            "properties": {"subnets": [{"id": format!("{id}/subnets/default"), "name": "default", "properties": {}}]},
        }))
    }
}

impl World for Literal {
    fn tenant_id(&self) -> TenantId {
        TENANT.parse().unwrap()
    }

    fn domain(&self) -> String {
        "contoso.onmicrosoft.com".to_owned()
    }

    fn len(&self, table: Table) -> usize {
        match table {
            Table::Subscriptions | Table::ResourceGroups => 2,
            Table::ManagementGroups | Table::RoleAssignments | Table::RoleDefinitions | Table::Groups => 1,
            Table::Resources => self.vnets * 2,
            Table::Users => self.users,
            Table::DenyAssignments
            | Table::ServicePrincipals
            | Table::Applications
            | Table::DirectoryRoles
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => 0,
        }
    }

    fn row(&self, table: Table, index: usize) -> Option<Value> {
        let sub = if index == 0 { SUB_A } else { SUB_B };
        match table {
            _ if index >= self.len(table) => None,
            Table::Resources => self.vnet(index),
            Table::ManagementGroups => Some(json!({
                "id": "/providers/Microsoft.Management/managementGroups/root", "name": "root",
                "type": "microsoft.management/managementgroups", "tenantId": TENANT, "properties": {"displayName": "Root"},
            })),
            Table::Subscriptions => Some(json!({
                "id": format!("/subscriptions/{sub}"), "name": format!("Sub {index}"), "tenantId": TENANT,
                "type": "microsoft.resources/subscriptions", "subscriptionId": sub,
                "properties": {"state": "Enabled", "managementGroupAncestorsChain": if index == 0 { json!([{"name": "root"}]) } else { json!([]) }},
            })),
            Table::ResourceGroups => Some(json!({
                "id": format!("/subscriptions/{sub}/resourceGroups/Net-RG"), "name": "Net-RG", "tenantId": TENANT,
                "type": "microsoft.resources/subscriptions/resourcegroups", "subscriptionId": sub,
                "location": "westeurope", "resourceGroup": "Net-RG", "tags": null, "properties": {"provisioningState": "Succeeded"},
            })),
            Table::RoleAssignments => Some(json!({
                "id": format!("/subscriptions/{SUB_A}/providers/Microsoft.Authorization/roleAssignments/1"), "name": "1",
                "type": "Microsoft.Authorization/roleAssignments", "tenantId": TENANT,
                "properties": {"scope": format!("/subscriptions/{SUB_A}"), "principalId": user_id(0)},
            })),
            Table::RoleDefinitions => Some(json!({
                "id": format!("/subscriptions/{SUB_A}/providers/Microsoft.Authorization/roleDefinitions/reader"), "name": "reader",
                "type": "Microsoft.Authorization/roleDefinitions", "tenantId": TENANT, "properties": {"assignableScopes": ["/"]},
            })),
            Table::Groups => Some(json!({"id": group_id(), "displayName": "All"})),
            Table::Users => Some(json!({
                "id": user_id(index), "displayName": format!("User {index}"), "userPrincipalName": format!("u{index}@contoso.com"),
                "accountEnabled": true, "department": "Sales",
            })),
            Table::DenyAssignments
            | Table::ServicePrincipals
            | Table::Applications
            | Table::DirectoryRoles
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => None,
        }
    }

    fn subscription_of(&self, table: Table, index: usize) -> Option<String> {
        let id = self.row(table, index)?.get("id")?.as_str()?.to_lowercase();
        id.split('/').nth(2).map(str::to_owned)
    }

    fn resource(&self, id_lower: &str) -> Option<Value> {
        [Table::Resources, Table::ResourceGroups].into_iter().find_map(|table| {
            (0..self.len(table))
                .filter_map(|index| self.row(table, index))
                .find(|row| row["id"].as_str().unwrap().eq_ignore_ascii_case(id_lower))
        })
    }

    fn listing(&self, listing: Listing, object_id: &str) -> Vec<Value> {
        if listing == Listing::GroupMembers && object_id == group_id() {
            return (0..self.users)
                .map(|index| json!({"@odata.type": "#microsoft.graph.user", "id": user_id(index)}))
                .collect();
        }
        Vec::new()
    }

    fn types(&self) -> Vec<(String, Vec<String>)> {
        vec![(
            "Microsoft.Network/virtualNetworks".to_owned(),
            vec!["2025-01-01-preview".to_owned(), "2024-05-01".to_owned()],
        )]
    }

    fn plant_changes(&self) -> PlantedChanges {
        self.changed.store(true, Ordering::Relaxed);
        let removed = format!(
            "/subscriptions/{SUB_A}/resourcegroups/net-rg/providers/microsoft.network/virtualnetworks/vnet-00000"
        );
        PlantedChanges {
            removed: vec![removed],
            ..PlantedChanges::default()
        }
    }
}

pub(super) fn user_id(index: usize) -> String {
    format!("00000000-0000-0000-0001-{index:012}")
}

pub(super) fn group_id() -> &'static str {
    "00000000-0000-0000-0002-000000000000"
}
