//! Networks: inline children, parts, back references.

use atg_models::graph::Source;
use serde_json::json;

use super::{aliases, edges, in_group, lookups, observe, resource};

#[test]
fn subnets_are_nodes_made_from_their_network() {
    let seen = observe(&resource(
        "Microsoft.Network/virtualNetworks",
        "v",
        &json!({"subnets": [
            {"id": in_group("microsoft.network/virtualnetworks/V/subnets/A"), "name": "A", "properties": {
                "networkSecurityGroup": {"id": in_group("Microsoft.Network/networkSecurityGroups/n")},
                "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
                "ipConfigurations": [
                    {"id": in_group("Microsoft.Network/networkInterfaces/c/ipConfigurations/i")},
                    {"id": in_group("Microsoft.Network/virtualNetworkGateways/w/ipConfigurations/i")}]}},
            {"name": "b", "properties": {"addressPrefix": "10.0.1.0/24"}}]}),
    ));
    assert_eq!(
        edges(&seen),
        [
            "networkinterfaces/c -CONNECTED_TO-> subnets/a",
            "resourcegroups/g -CONTAINS-> virtualnetworks/v",
            "subnets/a -DELEGATED_TO-> type:microsoft.web/serverfarms",
            "subnets/a -SECURED_BY-> networksecuritygroups/n",
            "virtualnetworkgateways/w -USES_SUBNET-> subnets/a",
            "virtualnetworks/v -CONTAINS-> subnets/a",
            "virtualnetworks/v -CONTAINS-> subnets/b",
        ]
    );
    let ids: Vec<_> = seen
        .iter()
        .map(|seen| seen.node.id.as_str().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(ids, ["v", "a", "b"]);
    assert_eq!(
        (seen[1].node.source, seen[1].node.name.as_str()),
        (Source::Derived, "A")
    );
    assert_eq!(
        seen[2].node.body,
        Some(json!({"name": "b", "properties": {"addressPrefix": "10.0.1.0/24"}}))
    );
}

#[test]
fn a_balancer_does_not_refer_to_its_own_parts() {
    let part = |part: &str| json!({"id": in_group(&format!("Microsoft.Network/loadBalancers/l/{part}"))});
    let seen = observe(&resource(
        "Microsoft.Network/loadBalancers",
        "l",
        &json!({"loadBalancingRules": [{"id": part("loadBalancingRules/r")["id"], "properties": {
            "frontendIPConfiguration": part("frontendIPConfigurations/f"),
            "backendAddressPool": part("backendAddressPools/p"),
            "probe": part("probes/p")}}]}),
    ));
    assert_eq!(edges(&seen), ["resourcegroups/g -CONTAINS-> loadbalancers/l"]);
}

#[test]
fn a_part_is_cut_off_and_kept_on_the_edge() {
    let seen = observe(&resource(
        "Microsoft.X/things",
        "t",
        &json!({"pool": {"id": in_group("Microsoft.Network/loadBalancers/l/backendAddressPools/P1")}}),
    ));
    let edge = seen[0]
        .edges
        .iter()
        .find(|edge| edge.path == "properties.pool.id")
        .unwrap();
    assert_eq!(
        (edge.target.name.as_str(), edge.qualifier.as_str()),
        ("l", "properties.pool.id")
    );
    assert_eq!(edge.properties["sub_path"], "backendAddressPools/P1");
}

#[test]
fn an_unread_parent_still_hangs_under_the_tenant() {
    let seen = observe(&json!({"id": in_group("Microsoft.A/b/x/c/y/providers/Microsoft.Authorization/locks/l")}));
    assert_eq!(
        edges(&seen),
        [
            "b/x -CONTAINS-> c/y",
            "c/y -CONTAINS-> locks/l",
            "locks/l -APPLIES_TO-> c/y",
            "resourcegroups/g -CONTAINS-> b/x",
        ]
    );
}

#[test]
fn only_forwarding_cards_publish_their_address() {
    let card = |forwards: bool| {
        let properties = json!({"enableIPForwarding": forwards,
            "ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.4"}}]});
        aliases(&observe(&resource(
            "Microsoft.Network/networkInterfaces",
            "c",
            &properties,
        )))
    };
    assert_eq!(card(false), Vec::<String>::new());
    let route = json!({"routes": [{"properties": {"nextHopIpAddress": "10.0.0.4"}}]});
    let asked = lookups(&observe(&resource("Microsoft.Network/routeTables", "r", &route)));
    assert_eq!(asked, [format!("ROUTES_VIA {}", card(true)[0])]);
}

#[test]
fn a_private_endpoint_is_drawn_one_way_from_both_sides() {
    let endpoint = json!({"privateLinkServiceConnections": [
        {"properties": {"privateLinkServiceId": in_group("Microsoft.Storage/storageAccounts/a")}}]});
    let account = json!({"privateEndpointConnections": [
        {"properties": {"privateEndpoint": {"id": in_group("Microsoft.Network/privateEndpoints/p")}}}]});
    let drawn = "storageaccounts/a -CONNECTED_TO_PE-> privateendpoints/p".to_owned();
    assert!(
        edges(&observe(&resource(
            "Microsoft.Network/privateEndpoints",
            "p",
            &endpoint
        )))
        .contains(&drawn)
    );
    assert!(edges(&observe(&resource("Microsoft.Storage/storageAccounts", "a", &account))).contains(&drawn));
}
