//! Networks, cards, addresses, balancers, private endpoints and zones.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::super::plan::PLAN;
use super::{
    APP_GW, ASG, BASTION, DDOS, FIREWALL, LB, NAT, NIC, NSG, PE, PIP, PIP_PREFIX, ROUTE_TABLE, SQL, STORAGE, TypeRow,
    VM, VNET, VNET_GW, subnets,
};

/// Newest stable version of the network provider and two before it.
pub(super) const VERSIONS: &[&str] = &["2025-09-01", "2025-05-01", "2024-05-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: VNET,
        versions: VERSIONS,
        name: |c| c.name("vnet"),
        body: vnet,
    },
    TypeRow {
        arm: NSG,
        versions: VERSIONS,
        name: |c| c.name("nsg"),
        body: nsg,
    },
    TypeRow {
        arm: NIC,
        versions: VERSIONS,
        name: nic_name,
        body: nic,
    },
    TypeRow {
        arm: PIP,
        versions: VERSIONS,
        name: |c| c.name("pip"),
        body: pip,
    },
    TypeRow {
        arm: PIP_PREFIX,
        versions: VERSIONS,
        name: |c| c.name("ippre"),
        body: pip_prefix,
    },
    TypeRow {
        arm: ROUTE_TABLE,
        versions: VERSIONS,
        name: |c| c.name("rt"),
        body: route_table,
    },
    TypeRow {
        arm: NAT,
        versions: VERSIONS,
        name: |c| c.name("ng"),
        body: nat,
    },
    TypeRow {
        arm: LB,
        versions: VERSIONS,
        name: |c| c.name("lb"),
        body: lb,
    },
    TypeRow {
        arm: ASG,
        versions: VERSIONS,
        name: |c| c.name("asg"),
        body: asg,
    },
    TypeRow {
        arm: PE,
        versions: VERSIONS,
        name: |c| c.name("pe"),
        body: private_endpoint,
    },
];

/// `{"id": …}`; falls away where the far end does not exist.
#[expect(clippy::needless_pass_by_value, reason = "callers make the id for this call alone")]
pub(super) fn link(id: Value) -> Value {
    json!({"id": id})
}

fn vnet(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let (second, third) = c.network(c.ord());
    let subnets: Vec<Value> = (0..subnets::of(c).len()).map(|at| subnet(c, &id, at)).collect();
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"),
        "addressSpace": {"addressPrefixes": [format!("10.{second}.{third}.0/20")]},
        "privateEndpointVNetPolicies": "Disabled", "subnets": subnets, "virtualNetworkPeerings": peerings(c, &id),
        "enableDdosProtection": c.role() == "hub", "ddosProtectionPlan": link(c.id(DDOS, 0)),
    }})
}

fn subnet(c: &Cx<'_>, vnet: &str, at: usize) -> Value {
    let Some(subnet) = subnets::of(c).get(at) else {
        return Value::Null;
    };
    let id = format!("{vnet}/subnets/{}", subnet.name);
    let (second, third) = c.network(c.ord());
    let nsgs = c.count(NSG).max(1);
    let delegation = subnet.delegation.map(|service| json!([{
        "name": "delegation", "id": format!("{id}/delegations/delegation"), "type": "Microsoft.Network/virtualNetworks/subnets/delegations",
        "properties": {"provisioningState": "Succeeded", "serviceName": service, "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"]},
    }]));
    let endpoints = (at == 0 && c.count(STORAGE) > 0).then(|| {
        json!([
            {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "locations": [c.location()]},
        ])
    });
    let mut occupied: Vec<Value> = Vec::new();
    if at == 0 {
        occupied.extend(c.all(NIC).map(|nic| {
            link(Value::String(format!(
                "{}/ipConfigurations/{}",
                nic.own_id(),
                "ipconfig1"
            )))
        }));
    }
    let private: Vec<Value> = if at == 0 {
        c.all(PE).map(|pe| link(Value::String(pe.own_id()))).collect()
    } else {
        Vec::new()
    };
    json!({
        "name": subnet.name, "id": id, "type": "Microsoft.Network/virtualNetworks/subnets",
        "properties": {
            "provisioningState": "Succeeded", "addressPrefix": format!("10.{second}.{}.0/24", third + at),
            "networkSecurityGroup": if subnet.guarded { link(c.id(NSG, at % nsgs)) } else { Value::Null },
            "routeTable": if at == route_subnet(c) { link(c.id(ROUTE_TABLE, 0)) } else { Value::Null },
            "natGateway": if at == 1 { link(c.id(NAT, 0)) } else { Value::Null },
            "serviceEndpoints": endpoints, "delegations": delegation.unwrap_or_else(|| json!([])),
            "ipConfigurations": (!occupied.is_empty()).then_some(occupied),
            "privateEndpoints": (!private.is_empty()).then_some(private),
            "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled",
        },
    })
}

/// The subnet that the group's route table is on.
fn route_subnet(c: &Cx<'_>) -> usize {
    usize::from(c.role() == "hub")
}

/// Spokes peer with the hub of their block; hubs with all spokes and with their neighbours.
fn peerings(c: &Cx<'_>, id: &str) -> Vec<Value> {
    let hub = PLAN.stamp_of("hub");
    let mut remotes: Vec<Cx<'_>> = Vec::new();
    if c.slot.stamp == hub {
        let spokes = PLAN
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.row.arm == VNET && slot.stamp != hub);
        remotes.extend(spokes.filter_map(|(at, _)| c.world.cx(c.block, at)));
        let neighbours = [c.block.checked_sub(1), c.block.checked_add(1)];
        remotes.extend(
            neighbours
                .into_iter()
                .flatten()
                .filter_map(|block| c.world.cx(block, c.at)),
        );
    } else {
        remotes.extend(c.there("hub", VNET, 0));
    }
    remotes.retain(Cx::exists);
    remotes.into_iter().map(|remote| peering(c, id, &remote)).collect()
}

fn peering(c: &Cx<'_>, id: &str, remote: &Cx<'_>) -> Value {
    let (second, third) = remote.network(remote.ord());
    let name = format!("peer-to-{}", remote.own_name());
    let space = json!({"addressPrefixes": [format!("10.{second}.{third}.0/20")]});
    json!({
        "id": format!("{id}/virtualNetworkPeerings/{name}"), "name": name,
        "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "properties": {
            "provisioningState": "Succeeded", "resourceGuid": c.guid(&name), "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync", "remoteVirtualNetwork": {"id": remote.own_id()},
            "allowVirtualNetworkAccess": true, "allowForwardedTraffic": true, "allowGatewayTransit": false,
            "useRemoteGateways": false, "doNotVerifyRemoteGateways": false, "peerCompleteVnets": true,
            "remoteAddressSpace": space, "remoteVirtualNetworkAddressSpace": space,
        },
    })
}

fn nsg(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let ports = [
        ("allow-https", "443", 100),
        ("allow-ssh-internal", "22", 110),
        ("allow-rdp-internal", "3389", 120),
        ("allow-sql", "1433", 130),
    ];
    let how_many = 1 + c.one_of("rules", 4);
    let rules: Vec<Value> = ports
        .iter()
        .zip(0..how_many)
        .map(|((name, port, priority), _)| {
            let source = if *port == "443" { "*" } else { "10.0.0.0/8" };
            rule(&id, "securityRules", name, port, source, "Allow", *priority)
        })
        .collect();
    let defaults = [
        rule(
            &id,
            "defaultSecurityRules",
            "AllowVnetInBound",
            "*",
            "VirtualNetwork",
            "Allow",
            65_000,
        ),
        rule(
            &id,
            "defaultSecurityRules",
            "AllowAzureLoadBalancerInBound",
            "*",
            "AzureLoadBalancer",
            "Allow",
            65_001,
        ),
        rule(&id, "defaultSecurityRules", "DenyAllInBound", "*", "*", "Deny", 65_500),
    ];
    let nsgs = c.count(NSG).max(1);
    let vnet = c.sibling(VNET, 0).filter(Cx::exists);
    let on_subnets: Vec<Value> = vnet.map_or_else(Vec::new, |vnet| {
        let here = subnets::of(c)
            .iter()
            .enumerate()
            .filter(|(at, subnet)| subnet.guarded && at % nsgs == c.ord());
        here.map(|(_, subnet)| link(Value::String(format!("{}/subnets/{}", vnet.own_id(), subnet.name))))
            .collect()
    });
    let on_cards: Vec<Value> = c
        .all(NIC)
        .filter(|nic| nic_guard(nic) == Some(c.ord()))
        .map(|nic| link(Value::String(nic.own_id())))
        .collect();
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "securityRules": rules, "defaultSecurityRules": defaults,
        "subnets": (!on_subnets.is_empty()).then_some(on_subnets), "networkInterfaces": (!on_cards.is_empty()).then_some(on_cards),
    }})
}

fn rule(nsg: &str, list: &str, name: &str, port: &str, source: &str, access: &str, priority: u32) -> Value {
    json!({
        "id": format!("{nsg}/{list}/{name}"), "name": name, "type": format!("Microsoft.Network/networkSecurityGroups/{list}"),
        "properties": {
            "provisioningState": "Succeeded", "protocol": if port == "*" { "*" } else { "Tcp" }, "sourcePortRange": "*",
            "destinationPortRange": port, "sourceAddressPrefix": source, "destinationAddressPrefix": "*", "access": access,
            "priority": priority, "direction": "Inbound", "sourcePortRanges": [], "destinationPortRanges": [],
            "sourceAddressPrefixes": [], "destinationAddressPrefixes": [],
        },
    })
}

/// Which machine a card belongs to; cards behind those of machines are of private endpoints.
fn nic_machine(c: &Cx<'_>) -> Option<usize> {
    let machines = c.count(VM);
    (c.ord() < machines * 2)
        .then(|| c.ord().checked_rem(machines))
        .flatten()
}

/// Which security group stands on a card: every second one of a machine has one.
fn nic_guard(c: &Cx<'_>) -> Option<usize> {
    let machine = c.count(VM) > 0 && c.ord() % 2 == 1;
    machine.then(|| c.ord() % c.count(NSG).max(1))
}

fn is_endpoint_card(c: &Cx<'_>) -> bool {
    c.count(VM) == 0 && c.ord() < c.count(PE)
}

fn nic_name(c: &Cx<'_>) -> String {
    if is_endpoint_card(c) {
        format!("{}.nic.{}", c.name("pe"), c.guid("nic"))
    } else {
        c.name("nic")
    }
}

fn nic(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let machine = nic_machine(c);
    let primary = c.ord() < c.count(VM).max(1);
    let pool = if primary && machine.is_some() {
        c.part(LB, 0, "backendAddressPools/backend")
    } else {
        Value::Null
    };
    let security = if primary && machine.is_some() {
        link(c.id(ASG, 0))
    } else {
        Value::Null
    };
    let public = if c.role() == "legacy" {
        link(c.id(PIP, 0))
    } else {
        Value::Null
    };
    let endpoint = if is_endpoint_card(c) {
        link(c.id(PE, c.ord()))
    } else {
        Value::Null
    };
    let pools: Vec<Value> = if pool.is_null() { Vec::new() } else { vec![link(pool)] };
    let groups: Vec<Value> = if security.get("id").is_none_or(Value::is_null) {
        Vec::new()
    } else {
        vec![security]
    };
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"),
        "ipConfigurations": [{
            "name": "ipconfig1", "id": format!("{id}/ipConfigurations/ipconfig1"), "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
            "properties": {
                "provisioningState": "Succeeded", "privateIPAddress": c.address(0, 0, c.ord()), "privateIPAllocationMethod": "Dynamic",
                "subnet": link(c.part(VNET, 0, "subnets/default")), "primary": true, "privateIPAddressVersion": "IPv4",
                "publicIPAddress": public,
                "loadBalancerBackendAddressPools": (!pools.is_empty()).then_some(pools),
                "applicationSecurityGroups": (!groups.is_empty()).then_some(groups),
            },
        }],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": [], "internalDomainNameSuffix": "abcdefgh.internal.cloudapp.net"},
        "enableAcceleratedNetworking": false, "vnetEncryptionSupported": false, "enableIPForwarding": false, "disableTcpStateTracking": false,
        "networkSecurityGroup": nic_guard(c).map_or(Value::Null, |guard| link(c.id(NSG, guard))),
        "primary": primary, "virtualMachine": machine.map_or(Value::Null, |machine| link(c.id(VM, machine))),
        "privateEndpoint": endpoint, "macAddress": c.number("mac").to_be_bytes().iter().skip(5).fold("00-0D-3A".to_owned(), |mac, byte| format!("{mac}-{byte:02X}")),
        "hostedWorkloads": [], "tapConfigurations": [], "nicType": "Standard", "auxiliaryMode": "None", "auxiliarySku": "None",
    }})
}

fn pip(c: &Cx<'_>) -> Value {
    let user = match (c.role(), c.ord()) {
        ("hub", 0) => c.part(FIREWALL, 0, "azureFirewallIpConfigurations/ipconfig"),
        ("hub", 1) => c.part(BASTION, 0, "bastionHostIpConfigurations/IpConf"),
        ("hub", 2) => c.part(VNET_GW, 0, "ipConfigurations/vnetGatewayConfig"),
        ("edge", 0) => c.part(APP_GW, 0, "frontendIPConfigurations/public"),
        ("legacy", 0) => c.part(NIC, 0, "ipConfigurations/ipconfig1"),
        (_, 0) => c.part(LB, 0, "frontendIPConfigurations/public"),
        _ => Value::Null,
    };
    let label = c.compact("pip").to_lowercase();
    json!({"sku": {"name": "Standard", "tier": "Regional"}, "zones": null, "properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "ipAddress": c.public_address(),
        "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4, "ipTags": [],
        "dnsSettings": {"domainNameLabel": label, "fqdn": format!("{label}.{}.cloudapp.azure.com", c.location())},
        "ddosSettings": {"protectionMode": "VirtualNetworkInherited"}, "ipConfiguration": link(user), "natGateway": link(c.id(NAT, 0)),
    }})
}

fn pip_prefix(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard", "tier": "Regional"}, "properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "prefixLength": 30, "publicIPAddressVersion": "IPv4",
        "ipPrefix": format!("20.{}.{}.{}/30", 33 + c.number("p2") % 200, c.number("p3") % 256, c.number("p4") % 64 * 4), "ipTags": [],
        "natGateway": link(c.id(NAT, 0)),
    }})
}

fn route_table(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let firewall = c.there("hub", VNET, 0).map(|hub| hub.address(0, 2, 0));
    let names: Vec<Value> = c
        .sibling(VNET, 0)
        .filter(Cx::exists)
        .and_then(|vnet| {
            Some(link(Value::String(format!(
                "{}/subnets/{}",
                vnet.own_id(),
                subnets::of(c).get(route_subnet(c))?.name
            ))))
        })
        .into_iter()
        .collect();
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "disableBgpRoutePropagation": true,
        "routes": [{
            "name": "to-firewall", "id": format!("{id}/routes/to-firewall"), "type": "Microsoft.Network/routeTables/routes",
            "properties": {
                "provisioningState": "Succeeded", "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance",
                "nextHopIpAddress": firewall, "hasBgpOverride": false,
            },
        }],
        "subnets": (!names.is_empty()).then_some(names),
    }})
}

fn nat(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "idleTimeoutInMinutes": 10,
        "publicIpAddresses": [link(c.id(PIP, 0))], "publicIpPrefixes": [link(c.id(PIP_PREFIX, 0))],
        "subnets": [link(c.part(VNET, 0, "subnets/snet-app"))],
    }})
}

fn lb(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let (front, pool, probe) = (
        format!("{id}/frontendIPConfigurations/public"),
        format!("{id}/backendAddressPools/backend"),
        format!("{id}/probes/https"),
    );
    let machines = c.count(VM);
    let cards = c.all(NIC).filter(|nic| nic.ord() < machines);
    let cards: Vec<Value> = cards
        .map(|nic| link(Value::String(format!("{}/ipConfigurations/ipconfig1", nic.own_id()))))
        .collect();
    let typed = |part: &str| format!("Microsoft.Network/loadBalancers/{part}");
    json!({"sku": {"name": "Standard", "tier": "Regional"}, "properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"),
        "frontendIPConfigurations": [{
            "name": "public", "id": front, "type": typed("frontendIPConfigurations"),
            "properties": {"provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", "publicIPAddress": link(c.id(PIP, 0)), "loadBalancingRules": [{"id": format!("{id}/loadBalancingRules/https")}]},
        }],
        "backendAddressPools": [{
            "name": "backend", "id": pool, "type": typed("backendAddressPools"),
            "properties": {"provisioningState": "Succeeded", "backendIPConfigurations": (!cards.is_empty()).then_some(cards), "loadBalancingRules": [{"id": format!("{id}/loadBalancingRules/https")}]},
        }],
        "loadBalancingRules": [{
            "name": "https", "id": format!("{id}/loadBalancingRules/https"), "type": typed("loadBalancingRules"),
            "properties": {
                "provisioningState": "Succeeded", "frontendIPConfiguration": {"id": front}, "backendAddressPool": {"id": pool},
                "backendAddressPools": [{"id": pool}], "probe": {"id": probe}, "frontendPort": 443, "backendPort": 443, "protocol": "Tcp",
                "enableFloatingIP": false, "enableTcpReset": true, "idleTimeoutInMinutes": 4, "loadDistribution": "Default", "disableOutboundSnat": true,
            },
        }],
        "probes": [{
            "name": "https", "id": probe, "type": typed("probes"),
            "properties": {
                "provisioningState": "Succeeded", "protocol": "Tcp", "port": 443, "intervalInSeconds": 5, "numberOfProbes": 2, "probeThreshold": 1,
                "loadBalancingRules": [{"id": format!("{id}/loadBalancingRules/https")}],
            },
        }],
        "inboundNatRules": [], "outboundRules": [], "inboundNatPools": [],
    }})
}

fn asg(c: &Cx<'_>) -> Value {
    json!({"properties": {"provisioningState": "Succeeded", "resourceGuid": c.guid("resource")}})
}

fn private_endpoint(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let name = c.own_name();
    // The first endpoint of a group reaches its SQL server, others its storage account.
    let (target, part) = if c.ord() == 0 {
        (c.id(SQL, 0), "sqlServer")
    } else {
        (c.id(STORAGE, 0), "blob")
    };
    let card = c
        .sibling(NIC, c.ord())
        .filter(|nic| is_endpoint_card(nic) && nic.exists());
    let host = if c.ord() == 0 {
        "database.windows.net"
    } else {
        "blob.core.windows.net"
    };
    json!({"properties": {
        "provisioningState": "Succeeded", "ipConfigurations": [],
        "subnet": link(c.part(VNET, 0, "subnets/default")), "manualPrivateLinkServiceConnections": [], "customNetworkInterfaceName": "",
        "privateLinkServiceConnections": [{
            "name": name, "id": format!("{id}/privateLinkServiceConnections/{name}"),
            "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections",
            "properties": {
                "provisioningState": "Succeeded", "privateLinkServiceId": target, "groupIds": [part],
                "privateLinkServiceConnectionState": {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"},
            },
        }],
        "networkInterfaces": card.map(|card| json!([{"id": card.own_id()}])),
        "customDnsConfigs": [{"fqdn": format!("{}.{host}", c.compact("pe")), "ipAddresses": [c.address(0, 0, c.ord())]}],
    }})
}
