//! Rows as they are served: what is kept, what is refused.

use atg_models::graph::{NodeKind, Source};
use serde_json::{Value, json};

use super::{TENANT, context, edges, observe};
use crate::observe::{RowError, arm_row, rederive, tenant_node};

#[test]
fn a_card_in_a_group() {
    let seen = observe(&json!({
        "id": "/subscriptions/S1/resourcegroups/Web/providers/Microsoft.Network/networkInterfaces/Card",
        "name": "Card", "type": "microsoft.network/networkinterfaces", "location": "West Europe",
        "tags": {"Env": "Prod"}, "kind": null, "tenantId": TENANT, "subscriptionId": "S1", "resourceGroup": "web",
        "properties": {
            "x": null,
            "networkSecurityGroup": {"id": "/subscriptions/s1/resourceGroups/web/providers/microsoft.network/networksecuritygroups/Guard"},
            "virtualMachine": {"id": "/subscriptions/s1/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/vm"},
            "extra": ["subscriptions/s1/resourceGroups/other/"],
            "ipConfigurations": [{
                "id": "/subscriptions/S1/resourcegroups/Web/providers/Microsoft.Network/networkInterfaces/Card/ipConfigurations/a",
                "properties": {
                    "subnet": {"id": "/subscriptions/s1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/Default"},
                    "loadBalancerBackendAddressPools": [{"id": "/subscriptions/s1/resourceGroups/net/providers/Microsoft.Network/loadBalancers/lb/backendAddressPools/p"}],
                }}]
        }
    }));
    assert_eq!(
        edges(&seen),
        [
            "loadbalancers/lb -FORWARDS_TO-> networkinterfaces/card",
            "networkinterfaces/card -CONNECTED_TO-> subnets/default",
            "networkinterfaces/card -LOCATED_IN-> region:westeurope",
            "networkinterfaces/card -REFERENCES-> resourcegroups/other",
            "networkinterfaces/card -SECURED_BY-> networksecuritygroups/guard",
            "networkinterfaces/card -TAGGED_WITH-> tag:env=Prod",
            "resourcegroups/web -CONTAINS-> networkinterfaces/card",
            "virtualmachines/vm -USES-> networkinterfaces/card",
        ]
    );
    let node = &seen[0].node;
    assert_eq!(
        (node.subscription_id.as_deref(), node.resource_group.as_deref()),
        (Some("s1"), Some("web"))
    );
    assert_eq!(
        (node.location.as_deref(), node.name.as_str()),
        (Some("westeurope"), "Card")
    );
    let body = node.body.as_ref().unwrap();
    assert_eq!(body["properties"]["x"], Value::Null, "an explicit null inside stays");
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(!names.contains(&"kind") && !names.contains(&"tenantId") && !names.contains(&"resourceGroup"));
}

#[test]
fn arm_answers_are_kept_as_they_are() {
    let row = json!({"id": "/subscriptions/s/providers/Microsoft.X/y/z", "kind": null, "tenantId": "t", "etag": "1"});
    let seen = arm_row(&row, &context(Source::Arm)).unwrap();
    assert_eq!(seen[0].node.body.as_ref(), Some(&row));
}

#[test]
fn rows_that_name_nothing_or_are_of_others_are_refused() {
    let refuse = |row: Value| arm_row(&row, &context(Source::Arg)).unwrap_err();
    assert_eq!(refuse(json!([])), RowError::NotAnObject);
    let other = json!({"id": "/subscriptions/s", "tenantId": "22222222-2222-2222-2222-222222222222"});
    assert_eq!(refuse(other), RowError::OtherTenant);
    for row in [
        json!({}),
        json!({"id": 7}),
        json!({"id": ""}),
        json!({"id": "/subscriptions/s/providers/Microsoft.X/ys"}),
    ] {
        assert!(matches!(refuse(row.clone()), RowError::NoId { .. }), "{row}");
    }
}

#[test]
fn secrets_are_gone_before_anything_is_derived() {
    let seen = observe(&super::resource(
        "Microsoft.Web/sites",
        "a",
        &json!({"siteConfig": {"connectionStrings": [{"name": "x", "connectionString":
            "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MDEyMw=="}]}}),
    ));
    let printed = serde_json::to_string(&seen).unwrap();
    assert!(!printed.contains("c2VjcmV0"), "{printed}");
}

#[test]
fn a_stored_body_says_again_what_it_said() {
    let seen = observe(&super::resource(
        "Microsoft.Network/virtualNetworks",
        "v",
        &json!({"subnets": [{"name": "a", "properties": {"routeTable": {"id": super::in_group("Microsoft.Network/routeTables/t")}}}]}),
    ));
    assert_eq!(seen.len(), 2);
    for observation in &seen {
        assert_eq!(&rederive(&observation.node), observation);
    }
}

#[test]
fn the_tenant_has_a_node() {
    let seen = tenant_node(Some(&json!({"displayName": "Contoso"})), &context(Source::Arm));
    assert_eq!((seen.node.kind, seen.node.name.as_str()), (NodeKind::Tenant, "Contoso"));
    assert_eq!(seen.node.id.as_str(), format!("tenant:{TENANT}"));
    assert_eq!(rederive(&seen.node), seen);
}
