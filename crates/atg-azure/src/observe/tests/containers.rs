//! Tenant, management groups, subscriptions, groups; look-ups and what answers them.

use serde_json::json;

use super::{TENANT, aliases, edges, in_group, lookups, observe, resource};

#[test]
fn the_hierarchy_hangs_together() {
    let group = |name: &str, parent: Option<&str>| {
        let parent =
            parent.map(|name| json!({"id": format!("/providers/Microsoft.Management/managementGroups/{name}")}));
        json!({"id": format!("/providers/Microsoft.Management/managementGroups/{name}"), "properties": {"details": {"parent": parent}}})
    };
    let below = json!({"id": "/subscriptions/S", "name": "Shop",
        "properties": {"managementGroupAncestorsChain": [{"name": "Leaf"}, {"name": "root"}]}});
    let alone = json!({"id": "/subscriptions/t", "displayName": "Test"});
    let resources =
        json!({"id": "/subscriptions/S/resourceGroups/G", "type": "microsoft.resources/subscriptions/resourcegroups"});
    let rows = [
        group("root", None),
        group("Leaf", Some("root")),
        below,
        alone,
        resources,
    ];
    let seen: Vec<_> = rows.iter().flat_map(observe).collect();
    assert_eq!(
        edges(&seen),
        [
            "managementgroups/leaf -CONTAINS-> subscriptions/s".to_owned(),
            "managementgroups/root -CONTAINS-> managementgroups/leaf".to_owned(),
            "subscriptions/s -CONTAINS-> resourcegroups/g".to_owned(),
            format!("tenant:{TENANT} -CONTAINS-> managementgroups/root"),
            format!("tenant:{TENANT} -CONTAINS-> subscriptions/t"),
        ]
    );
    let names: Vec<_> = seen.iter().map(|seen| seen.node.name.as_str()).collect();
    assert_eq!(names, ["root", "Leaf", "Shop", "Test", "G"]);
}

#[test]
fn every_node_has_one_holder() {
    let rows = [
        json!({"id": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"}),
        json!({"id": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"}),
    ];
    for row in rows {
        assert_eq!(
            edges(&observe(&row)),
            [format!(
                "tenant:{TENANT} -CONTAINS-> roledefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
            )]
        );
    }
}

#[test]
fn hosts_answer_each_other() {
    let vault = observe(&resource(
        "Microsoft.KeyVault/vaults",
        "v",
        &json!({"vaultUri": "https://V.vault.azure.net/"}),
    ));
    let set = json!({"activeKey": {"keyUrl": "https://v.vault.azure.net/keys/k/1"}});
    let set = observe(&resource("Microsoft.Compute/diskEncryptionSets", "d", &set));
    assert_eq!(aliases(&vault), ["host v.vault.azure.net"]);
    assert_eq!(lookups(&set), ["ENCRYPTED_BY host v.vault.azure.net"]);
    assert_eq!(
        serde_json::Value::Object(set[0].lookups[0].properties.clone()),
        json!({"key_name": "k", "key_version": "1"})
    );
}

#[test]
fn names_are_looked_up_where_they_are_unique() {
    let queue = |name: &str, properties: serde_json::Value| {
        let id = in_group(&format!("Microsoft.ServiceBus/namespaces/n/queues/{name}"));
        observe(&json!({"id": id, "properties": properties}))
    };
    let published = aliases(&queue("q", json!({})));
    let asked = lookups(&queue("p", json!({"forwardTo": "Q"})));
    assert_eq!(asked, [format!("FORWARDS_TO {}", published[0])]);
    let schedule = json!({"id": in_group("Microsoft.Automation/automationAccounts/a/jobSchedules/j"),
        "properties": {"runbook": {"name": "Clean"}}});
    assert!(edges(&observe(&schedule)).contains(&"jobschedules/j -USES-> runbooks/clean".to_owned()));
    let cluster = json!({"nodeResourceGroup": "MC_x"});
    let cluster = observe(&resource("Microsoft.ContainerService/managedClusters", "k", &cluster));
    assert!(edges(&cluster).contains(&"resourcegroups/mc_x -MANAGED_BY-> managedclusters/k".to_owned()));
}

#[test]
fn issuers_are_clusters_or_outside() {
    let credential = |issuer: &str| {
        observe(
            &json!({"id": in_group("Microsoft.ManagedIdentity/userAssignedIdentities/i/federatedIdentityCredentials/f"),
            "properties": {"issuer": issuer}}),
        )
    };
    let outside = edges(&credential("https://token.actions.githubusercontent.com"));
    let drawn = "userassignedidentities/i -TRUSTS-> issuer:https://token.actions.githubusercontent.com".to_owned();
    assert!(outside.contains(&drawn), "{outside:?}");
    let issuer = "https://westeurope.oic.prod-aks.azure.com/t/g/";
    let cluster = json!({"oidcIssuerProfile": {"issuerURL": issuer}});
    let published = aliases(&observe(&resource(
        "Microsoft.ContainerService/managedClusters",
        "k",
        &cluster,
    )));
    assert_eq!(lookups(&credential(issuer)), [format!("TRUSTS {}", published[0])]);
}

#[test]
fn words_and_blanks_make_no_edge() {
    let seen = observe(&resource(
        "Microsoft.ContainerService/managedClusters",
        "k",
        &json!({"servicePrincipalProfile": {"clientId": "msi"}, "nodeResourceGroup": "", "x": {"id": "", "networkId": null}}),
    ));
    assert_eq!(edges(&seen), ["resourcegroups/g -CONTAINS-> managedclusters/k"]);
    assert!(lookups(&seen).is_empty());
}
