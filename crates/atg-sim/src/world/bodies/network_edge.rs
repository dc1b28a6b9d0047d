//! What faces the internet: application gateway, front door, filters, traffic manager.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::network::{VERSIONS, link};
use super::{AFD, AFD_ENDPOINT, AFD_WAF, APP_GW, PIP, TRAFFIC, TypeRow, VNET, WAF};

const CDN: &[&str] = &["2025-12-01", "2025-06-01", "2024-09-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: WAF,
        versions: VERSIONS,
        name: |c| c.compact("waf"),
        body: waf,
    },
    TypeRow {
        arm: APP_GW,
        versions: VERSIONS,
        name: |c| c.name("agw"),
        body: application_gateway,
    },
    TypeRow {
        arm: AFD_WAF,
        versions: &["2025-11-01", "2025-03-01"],
        name: |c| c.compact("fdwaf"),
        body: front_door_waf,
    },
    TypeRow {
        arm: AFD,
        versions: CDN,
        name: |c| c.name("afd"),
        body: front_door,
    },
    TypeRow {
        arm: AFD_ENDPOINT,
        versions: CDN,
        name: endpoint_name,
        body: endpoint,
    },
    TypeRow {
        arm: TRAFFIC,
        versions: &["2022-04-01", "2018-08-01"],
        name: |c| c.name("traf"),
        body: traffic,
    },
];

fn waf(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceState": "Enabled", "customRules": [], "applicationGateways": [link(c.id(APP_GW, 0))],
        "policySettings": {"requestBodyCheck": true, "maxRequestBodySizeInKb": 128, "fileUploadLimitInMb": 100, "state": "Enabled", "mode": "Prevention"},
        "managedRules": {"managedRuleSets": [{"ruleSetType": "OWASP", "ruleSetVersion": "3.2", "ruleGroupOverrides": []}], "exclusions": []},
    }})
}

fn application_gateway(c: &Cx<'_>) -> Value {
    let id = c.own_id();
    let at = |list: &str, name: &str| format!("{id}/{list}/{name}");
    let part = |list: &str, name: &str, mut properties: Value| {
        if let Some(map) = properties.as_object_mut() {
            map.insert("provisioningState".to_owned(), json!("Succeeded"));
        }
        json!([{"name": name, "id": at(list, name), "type": format!("Microsoft.Network/applicationGateways/{list}"), "properties": properties}])
    };
    json!({"properties": {
        "provisioningState": "Succeeded", "resourceGuid": c.guid("resource"), "operationalState": "Running",
        "sku": {"name": "WAF_v2", "tier": "WAF_v2"}, "autoscaleConfiguration": {"minCapacity": 1, "maxCapacity": 4},
        "firewallPolicy": link(c.id(WAF, 0)), "enableHttp2": true,
        "gatewayIPConfigurations": part("gatewayIPConfigurations", "gateway", json!({"subnet": link(c.part(VNET, 0, "subnets/snet-app"))})),
        "frontendIPConfigurations": part("frontendIPConfigurations", "public", json!({
            "privateIPAllocationMethod": "Dynamic", "publicIPAddress": link(c.id(PIP, 0)),
        })),
        "frontendPorts": part("frontendPorts", "port-80", json!({"port": 80})),
        "backendAddressPools": part("backendAddressPools", "sites", json!({
            "backendAddresses": [{"fqdn": format!("{}.azurewebsites.net", c.compact("app"))}],
        })),
        "backendHttpSettingsCollection": part("backendHttpSettingsCollection", "https", json!({
            "port": 443, "protocol": "Https", "cookieBasedAffinity": "Disabled", "pickHostNameFromBackendAddress": true, "requestTimeout": 30,
        })),
        "httpListeners": part("httpListeners", "http", json!({
            "frontendIPConfiguration": {"id": at("frontendIPConfigurations", "public")}, "frontendPort": {"id": at("frontendPorts", "port-80")},
            "protocol": "Http", "hostNames": [], "requireServerNameIndication": false,
        })),
        "requestRoutingRules": part("requestRoutingRules", "rule", json!({
            "ruleType": "Basic", "priority": 100, "httpListener": {"id": at("httpListeners", "http")},
            "backendAddressPool": {"id": at("backendAddressPools", "sites")}, "backendHttpSettings": {"id": at("backendHttpSettingsCollection", "https")},
        })),
        "probes": [], "sslCertificates": [], "urlPathMaps": [], "redirectConfigurations": [], "rewriteRuleSets": [],
    }})
}

fn front_door_waf(_: &Cx<'_>) -> Value {
    json!({"location": "Global", "sku": {"name": "Standard_AzureFrontDoor"}, "properties": {
        "provisioningState": "Succeeded", "resourceState": "Enabled", "frontendEndpointLinks": [], "securityPolicyLinks": [],
        "policySettings": {"enabledState": "Enabled", "mode": "Prevention", "customBlockResponseStatusCode": 403, "requestBodyCheck": "Enabled"},
        "customRules": {"rules": [{
            "name": "RateLimit", "enabledState": "Enabled", "priority": 1, "ruleType": "RateLimitRule", "rateLimitDurationInMinutes": 1, "rateLimitThreshold": 100, "action": "Block",
            "matchConditions": [{"matchVariable": "RemoteAddr", "operator": "IPMatch", "negateCondition": false, "matchValue": ["203.0.113.0/24"], "transforms": []}],
        }]},
        "managedRules": {"managedRuleSets": []},
    }})
}

fn front_door(c: &Cx<'_>) -> Value {
    json!({"location": "Global", "kind": "frontdoor", "sku": {"name": "Standard_AzureFrontDoor"}, "properties": {
        "provisioningState": "Succeeded", "resourceState": "Active", "frontDoorId": c.guid("front door"), "originResponseTimeoutSeconds": 60, "extendedProperties": {},
    }})
}

fn endpoint_name(c: &Cx<'_>) -> String {
    let profile = c.sibling(AFD, 0).map_or_else(String::new, |profile| profile.own_name());
    format!("{profile}/{}", c.name("fde"))
}

fn endpoint(c: &Cx<'_>) -> Value {
    json!({"location": "Global", "properties": {
        "provisioningState": "Succeeded", "deploymentStatus": "NotStarted", "enabledState": "Enabled", "autoGeneratedDomainNameLabelScope": "TenantReuse",
        "hostName": format!("{}-abcdefghcbhzd0ay.z01.azurefd.net", c.own_name()),
    }})
}

fn traffic(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    json!({"location": "global", "properties": {
        "profileStatus": "Enabled", "trafficRoutingMethod": "Performance", "trafficViewEnrollmentStatus": "Disabled",
        "dnsConfig": {"relativeName": name, "fqdn": format!("{name}.trafficmanager.net"), "ttl": 60},
        "monitorConfig": {"profileMonitorStatus": "Online", "protocol": "HTTPS", "port": 443, "path": "/health", "intervalInSeconds": 30, "timeoutInSeconds": 10, "toleratedNumberOfFailures": 3},
        "endpoints": [],
    }})
}
