//! Tenants, subscriptions, resource groups and management groups.

use serde_json::{Value, json};

use super::list;
use crate::call::{Call, Lane, Reply};
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::tables::{self, Entry, lower_field};
use crate::world::Table;

/// `GET /tenants`.
pub(crate) fn tenants(sim: &Sim, call: &Call) -> Reply {
    let tenant = sim.tenant();
    let domain = sim.world.domain();
    let body = json!({
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "tenantCategory": "Home",
        "countryCode": "DE",
        "displayName": domain.split('.').next().unwrap_or_default(),
        "defaultDomain": domain,
        "domains": [domain],
        "tenantType": "AAD",
    });
    list::reply(sim, call, vec![body])
}

/// `GET /subscriptions`, those of other tenants included.
pub(crate) fn subscriptions(sim: &Sim, call: &Call) -> Reply {
    let entries = sim.tables.get(sim, Table::Subscriptions);
    if entries.iter().any(|entry| entry.extra.is_some()) {
        sim.strikes(
            FaultKind::DelegatedSubscription,
            Lane::Arm,
            &call.path.to_ascii_lowercase(),
        );
    }
    list::entries(sim, call, entries.to_vec(), subscription_body)
}

/// `GET /subscriptions/{id}`.
pub(crate) fn subscription(sim: &Sim, call: &Call) -> Reply {
    let own = call.path.trim_end_matches('/').to_ascii_lowercase();
    let entries = sim.tables.get(sim, Table::Subscriptions);
    let found = entries
        .iter()
        .find(|entry| *entry.lower == *own)
        .and_then(|entry| subscription_body(sim, entry));
    found.map_or_else(|| subscription_not_found(&own), Reply::ok)
}

/// 404 for a subscription.
pub(crate) fn subscription_not_found(path: &str) -> Reply {
    let own = path.split('/').nth(2).unwrap_or_default();
    Reply::error(
        404,
        "SubscriptionNotFound",
        &format!("The subscription '{own}' could not be found."),
    )
}

/// `GET /subscriptions/{id}/resourcegroups`.
pub(crate) fn groups(sim: &Sim, call: &Call) -> Reply {
    let path = call.path.to_ascii_lowercase();
    let own = tables::subscription(&path).unwrap_or_default().to_owned();
    if !exists(sim, &own) {
        return subscription_not_found(&path);
    }
    let entries = sim.tables.get(sim, Table::ResourceGroups);
    let below = entries
        .iter()
        .filter(|entry| entry.subscription() == Some(own.as_str()));
    list::entries(sim, call, below.cloned().collect(), group_body)
}

/// Whether a subscription is listed.
pub(crate) fn exists(sim: &Sim, own: &str) -> bool {
    let entries = sim.tables.get(sim, Table::Subscriptions);
    entries.iter().any(|entry| entry.subscription() == Some(own))
}

/// A resource group as ARM shows it.
pub(crate) fn group_shape(sim: &Sim, row: &Value) -> Value {
    let body = json!({
        "id": row.get("id"),
        "name": row.get("name"),
        "type": "Microsoft.Resources/resourceGroups",
        "location": row.get("location"),
        "managedBy": row.get("managedBy"),
        "tags": row.get("tags"),
        "properties": {"provisioningState": "Succeeded"},
    });
    list::arm_body(sim, body)
}

fn group_body(sim: &Sim, entry: &Entry) -> Option<Value> {
    entry.row(sim).map(|row| group_shape(sim, &row))
}

fn subscription_body(sim: &Sim, entry: &Entry) -> Option<Value> {
    let row = entry.row(sim)?;
    let own = entry.subscription().unwrap_or_default();
    let tenant = row
        .get("tenantId")
        .and_then(Value::as_str)
        .map_or_else(|| sim.tenant(), str::to_owned);
    let managed = if tenant == sim.tenant() {
        json!([])
    } else {
        json!([{"tenantId": sim.tenant()}])
    };
    let policies = row.pointer("/properties/subscriptionPolicies").cloned();
    let default = json!({"locationPlacementId": "Public_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off"});
    let mut body = json!({
        "id": row.get("id"),
        "authorizationSource": "RoleBased",
        "managedByTenants": managed,
        "subscriptionId": own,
        "tenantId": tenant,
        "displayName": row.get("name"),
        "state": row.pointer("/properties/state").and_then(Value::as_str).unwrap_or("Enabled"),
        "subscriptionPolicies": policies.unwrap_or(default),
    });
    if let (Some(tags), Some(map)) = (row.get("tags").filter(|tags| !tags.is_null()), body.as_object_mut()) {
        map.insert("tags".to_owned(), tags.clone());
    }
    Some(list::recased(sim, body))
}

/// `GET /providers/Microsoft.Management/managementGroups`.
pub(crate) fn management_groups(sim: &Sim, call: &Call) -> Reply {
    let entries = sim.tables.get(sim, Table::ManagementGroups);
    list::entries(sim, call, entries.to_vec(), management_group_body)
}

/// `GET /providers/Microsoft.Management/managementGroups/{name}`.
pub(crate) fn management_group(sim: &Sim, call: &Call, name: &str) -> Reply {
    let entries = sim.tables.get(sim, Table::ManagementGroups);
    let found = entries.iter().find(|entry| last_segment(&entry.lower) == name);
    let body = found.and_then(|entry| {
        let row = entry.row(sim)?;
        let mut body = management_group_body(sim, entry)?;
        if let (Some(details), Some(map)) = (
            row.pointer("/properties/details"),
            body.pointer_mut("/properties").and_then(Value::as_object_mut),
        ) {
            map.insert("details".to_owned(), details.clone());
        }
        Some(body)
    });
    let _ = call;
    body.map_or_else(|| group_not_found(name), Reply::ok)
}

/// `GET …/{name}/descendants`: management groups and subscriptions below one.
pub(crate) fn descendants(sim: &Sim, call: &Call, name: &str) -> Reply {
    let groups = sim.tables.get(sim, Table::ManagementGroups);
    if !groups.iter().any(|entry| last_segment(&entry.lower) == name) {
        return group_not_found(name);
    }
    let subscriptions = sim.tables.get(sim, Table::Subscriptions);
    let below = groups.iter().chain(subscriptions.iter()).filter_map(|entry| {
        let row = entry.row(sim)?;
        let chain = ancestors(&row);
        if !chain.iter().any(|above| above == name) {
            return None;
        }
        let parent = chain.first().cloned().unwrap_or_default();
        let kind = if entry.table == Table::Subscriptions { "/subscriptions" } else { "Microsoft.Management/managementGroups" };
        Some(json!({
            "id": row.get("id"),
            "type": kind,
            "name": entry.subscription().map_or_else(|| row.get("name").cloned(), |own| Some(Value::String(own.to_owned()))),
            "properties": {
                "displayName": row.pointer("/properties/displayName").or_else(|| row.get("name")),
                "parent": {"id": format!("/providers/Microsoft.Management/managementGroups/{parent}")},
            },
        }))
    });
    list::reply(sim, call, below.collect())
}

/// The names of the management groups above a container, the nearest first.
fn ancestors(row: &Value) -> Vec<String> {
    let chain = row
        .pointer("/properties/managementGroupAncestorsChain")
        .or_else(|| row.pointer("/properties/details/managementGroupAncestorsChain"));
    let chain = chain.and_then(Value::as_array).cloned().unwrap_or_default();
    chain.iter().map(|above| lower_field(above, "name")).collect()
}

fn management_group_body(sim: &Sim, entry: &Entry) -> Option<Value> {
    let row = entry.row(sim)?;
    let body = json!({
        "id": row.get("id"),
        "type": "Microsoft.Management/managementGroups",
        "name": row.get("name"),
        "properties": {
            "tenantId": sim.tenant(),
            "displayName": row.pointer("/properties/displayName"),
        },
    });
    Some(list::recased(sim, body))
}

fn last_segment(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

fn group_not_found(name: &str) -> Reply {
    Reply::error(
        404,
        "NotFound",
        &format!("'/providers/Microsoft.Management/managementGroups/{name}' not found"),
    )
}
