//! A tenant of many small subscriptions, the opposite of the seeded one: test input, not physics.
//!
//! Subscription `s` holds from one resource to twice the average, in one group, and up to two role
//! assignments. Bodies are of one sort; what matters is how many subscriptions they lie in.

use std::sync::atomic::{AtomicBool, Ordering};

use atg_models::TenantId;
use serde_json::{Value, json};

use super::codec::{self, Kind};
use super::{Listing, PlantedChanges, SnapshotError, SnapshotWorld, Table, World, shape};

const SEED: u64 = 0x3a11;
/// Role assignments of a subscription are as many as its number is beyond a multiple of this.
const ASSIGNMENTS: usize = 3;
/// Built-in role "Reader".
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// A tenant of many small subscriptions.
#[derive(Debug)]
pub struct ManyWorld {
    inside: SnapshotWorld,
    assignments: Vec<Value>,
    planted: AtomicBool,
}

impl ManyWorld {
    /// A tenant of so many subscriptions, with so many resources in each on average.
    pub fn new(subscriptions: usize, resources: usize) -> Result<Self, SnapshotError> {
        let ids: Vec<String> = (0..subscriptions).map(|at| guid(Kind::Subscription, at)).collect();
        let held = ids.iter().enumerate().map(|(at, id)| {
            let own = 1 + at * 7 % (2 * resources).max(1);
            (0..own).map(|number| account(at, id, number)).collect::<Vec<_>>()
        });
        let lines: Vec<String> = held
            .flatten()
            .map(|body| json!({"type": body.get("type"), "api_version": "2023-01-01", "body": body}).to_string())
            .collect();
        let inside = SnapshotWorld::from_text(&lines.join("\n"))?;
        let tenant = inside.tenant_id();
        let assigned = ids.iter().enumerate().flat_map(|(at, id)| {
            let own = at % ASSIGNMENTS;
            (0..own).map(move |number| assignment(tenant, id, at * ASSIGNMENTS + number))
        });
        Ok(Self {
            assignments: assigned.collect(),
            inside,
            planted: AtomicBool::new(false),
        })
    }

    /// What the planted change removes: a resource of a subscription in the middle.
    fn removed(&self) -> usize {
        self.inside.len(Table::Resources) / 2
    }
}

fn guid(kind: Kind, index: usize) -> String {
    codec::encode(SEED, kind, index).to_string()
}

fn account(at: usize, subscription: &str, number: usize) -> Value {
    let name = format!("st{at:05}x{number:04}");
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/rg-{at:05}/providers/Microsoft.Storage/storageAccounts/{name}"),
        "name": name, "type": "Microsoft.Storage/storageAccounts", "location": "westeurope", "kind": "StorageV2",
        "sku": {"name": "Standard_LRS", "tier": "Standard"}, "tags": {"number": number.to_string()},
        "properties": {"accessTier": "Hot", "supportsHttpsTrafficOnly": true, "provisioningState": "Succeeded"},
    })
}

fn assignment(tenant: TenantId, subscription: &str, number: usize) -> Value {
    let (scope, name) = (format!("/subscriptions/{subscription}"), guid(Kind::Assignment, number));
    let mut row = json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
        "type": "microsoft.authorization/roleassignments", "tenantId": tenant.to_string(), "subscriptionId": subscription,
        "properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/RoleDefinitions/{READER}"),
            "principalId": guid(Kind::User, number), "principalType": "User", "scope": scope,
        },
    });
    if let Some(row) = row.as_object_mut() {
        shape::fill(row);
    }
    row
}

impl World for ManyWorld {
    fn tenant_id(&self) -> TenantId {
        self.inside.tenant_id()
    }

    fn domain(&self) -> String {
        self.inside.domain()
    }

    fn len(&self, table: Table) -> usize {
        if table == Table::RoleAssignments {
            return self.assignments.len();
        }
        self.inside.len(table)
    }

    fn row(&self, table: Table, index: usize) -> Option<Value> {
        if table == Table::RoleAssignments {
            return self.assignments.get(index).cloned();
        }
        let gone = table == Table::Resources && index == self.removed() && self.planted.load(Ordering::Acquire);
        self.inside.row(table, index).filter(|_| !gone)
    }

    fn subscription_of(&self, table: Table, index: usize) -> Option<String> {
        self.inside.subscription_of(table, index)
    }

    fn resource(&self, id_lower: &str) -> Option<Value> {
        self.inside.resource(id_lower)
    }

    fn listing(&self, listing: Listing, object_id: &str) -> Vec<Value> {
        self.inside.listing(listing, object_id)
    }

    fn types(&self) -> Vec<(String, Vec<String>)> {
        self.inside.types()
    }

    fn plant_changes(&self) -> PlantedChanges {
        let id = |row: Value| Some(row.get("id")?.as_str()?.to_lowercase());
        let removed = self.inside.row(Table::Resources, self.removed()).and_then(id);
        self.planted.store(true, Ordering::Release);
        PlantedChanges {
            removed: removed.into_iter().collect(),
            ..PlantedChanges::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subscription_holds_something_and_all_differ() {
        let world = ManyWorld::new(30, 4).unwrap();
        assert_eq!(
            (world.len(Table::Subscriptions), world.len(Table::ResourceGroups)),
            (30, 30)
        );
        let all = world.len(Table::Resources);
        assert!((60..=240).contains(&all), "{all}");
        assert_eq!(world.len(Table::RoleAssignments), 30);
        let planted = world.plant_changes();
        let left = (0..all).filter_map(|index| world.row(Table::Resources, index)).count();
        assert_eq!((planted.removed.len(), left), (1, all - 1));
    }
}
