//! What stands in the hub: firewall, gateways, bastion, watcher.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::network::{VERSIONS, link};
use super::{
    BASTION, CONNECTION, DDOS, FIREWALL, FLOW_LOG, FW_POLICY, IP_GROUP, LAW, LOCAL_GW, NSG, PIP, STORAGE, TypeRow,
    VNET, VNET_GW, WATCHER,
};

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: DDOS,
        versions: VERSIONS,
        name: |c| c.name("ddos"),
        body: ddos,
    },
    TypeRow {
        arm: IP_GROUP,
        versions: VERSIONS,
        name: |c| c.name("ipg"),
        body: ip_group,
    },
    TypeRow {
        arm: FW_POLICY,
        versions: VERSIONS,
        name: |c| c.name("afwp"),
        body: firewall_policy,
    },
    TypeRow {
        arm: FIREWALL,
        versions: VERSIONS,
        name: |c| c.name("afw"),
        body: firewall,
    },
    TypeRow {
        arm: BASTION,
        versions: VERSIONS,
        name: |c| c.name("bas"),
        body: bastion,
    },
    TypeRow {
        arm: VNET_GW,
        versions: VERSIONS,
        name: |c| c.name("vgw"),
        body: gateway,
    },
    TypeRow {
        arm: LOCAL_GW,
        versions: VERSIONS,
        name: |c| c.name("lgw"),
        body: local_gateway,
    },
    TypeRow {
        arm: CONNECTION,
        versions: VERSIONS,
        name: |c| c.name("cn"),
        body: connection,
    },
    TypeRow {
        arm: WATCHER,
        versions: VERSIONS,
        name: watcher_name,
        body: watcher,
    },
    TypeRow {
        arm: FLOW_LOG,
        versions: VERSIONS,
        name: |c| format!("{}/{}", watcher_name(c), c.name("fl")),
        body: flow_log,
    },
];

fn ddos(c: &Cx<'_>) -> Value {
    let networks: Vec<Value> = c.all(VNET).map(|vnet| link(Value::String(vnet.own_id()))).collect();
    json!({"properties": {"provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "virtualNetworks": networks}})
}

fn ip_group(_: &Cx<'_>) -> Value {
    json!({"properties": {"provisioningState": "Succeeded", "ipAddresses": ["203.0.113.0/24", "198.51.100.7"], "firewalls": [], "firewallPolicies": []}})
}

fn firewall_policy(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "sku": {"tier": "Standard"}, "threatIntelMode": "Alert", "size": "0.5KB",
        "dnsSettings": {"servers": [], "enableProxy": true}, "ruleCollectionGroups": [], "childPolicies": [], "firewalls": [link(c.id(FIREWALL, 0))],
    }})
}

fn firewall(c: &Cx<'_>) -> Value {
    let name = "azureFirewallIpConfigurations";
    json!({"properties": {
        "provisioningState": "Succeeded", "sku": {"name": "AZFW_VNet", "tier": "Standard"}, "threatIntelMode": "Alert",
        "firewallPolicy": link(c.id(FW_POLICY, 0)), "additionalProperties": {},
        "networkRuleCollections": [], "applicationRuleCollections": [], "natRuleCollections": [],
        "ipConfigurations": [{
            "name": "ipconfig", "id": format!("{}/{name}/ipconfig", c.own_id()), "type": format!("Microsoft.Network/azureFirewalls/{name}"),
            "properties": {
                "provisioningState": "Succeeded", "privateIPAddress": c.sibling(VNET, 0).map(|vnet| vnet.address(0, 2, 0)),
                "publicIPAddress": link(c.id(PIP, 0)), "subnet": link(c.part(VNET, 0, "subnets/AzureFirewallSubnet")),
            },
        }],
    }})
}

fn bastion(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "dnsName": format!("bst-{}.bastion.azure.com", c.guid("dns")), "scaleUnits": 2,
        "disableCopyPaste": false, "enableTunneling": true, "enableIpConnect": false, "enableFileCopy": false, "enableShareableLink": false,
        "ipConfigurations": [{
            "name": "IpConf", "id": format!("{}/bastionHostIpConfigurations/IpConf", c.own_id()),
            "type": "Microsoft.Network/bastionHosts/bastionHostIpConfigurations",
            "properties": {
                "provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", "publicIPAddress": link(c.id(PIP, 1)),
                "subnet": link(c.part(VNET, 0, "subnets/AzureBastionSubnet")),
            },
        }],
    }})
}

fn gateway(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": false,
        "activeActive": false, "vpnGatewayGeneration": "Generation2", "sku": {"name": "VpnGw2", "tier": "VpnGw2", "capacity": 2},
        "enablePrivateIpAddress": false, "disableIPSecReplayProtection": false, "allowRemoteVnetTraffic": false, "allowVirtualWanTraffic": false,
        "ipConfigurations": [{
            "name": "vnetGatewayConfig", "id": format!("{}/ipConfigurations/vnetGatewayConfig", c.own_id()),
            "properties": {
                "provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", "publicIPAddress": link(c.id(PIP, 2)),
                "subnet": link(c.part(VNET, 0, "subnets/GatewaySubnet")),
            },
        }],
        "bgpSettings": {"asn": 65_515, "bgpPeeringAddress": c.sibling(VNET, 0).map(|vnet| vnet.address(0, 1, 26)), "peerWeight": 0},
    }})
}

fn local_gateway(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "gatewayIpAddress": format!("198.51.100.{}", c.one_of("ip", 250) + 1),
        "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]},
    }})
}

fn connection(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "connectionType": "IPsec", "connectionProtocol": "IKEv2",
        "routingWeight": 10, "enableBgp": false, "usePolicyBasedTrafficSelectors": false, "ipsecPolicies": [], "trafficSelectorPolicies": [],
        "expressRouteGatewayBypass": false, "dpdTimeoutSeconds": 45, "connectionMode": "Default", "connectionStatus": "Connected",
        "virtualNetworkGateway1": link(c.id(VNET_GW, 0)), "localNetworkGateway2": link(c.id(LOCAL_GW, 0)),
        "ingressBytesTransferred": 0, "egressBytesTransferred": 0,
    }})
}

fn watcher_name(c: &Cx<'_>) -> String {
    format!("NetworkWatcher_{}", c.location())
}

fn watcher(_: &Cx<'_>) -> Value {
    json!({"properties": {"provisioningState": "Succeeded"}})
}

fn flow_log(c: &Cx<'_>) -> Value {
    let target = if c.ord() == 0 { c.id(NSG, 0) } else { c.id(VNET, 0) };
    let workspace = c.there("monitor", LAW, 0);
    json!({"properties": {
        "provisioningState": "Succeeded", "targetResourceId": target, "targetResourceGuid": c.guid("target"),
        "storageId": c.id_in("monitor", STORAGE, 0), "enabled": true, "retentionPolicy": {"days": 30, "enabled": true},
        "format": {"type": "JSON", "version": 2},
        "flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": {
            "enabled": true, "trafficAnalyticsInterval": 60, "workspaceResourceId": c.id_in("monitor", LAW, 0),
            "workspaceId": workspace.map(|law| law.guid("customer")), "workspaceRegion": workspace.map(|law| law.location()),
        }},
    }})
}
