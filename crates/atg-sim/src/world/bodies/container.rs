//! Registries, clusters, container apps and groups.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::network::link;
use super::{ACA, ACA_ENV, ACI, ACR, AKS, LAW, PIP, TypeRow, UAI, VNET};

const APPS: &[&str] = &["2026-01-01", "2025-07-01", "2024-03-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: ACR,
        versions: &["2025-11-01", "2023-07-01"],
        name: |c| c.compact("cr"),
        body: registry,
    },
    TypeRow {
        arm: AKS,
        versions: &["2026-05-01", "2025-05-01", "2024-09-01"],
        name: |c| c.name("aks"),
        body: cluster,
    },
    TypeRow {
        arm: ACA_ENV,
        versions: APPS,
        name: |c| c.name("cae"),
        body: environment,
    },
    TypeRow {
        arm: ACA,
        versions: APPS,
        name: app_name,
        body: app,
    },
    TypeRow {
        arm: ACI,
        versions: &["2026-07-01", "2023-05-01"],
        name: |c| c.name("ci"),
        body: group,
    },
];

fn registry(c: &Cx<'_>) -> Value {
    let policy = |status: &str| json!({"status": status});
    json!({"sku": {"name": "Premium", "tier": "Premium"}, "properties": {
        "provisioningState": "Succeeded", "loginServer": format!("{}.azurecr.io", c.own_name()), "creationDate": c.time("created"), "adminUserEnabled": false,
        "policies": {"quarantinePolicy": policy("disabled"), "trustPolicy": {"type": "Notary", "status": "disabled"}, "retentionPolicy": {"days": 7, "status": "disabled"}, "exportPolicy": policy("enabled")},
        "encryption": {"status": "disabled"}, "dataEndpointEnabled": false, "dataEndpointHostNames": [], "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled", "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled", "anonymousPullEnabled": false,
        "networkRuleSet": {"defaultAction": "Allow", "ipRules": []},
    }})
}

fn cluster(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    let identity = c.sibling(UAI, 0).filter(Cx::exists);
    json!({"identity": c.system_identity(), "sku": {"name": "Base", "tier": "Standard"}, "kind": "Base", "properties": {
        "provisioningState": "Succeeded", "powerState": {"code": "Running"}, "kubernetesVersion": "1.32", "currentKubernetesVersion": "1.32.4", "dnsPrefix": name,
        "fqdn": format!("{name}-abc12345.hcp.{}.azmk8s.io", c.location()), "enableRBAC": true, "disableLocalAccounts": true, "supportPlan": "KubernetesOfficial",
        "nodeResourceGroup": format!("MC_{name}"), "maxAgentPools": 100, "resourceUID": c.guid("uid"),
        "agentPoolProfiles": [{
            "name": "system", "count": 3, "vmSize": "Standard_D4s_v5", "osDiskSizeGB": 128, "osDiskType": "Managed", "kubeletDiskType": "OS", "maxPods": 110,
            "vnetSubnetID": c.part(VNET, 0, "subnets/snet-app"), "type": "VirtualMachineScaleSets", "enableAutoScaling": false, "scaleDownMode": "Delete",
            "provisioningState": "Succeeded", "powerState": {"code": "Running"}, "orchestratorVersion": "1.32", "currentOrchestratorVersion": "1.32.4",
            "enableNodePublicIP": false, "mode": "System", "osType": "Linux", "osSKU": "Ubuntu", "nodeImageVersion": "AKSUbuntu-2204gen2containerd-202410.15.0",
            "upgradeSettings": {"maxSurge": "10%"}, "enableFIPS": false,
        }],
        "servicePrincipalProfile": {"clientId": "msi"},
        "addonProfiles": {
            "azurepolicy": {"enabled": true, "config": null},
            "omsagent": {"enabled": true, "config": {"logAnalyticsWorkspaceResourceID": c.id_in("monitor", LAW, 0), "useAADAuth": "true"}},
        },
        "networkProfile": {
            "networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "cilium", "networkDataplane": "cilium", "loadBalancerSku": "standard",
            "podCidr": "10.244.0.0/16", "serviceCidr": "172.16.0.0/16", "dnsServiceIP": "172.16.0.10", "outboundType": "userAssignedNATGateway",
            "podCidrs": ["10.244.0.0/16"], "serviceCidrs": ["172.16.0.0/16"], "ipFamilies": ["IPv4"],
        },
        "aadProfile": {"managed": true, "enableAzureRBAC": true, "adminGroupObjectIDs": [c.directory_group("admins")], "tenantID": c.tenant()},
        "identityProfile": identity.map(|identity| json!({"kubeletidentity": {"resourceId": identity.own_id(), "clientId": identity.client(), "objectId": identity.principal()}})),
        "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"}, "oidcIssuerProfile": {"enabled": true, "issuerURL": format!("https://{}.oic.prod-aks.azure.com/{}/", c.location(), c.tenant())},
        "securityProfile": {"workloadIdentity": {"enabled": true}},
        "storageProfile": {"diskCSIDriver": {"enabled": true}, "fileCSIDriver": {"enabled": true}, "snapshotController": {"enabled": true}},
    }})
}

fn environment(c: &Cx<'_>) -> Value {
    let workspace = c.sibling(LAW, 0);
    json!({"properties": {
        "provisioningState": "Succeeded", "defaultDomain": format!("proudhill-{}.{}.azurecontainerapps.io", c.guid("domain").split('-').next().unwrap_or_default(), c.location()),
        "staticIp": c.address(0, 1, 30), "zoneRedundant": false, "publicNetworkAccess": "Enabled",
        "vnetConfiguration": {"internal": false, "infrastructureSubnetId": c.part(VNET, 0, "subnets/snet-apps")},
        "appLogsConfiguration": {"destination": "log-analytics", "logAnalyticsConfiguration": {"customerId": workspace.map(|law| law.guid("customer"))}},
        "workloadProfiles": [{"workloadProfileType": "Consumption", "name": "Consumption"}], "kedaConfiguration": {"version": "2.15.1"}, "daprConfiguration": {"version": "1.12.5"},
        "peerAuthentication": {"mtls": {"enabled": false}},
    }})
}

/// Names of container apps have at most 32 characters.
fn app_name(c: &Cx<'_>) -> String {
    format!("ca-{}-{:04}-{:02}", c.stem(), c.group(), c.ord() + 1)
}

fn app(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    let registry = c
        .sibling(ACR, 0)
        .map_or_else(String::new, |registry| registry.own_name());
    let environment = c.id(ACA_ENV, 0);
    // The first app carries a planted secret: a connection string in a plain variable.
    let secret = format!(
        "Endpoint=sb://{name}.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={}=",
        c.guid("key").replace('-', "")
    );
    let env = if c.ord() == 0 {
        json!([{"name": "EVENTS_CONNECTION", "value": secret}])
    } else {
        json!([{"name": "LOG_LEVEL", "value": "info"}])
    };
    json!({"identity": c.user_identity(0), "properties": {
        "provisioningState": "Succeeded", "runningStatus": "Running", "managedEnvironmentId": environment, "environmentId": environment, "workloadProfileName": "Consumption",
        "latestRevisionName": format!("{name}--abc1234"), "latestReadyRevisionName": format!("{name}--abc1234"), "outboundIpAddresses": [c.public_address()],
        "configuration": {
            "activeRevisionsMode": "Single", "maxInactiveRevisions": 100, "secrets": [],
            "ingress": {"external": true, "targetPort": 8080, "exposedPort": 0, "transport": "auto", "allowInsecure": false, "traffic": [{"weight": 100, "latestRevision": true}]},
            "registries": [{"server": format!("{registry}.azurecr.io"), "username": "", "passwordSecretRef": "", "identity": c.id(UAI, 0)}],
        },
        "template": {
            "revisionSuffix": "", "volumes": null,
            "containers": [{"image": format!("{registry}.azurecr.io/{}:1.{}", c.stem(), c.one_of("tag", 20)), "name": "main", "env": env, "resources": {"cpu": 0.5, "memory": "1Gi"}}],
            "scale": {"minReplicas": 1, "maxReplicas": 10},
        },
    }})
}

fn group(c: &Cx<'_>) -> Value {
    // A planted secret: the key of a storage account in a plain variable.
    let key = format!(
        "DefaultEndpointsProtocol=https;AccountName={};AccountKey={}{}==;EndpointSuffix=core.windows.net",
        c.compact("st"),
        c.guid("key1").replace('-', ""),
        c.guid("key2").replace('-', "")
    );
    json!({"properties": {
        "provisioningState": "Succeeded", "sku": "Standard", "osType": "Linux", "restartPolicy": "OnFailure", "initContainers": [],
        "containers": [{"name": "job", "properties": {
            "image": "mcr.microsoft.com/azuredocs/aci-helloworld:latest", "ports": [{"protocol": "TCP", "port": 80}],
            "environmentVariables": [{"name": "STORAGE", "value": key}, {"name": "MODE", "value": "batch"}],
            "resources": {"requests": {"memoryInGB": 1.5, "cpu": 1.0}},
        }}],
        "ipAddress": {"type": "Private", "ip": c.address(0, 2, 4), "ports": [{"protocol": "TCP", "port": 80}]},
        "subnetIds": [link(c.part(VNET, 0, "subnets/snet-groups"))],
        "instanceView": {"events": [], "state": if c.count(PIP) == 0 { "Running" } else { "Stopped" }},
    }})
}
