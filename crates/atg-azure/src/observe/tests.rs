//! Small worlds, one per family of relations.

use atg_models::TenantId;
use atg_models::graph::{CollectionKey, Observation, Source};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Context, arm_row};

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";

pub(crate) fn observe(row: &Value) -> Vec<Observation> {
    arm_row(row, &context(Source::Arg)).unwrap_or_else(|error| panic!("{error}: {row}"))
}

pub(crate) fn context(source: Source) -> Context<'static> {
    Context {
        tenant: TENANT.parse::<TenantId>().unwrap(),
        source,
        observed_at: OffsetDateTime::UNIX_EPOCH,
        owner: &|owned| {
            Some(CollectionKey::new(
                "arg.resources",
                owned.subscription_id.unwrap_or(TENANT),
            ))
        },
        api_version: &|_| Some("2024-01-01".to_owned()),
    }
}

/// Edges as `source -RELATION-> target`, ids cut to their last two segments.
pub(crate) fn edges(observations: &[Observation]) -> Vec<String> {
    let short = |id: &str| {
        if id.starts_with('/') {
            let mut tail: Vec<_> = id.rsplit('/').take(2).collect();
            tail.reverse();
            tail.join("/")
        } else {
            id.to_owned()
        }
    };
    let all = observations.iter().flat_map(|observation| &observation.edges);
    let mut lines: Vec<_> = all
        .map(|edge| {
            let (source, target) = (short(edge.source.id.as_str()), short(edge.target.id.as_str()));
            format!("{source} -{}-> {target}", edge.relation.as_str())
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

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
