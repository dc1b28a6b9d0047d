//! Key vaults and managed identities.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{TypeRow, UAI, VAULT, VNET};

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: VAULT,
        versions: &["2026-02-01", "2024-11-01", "2023-07-01"],
        name: |c| c.name("kv"),
        body: vault,
    },
    TypeRow {
        arm: UAI,
        versions: &["2024-11-30", "2023-01-31"],
        name: |c| c.name("id"),
        body: identity,
    },
];

fn vault(c: &Cx<'_>) -> Value {
    let roles = c.one_of("rbac", 2) == 0;
    let policy = |object: String, secrets: &[&str], keys: &[&str]| json!({"tenantId": c.tenant(), "objectId": object, "permissions": {"keys": keys, "secrets": secrets, "certificates": []}});
    let mut policies = Vec::new();
    if !roles {
        policies.push(policy(
            c.directory_group("admins"),
            &["Get", "List", "Set", "Delete"],
            &["Get", "List", "Create"],
        ));
        policies.push(policy(c.user("owner"), &["Get", "List"], &[]));
        if let Some(identity) = c.sibling(UAI, 0).filter(Cx::exists) {
            policies.push(policy(identity.principal(), &["Get"], &["Get", "WrapKey", "UnwrapKey"]));
        }
    }
    let subnet = c.part(VNET, 0, "subnets/default");
    let closed = !subnet.is_null() && c.one_of("closed", 3) == 0;
    json!({"properties": {
        "sku": {"family": "A", "name": c.choose("sku", &["standard", "standard", "premium"])}, "tenantId": c.tenant(), "accessPolicies": policies,
        "enabledForDeployment": false, "enabledForDiskEncryption": true, "enabledForTemplateDeployment": false, "enableSoftDelete": true,
        "softDeleteRetentionInDays": 90, "enableRbacAuthorization": roles, "enablePurgeProtection": true,
        "vaultUri": format!("https://{}.vault.azure.net/", c.own_name().to_lowercase()), "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled",
        "networkAcls": {
            "bypass": "AzureServices", "defaultAction": if closed { "Deny" } else { "Allow" }, "ipRules": [{"value": "203.0.113.17/32"}],
            "virtualNetworkRules": if closed { json!([{"id": subnet, "ignoreMissingVnetServiceEndpoint": true}]) } else { json!([]) },
        },
    }})
}

fn identity(c: &Cx<'_>) -> Value {
    json!({"properties": {"tenantId": c.tenant(), "principalId": c.principal(), "clientId": c.client(), "isolationScope": "None"}})
}
