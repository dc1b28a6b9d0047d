//! Storage accounts.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{STORAGE, TypeRow, VNET};

pub(super) const ROWS: &[TypeRow] = &[TypeRow {
    arm: STORAGE,
    versions: &["2026-04-01", "2025-06-01", "2023-05-01"],
    name: |c| c.compact("st"),
    body: account,
}];

fn account(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    let lake = c.role() == "analytics";
    let subnet = c.part(VNET, 0, "subnets/default");
    let rules: Vec<Value> = if subnet.is_null() {
        Vec::new()
    } else {
        vec![json!({"id": subnet, "action": "Allow", "state": "Succeeded"})]
    };
    let closed = !rules.is_empty() && c.one_of("closed", 2) == 0;
    let key = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": c.time("created")});
    let mut endpoints = serde_json::Map::new();
    for service in ["blob", "dfs", "file", "queue", "table", "web"] {
        let host = if service == "web" { "z6.web" } else { service };
        endpoints.insert(
            service.to_owned(),
            json!(format!("https://{name}.{host}.core.windows.net/")),
        );
    }
    json!({
        "kind": "StorageV2",
        "sku": {"name": c.choose("sku", &["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_LRS"]), "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded", "creationTime": c.time("created"), "accessTier": "Hot", "isHnsEnabled": lake.then_some(true),
            "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": false, "allowSharedKeyAccess": true, "supportsHttpsTrafficOnly": true,
            "publicNetworkAccess": "Enabled", "allowCrossTenantReplication": false, "defaultToOAuthAuthentication": false,
            "keyCreationTime": {"key1": c.time("created"), "key2": c.time("created")},
            "networkAcls": {"bypass": "AzureServices", "virtualNetworkRules": rules, "ipRules": [], "defaultAction": if closed { "Deny" } else { "Allow" }},
            "encryption": {"services": {"file": key, "blob": key}, "keySource": "Microsoft.Storage"},
            "primaryEndpoints": endpoints, "primaryLocation": c.location(), "statusOfPrimary": "available", "privateEndpointConnections": [],
        },
    })
}
