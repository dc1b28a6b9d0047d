//! The list of resource providers with their types and api-versions, and the regions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::list;
use crate::call::{Call, Reply};
use crate::sim::Sim;

/// `GET /providers` and `GET /subscriptions/{id}/providers`.
pub(crate) fn all(sim: &Sim, call: &Call) -> Reply {
    list::reply(sim, call, namespaces(sim, call).into_values().collect())
}

/// One namespace.
pub(crate) fn one(sim: &Sim, call: &Call, namespace: &str) -> Reply {
    let found = namespaces(sim, call).remove(namespace);
    found.map_or_else(
        || {
            let text = format!("The resource namespace '{namespace}' is invalid.");
            Reply::error(404, "InvalidResourceNamespace", &text)
        },
        Reply::ok,
    )
}

/// `GET /subscriptions/{id}/locations`.
pub(crate) fn locations(sim: &Sim, own: &str) -> Reply {
    let _ = sim;
    let regions = [
        ("westeurope", "West Europe"),
        ("northeurope", "North Europe"),
        ("germanywestcentral", "Germany West Central"),
        ("eastus", "East US"),
        ("eastus2", "East US 2"),
        ("westus2", "West US 2"),
        ("uksouth", "UK South"),
        ("swedencentral", "Sweden Central"),
    ];
    let regions = regions.map(|(name, display)| {
        json!({"id": format!("/subscriptions/{own}/locations/{name}"), "name": name, "type": "Region", "displayName": display, "regionalDisplayName": display, "metadata": {"regionType": "Physical", "regionCategory": "Recommended"}})
    });
    Reply::ok(json!({"value": regions}))
}

fn namespaces(sim: &Sim, call: &Call) -> BTreeMap<String, Value> {
    let prefix = call
        .path
        .to_ascii_lowercase()
        .split_once("/providers")
        .map(|(before, _)| before.to_owned())
        .unwrap_or_default();
    let mut by_namespace: BTreeMap<String, (String, Vec<Value>)> = BTreeMap::new();
    for (kind, versions) in sim.world.types() {
        let Some((namespace, rest)) = kind.split_once('/') else {
            continue;
        };
        let entry = by_namespace
            .entry(namespace.to_ascii_lowercase())
            .or_insert_with(|| (namespace.to_owned(), Vec::new()));
        let stable = versions.iter().find(|version| !version.ends_with("preview"));
        entry.1.push(json!({
            "resourceType": rest,
            "locations": ["West Europe", "North Europe", "Germany West Central", "East US"],
            "apiVersions": versions,
            "defaultApiVersion": stable.or_else(|| versions.first()),
            "capabilities": "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation",
        }));
    }
    by_namespace
        .into_iter()
        .map(|(key, (namespace, types))| {
            let body = json!({
                "id": format!("{prefix}/providers/{namespace}"),
                "namespace": namespace,
                "resourceTypes": types,
                "registrationState": "Registered",
                "registrationPolicy": "RegistrationRequired",
            });
            (key, body)
        })
        .collect()
}
