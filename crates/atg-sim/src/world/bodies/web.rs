//! Plans, sites and static sites.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{APP_PLAN, SITE, SLOT, STATIC_SITE, TypeRow, VNET};

const VERSIONS: &[&str] = &["2025-03-01", "2024-11-01", "2024-04-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: APP_PLAN,
        versions: VERSIONS,
        name: |c| c.name("asp"),
        body: plan,
    },
    TypeRow {
        arm: SITE,
        versions: VERSIONS,
        name: |c| c.name("app"),
        body: site,
    },
    TypeRow {
        arm: SLOT,
        versions: VERSIONS,
        name: slot_name,
        body: slot,
    },
    TypeRow {
        arm: STATIC_SITE,
        versions: VERSIONS,
        name: |c| c.name("stapp"),
        body: static_site,
    },
];

fn is_linux(plan: usize) -> bool {
    plan == 0
}

fn is_function(c: &Cx<'_>) -> bool {
    c.role() == "functions"
}

/// The plan of a site: the last site of a group with two plans is on the second.
fn plan_of(c: &Cx<'_>) -> usize {
    usize::from(c.count(APP_PLAN) > 1 && c.ord() == 2)
}

fn plan(c: &Cx<'_>) -> Value {
    let linux = is_linux(c.ord());
    let (name, tier, family) = if is_function(c) {
        ("EP1", "ElasticPremium", "EP")
    } else {
        ("P1v3", "PremiumV3", "Pv3")
    };
    json!({
        "kind": match (linux, is_function(c)) { (_, true) => "elastic", (true, false) => "linux", (false, false) => "app" },
        "sku": {"name": name, "tier": tier, "size": name, "family": family, "capacity": 1},
        "properties": {
            "provisioningState": "Succeeded", "status": "Ready", "subscription": c.subscription(), "geoRegion": c.location(), "numberOfSites": c.count(SITE),
            "maximumNumberOfWorkers": 30, "numberOfWorkers": 1, "perSiteScaling": false, "elasticScaleEnabled": is_function(c), "maximumElasticWorkerCount": if is_function(c) { 20 } else { 1 },
            "isSpot": false, "reserved": linux, "isXenon": false, "hyperV": false, "targetWorkerCount": 0, "targetWorkerSizeId": 0, "zoneRedundant": false,
            "resourceGroup": c.group_id().rsplit_once('/').map(|(_, name)| name.to_owned()),
        },
    })
}

fn site(c: &Cx<'_>) -> Value {
    let plan = plan_of(c);
    let kind = match (is_function(c), is_linux(plan)) {
        (true, true) => "functionapp,linux",
        (true, false) => "functionapp",
        (false, true) => "app,linux",
        (false, false) => "app",
    };
    let mut body = app(c, &c.own_name(), kind, plan);
    if let Some(map) = body.as_object_mut() {
        map.insert("identity".to_owned(), c.system_identity());
    }
    body
}

fn app(c: &Cx<'_>, name: &str, kind: &str, plan: usize) -> Value {
    let linux = is_linux(plan);
    let runtime = match (linux, is_function(c)) {
        (true, true) => "PYTHON|3.11",
        (true, false) => c.choose("runtime", &["NODE|20-lts", "PYTHON|3.12", "DOTNETCORE|8.0"]),
        (false, _) => "",
    };
    let host = format!("{name}.azurewebsites.net");
    json!({
        "kind": kind,
        "properties": {
            "state": "Running", "hostNames": [host], "repositorySiteName": name, "usageState": "Normal", "enabled": true,
            "enabledHostNames": [host, format!("{name}.scm.azurewebsites.net")], "availabilityState": "Normal",
            "hostNameSslStates": [{"name": host, "sslState": "Disabled", "hostType": "Standard"}], "serverFarmId": c.id(APP_PLAN, plan),
            "reserved": linux, "isXenon": false, "hyperV": false, "lastModifiedTimeUtc": c.time("modified"),
            "siteConfig": {
                "numberOfWorkers": 1, "linuxFxVersion": runtime, "netFrameworkVersion": if linux { "v4.0" } else { "v8.0" }, "acrUseManagedIdentityCreds": false,
                "alwaysOn": !is_function(c), "http20Enabled": true, "functionAppScaleLimit": 0, "minimumElasticInstanceCount": u8::from(is_function(c)),
                "minTlsVersion": "1.2", "ftpsState": "FtpsOnly", "use32BitWorkerProcess": false,
            },
            "scmSiteAlsoStopped": false, "clientAffinityEnabled": false, "clientCertEnabled": false, "clientCertMode": "Required", "hostNamesDisabled": false,
            "containerSize": 0, "dailyMemoryTimeQuota": 0, "httpsOnly": true, "redundancyMode": "None", "publicNetworkAccess": "Enabled",
            "defaultHostName": host, "virtualNetworkSubnetId": c.part(VNET, 0, "subnets/snet-app"), "keyVaultReferenceIdentity": "SystemAssigned",
            "storageAccountRequired": false, "customDomainVerificationId": c.guid("verification").replace('-', "").to_uppercase(),
            "outboundIpAddresses": c.public_address(), "possibleOutboundIpAddresses": c.public_address(),
        },
    })
}

fn slot_name(c: &Cx<'_>) -> String {
    let site = c.sibling(SITE, 0).map_or_else(String::new, |site| site.own_name());
    format!("{site}/staging")
}

fn slot(c: &Cx<'_>) -> Value {
    let name = slot_name(c);
    app(c, &name.replace('/', "-"), "app,linux", 0)
}

fn static_site(c: &Cx<'_>) -> Value {
    // Offered in few regions.
    json!({"location": "westeurope", "sku": {"name": "Standard", "tier": "Standard"}, "properties": {
        "defaultHostname": format!("happy-{}.azurestaticapps.net", c.guid("host").split('-').next().unwrap_or_default()),
        "repositoryUrl": "https://github.com/contoso/portal", "branch": "main", "customDomains": [], "privateEndpointConnections": [],
        "stagingEnvironmentPolicy": "Enabled", "allowConfigFileUpdates": true, "contentDistributionEndpoint": "https://content-am2.infrastructure.azurestaticapps.net",
        "keyVaultReferenceIdentity": "SystemAssigned", "userProvidedFunctionApps": [], "provider": "GitHub", "enterpriseGradeCdnStatus": "Disabled", "publicNetworkAccess": "Enabled",
    }})
}
