//! Messaging, workflows, interfaces, desktops, learning and devices.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{
    ACR, APIM, APP_CONFIG, APP_GROUP, APPI, AVD_WS, BATCH, BUS, COGNITIVE, COMMUNICATION, EVENT_HUB, EVENT_TOPIC,
    GRAFANA, HOST_POOL, IOT, LOGIC, ML, NOTIFICATION, SEARCH, SIGNALR, STORAGE, SYSTEM_TOPIC, TypeRow, VAULT,
};

const MESSAGING: &[&str] = &["2026-01-01", "2024-01-01", "2021-11-01"];
const EVENTS: &[&str] = &["2025-02-15", "2022-06-15"];
const DESKTOPS: &[&str] = &["2025-10-10", "2024-04-03"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: EVENT_HUB,
        versions: MESSAGING,
        name: |c| c.name("evhns"),
        body: event_hubs,
    },
    TypeRow {
        arm: BUS,
        versions: MESSAGING,
        name: |c| c.name("sbns"),
        body: service_bus,
    },
    TypeRow {
        arm: EVENT_TOPIC,
        versions: EVENTS,
        name: |c| c.name("evgt"),
        body: topic,
    },
    TypeRow {
        arm: SYSTEM_TOPIC,
        versions: EVENTS,
        name: |c| c.name("egst"),
        body: system_topic,
    },
    TypeRow {
        arm: LOGIC,
        versions: &["2019-05-01", "2016-06-01"],
        name: |c| c.name("logic"),
        body: workflow,
    },
    TypeRow {
        arm: APIM,
        versions: &["2024-05-01", "2022-08-01"],
        name: |c| c.name("apim"),
        body: api_management,
    },
    TypeRow {
        arm: APP_CONFIG,
        versions: &["2024-06-01", "2023-03-01"],
        name: |c| c.name("appcs"),
        body: configuration,
    },
    TypeRow {
        arm: SIGNALR,
        versions: &["2024-03-01", "2023-02-01"],
        name: |c| c.name("sigr"),
        body: signalr,
    },
    TypeRow {
        arm: NOTIFICATION,
        versions: &["2023-09-01", "2017-04-01"],
        name: |c| c.name("ntfns"),
        body: notifications,
    },
    TypeRow {
        arm: ML,
        versions: &["2026-05-01", "2025-06-01", "2024-10-01"],
        name: |c| c.name("mlw"),
        body: learning,
    },
    TypeRow {
        arm: COGNITIVE,
        versions: &["2026-07-01", "2025-06-01", "2024-10-01"],
        name: |c| c.name("cog"),
        body: cognitive,
    },
    TypeRow {
        arm: SEARCH,
        versions: &["2025-05-01", "2023-11-01"],
        name: |c| c.name("srch"),
        body: search,
    },
    TypeRow {
        arm: HOST_POOL,
        versions: DESKTOPS,
        name: |c| c.name("vdpool"),
        body: host_pool,
    },
    TypeRow {
        arm: APP_GROUP,
        versions: DESKTOPS,
        name: |c| c.name("vdag"),
        body: application_group,
    },
    TypeRow {
        arm: AVD_WS,
        versions: DESKTOPS,
        name: |c| c.name("vdws"),
        body: desktop_workspace,
    },
    TypeRow {
        arm: BATCH,
        versions: &["2025-06-01", "2024-07-01"],
        name: batch_name,
        body: batch,
    },
    TypeRow {
        arm: IOT,
        versions: &["2023-06-30", "2021-07-02"],
        name: |c| c.name("iot"),
        body: iot,
    },
    TypeRow {
        arm: COMMUNICATION,
        versions: &["2026-03-18", "2025-05-01"],
        name: |c| c.name("acs"),
        body: communication,
    },
    TypeRow {
        arm: GRAFANA,
        versions: &["2025-08-01", "2023-09-01"],
        name: |c| format!("amg-{}-{:04}", c.stem(), c.group()),
        body: grafana,
    },
];

fn event_hubs(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard", "tier": "Standard", "capacity": 1}, "properties": {
        "provisioningState": "Succeeded", "status": "Active", "createdAt": c.time("created"), "updatedAt": c.time("modified"), "zoneRedundant": true, "isAutoInflateEnabled": false,
        "maximumThroughputUnits": 0, "kafkaEnabled": true, "minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled", "disableLocalAuth": false,
        "metricId": format!("{}:{}", c.subscription(), c.own_name()), "serviceBusEndpoint": format!("https://{}.servicebus.windows.net:443/", c.own_name()),
    }})
}

fn service_bus(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard", "tier": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "status": "Active", "createdAt": c.time("created"), "updatedAt": c.time("modified"), "zoneRedundant": true,
        "premiumMessagingPartitions": 0, "minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled", "disableLocalAuth": false,
        "metricId": format!("{}:{}", c.subscription(), c.own_name()), "serviceBusEndpoint": format!("https://{}.servicebus.windows.net:443/", c.own_name()),
    }})
}

fn topic(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "endpoint": format!("https://{}.{}-1.eventgrid.azure.net/api/events", c.own_name(), c.location()), "inputSchema": "EventGridSchema",
        "publicNetworkAccess": "Enabled", "disableLocalAuth": false, "metricResourceId": c.guid("metric"), "dataResidencyBoundary": "WithinGeopair", "inboundIpRules": [],
    }})
}

fn system_topic(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "source": c.id(STORAGE, 0), "topicType": "Microsoft.Storage.StorageAccounts", "metricResourceId": c.guid("metric"),
    }})
}

fn workflow(c: &Cx<'_>) -> Value {
    // The first workflow carries a planted secret: a signed address in an action.
    let signed = format!(
        "https://{}.blob.core.windows.net/in?sv=2022-11-02&ss=b&srt=sco&sp=rl&se=2027-01-01T00:00:00Z&sig={}%2B{}%3D",
        c.compact("st"),
        c.guid("sig1").replace('-', ""),
        c.guid("sig2").replace('-', "")
    );
    let address = if c.ord() == 0 {
        signed
    } else {
        "https://api.contoso.example/v1/orders".to_owned()
    };
    json!({"properties": {
        "provisioningState": "Succeeded", "createdTime": c.time("created"), "changedTime": c.time("modified"), "state": "Enabled", "version": format!("085{}", c.one_of("version", 10_000_000_000)),
        "accessEndpoint": format!("https://prod-01.{}.logic.azure.com:443/workflows/{}", c.location(), c.guid("endpoint").replace('-', "")),
        "definition": {
            "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#", "contentVersion": "1.0.0.0", "parameters": {}, "outputs": {},
            "triggers": {"every_hour": {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": 1}}},
            "actions": {"fetch": {"type": "Http", "inputs": {"method": "GET", "uri": address}, "runAfter": {}}},
        },
        "parameters": {}, "endpointsConfiguration": {"connector": {"outgoingIpAddresses": [{"address": c.public_address()}]}},
    }})
}

fn api_management(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    json!({"sku": {"name": "Developer", "capacity": 1}, "properties": {
        "provisioningState": "Succeeded", "targetProvisioningState": "", "publisherEmail": "api@contoso.example", "publisherName": "Contoso", "notificationSenderEmail": "apimgmt-noreply@mail.windowsazure.com",
        "createdAtUtc": c.time("created"), "gatewayUrl": format!("https://{name}.azure-api.net"), "gatewayRegionalUrl": format!("https://{name}-{}-01.regional.azure-api.net", c.location()),
        "developerPortalUrl": format!("https://{name}.developer.azure-api.net"), "managementApiUrl": format!("https://{name}.management.azure-api.net"), "scmUrl": format!("https://{name}.scm.azure-api.net"),
        "hostnameConfigurations": [{"type": "Proxy", "hostName": format!("{name}.azure-api.net"), "negotiateClientCertificate": false, "defaultSslBinding": true, "certificateSource": "BuiltIn"}],
        "publicIPAddresses": [c.public_address()], "virtualNetworkType": "None", "disableGateway": false, "natGatewayState": "Unsupported", "apiVersionConstraint": {},
        "publicNetworkAccess": "Enabled", "platformVersion": "stv2", "customProperties": {"Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2": "False"},
    }})
}

fn configuration(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "standard"}, "properties": {
        "provisioningState": "Succeeded", "creationDate": c.time("created"), "endpoint": format!("https://{}.azconfig.io", c.own_name()), "encryption": {"keyVaultProperties": null},
        "publicNetworkAccess": "Enabled", "disableLocalAuth": false, "softDeleteRetentionInDays": 7, "enablePurgeProtection": false,
    }})
}

fn signalr(c: &Cx<'_>) -> Value {
    json!({"kind": "SignalR", "sku": {"name": "Standard_S1", "tier": "Standard", "size": "S1", "capacity": 1}, "properties": {
        "provisioningState": "Succeeded", "externalIP": c.public_address(), "hostName": format!("{}.service.signalr.net", c.own_name()), "publicPort": 443, "serverPort": 443, "version": "1.0",
        "tls": {"clientCertEnabled": false}, "features": [{"flag": "ServiceMode", "value": "Default", "properties": {}}, {"flag": "EnableConnectivityLogs", "value": "True", "properties": {}}],
        "cors": {"allowedOrigins": ["*"]}, "networkACLs": {"defaultAction": "Deny", "publicNetwork": {"allow": ["ServerConnection", "ClientConnection", "RESTAPI", "Trace"]}, "privateEndpoints": []},
        "publicNetworkAccess": "Enabled", "disableLocalAuth": false, "disableAadAuth": false,
    }})
}

fn notifications(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "status": "Created", "enabled": true, "namespaceType": "NotificationHub", "critical": false, "createdAt": c.time("created"), "updatedAt": c.time("modified"),
        "region": c.location(), "subscriptionId": c.subscription(), "replicationRegion": "None", "zoneRedundancy": "Disabled", "publicNetworkAccess": "Enabled",
        "metricId": format!("{}:{}", c.subscription(), c.own_name()), "serviceBusEndpoint": format!("https://{}.servicebus.windows.net:443/", c.own_name()),
    }})
}

fn learning(c: &Cx<'_>) -> Value {
    json!({"kind": "Default", "identity": c.system_identity(), "sku": {"name": "Basic", "tier": "Basic"}, "properties": {
        "provisioningState": "Succeeded", "friendlyName": c.own_name(), "description": "Models of the business", "workspaceId": c.guid("workspace"), "tenantId": c.tenant(),
        "storageAccount": c.id(STORAGE, 0), "keyVault": c.id(VAULT, 0), "applicationInsights": c.id(APPI, 0), "containerRegistry": c.id(ACR, 0),
        "hbiWorkspace": false, "publicNetworkAccess": "Enabled", "v1LegacyMode": false, "discoveryUrl": format!("https://{}.api.azureml.ms/discovery", c.location()),
        "mlFlowTrackingUri": format!("azureml://{}.api.azureml.ms/mlflow/v1.0", c.location()), "storageHnsEnabled": false, "privateLinkCount": 0, "imageBuildCompute": "",
        "managedNetwork": {"isolationMode": "Disabled"},
    }})
}

fn cognitive(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    let open_ai = c.ord() == 0;
    json!({"kind": if open_ai { "OpenAI" } else { "TextAnalytics" }, "sku": {"name": if open_ai { "S0" } else { "S" }}, "properties": {
        "provisioningState": "Succeeded", "endpoint": format!("https://{name}.{}/", if open_ai { "openai.azure.com" } else { "cognitiveservices.azure.com" }), "internalId": c.guid("internal").replace('-', ""),
        "customSubDomainName": name, "dateCreated": c.time("created"), "publicNetworkAccess": "Enabled", "isMigrated": false, "disableLocalAuth": false,
        "networkAcls": {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []}, "privateEndpointConnections": [],
    }})
}

fn search(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "basic"}, "properties": {
        "provisioningState": "succeeded", "replicaCount": 1, "partitionCount": 1, "status": "running", "statusDetails": "", "hostingMode": "Default", "publicNetworkAccess": "Enabled",
        "networkRuleSet": {"ipRules": [], "bypass": "None"}, "disableLocalAuth": false, "authOptions": {"apiKeyOnly": {}}, "semanticSearch": "disabled",
        "privateEndpointConnections": [], "sharedPrivateLinkResources": [], "endpoint": format!("https://{}.search.windows.net", c.own_name()),
        "encryptionWithCmk": {"enforcement": "Unspecified", "encryptionComplianceStatus": "Compliant"},
    }})
}

/// Control planes of desktops are in few regions.
const DESKTOP_REGION: &str = "westeurope";

fn host_pool(c: &Cx<'_>) -> Value {
    let groups: Vec<Value> = c.all(APP_GROUP).map(|group| Value::String(group.own_id())).collect();
    json!({"location": DESKTOP_REGION, "properties": {
        "objectId": c.guid("object"), "friendlyName": "Office", "description": "Pooled desktops", "hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "maxSessionLimit": 8,
        "preferredAppGroupType": "Desktop", "customRdpProperty": "audiomode:i:0;", "validationEnvironment": false, "startVMOnConnect": true, "publicNetworkAccess": "Enabled",
        "applicationGroupReferences": groups, "cloudPcResource": false, "agentUpdate": {"type": "Default", "useSessionHostLocalTime": false, "maintenanceWindows": []},
    }})
}

fn application_group(c: &Cx<'_>) -> Value {
    json!({"location": DESKTOP_REGION, "kind": "Desktop", "properties": {
        "objectId": c.guid("object"), "friendlyName": "Desktop", "description": "Full desktop", "applicationGroupType": "Desktop", "cloudPcResource": false,
        "hostPoolArmPath": c.id(HOST_POOL, 0), "workspaceArmPath": c.id(AVD_WS, 0),
    }})
}

fn desktop_workspace(c: &Cx<'_>) -> Value {
    json!({"location": DESKTOP_REGION, "properties": {
        "objectId": c.guid("object"), "friendlyName": "Desktops", "description": "For everybody", "applicationGroupReferences": [c.id(APP_GROUP, 0)], "publicNetworkAccess": "Enabled", "cloudPcResource": false,
    }})
}

/// Names of batch accounts have at most 24 characters, and no hyphens.
fn batch_name(c: &Cx<'_>) -> String {
    c.compact("ba")
}

fn batch(c: &Cx<'_>) -> Value {
    json!({"identity": {"type": "None"}, "properties": {
        "provisioningState": "Succeeded", "accountEndpoint": format!("{}.{}.batch.azure.com", c.own_name(), c.location()), "poolAllocationMode": "BatchService", "poolQuota": 100,
        "nodeManagementEndpoint": format!("{}.service.batch.azure.com", c.guid("node")), "dedicatedCoreQuota": 500, "lowPriorityCoreQuota": 500, "activeJobAndJobScheduleQuota": 300,
        "autoStorage": {"storageAccountId": c.id(STORAGE, 0), "lastKeySync": c.time("sync"), "authenticationMode": "StorageKeys"}, "publicNetworkAccess": "Enabled",
        "dedicatedCoreQuotaPerVMFamilyEnforced": true, "encryption": {"keySource": "Microsoft.Batch"}, "allowedAuthenticationModes": ["AAD", "SharedKey", "TaskAuthenticationToken"],
    }})
}

fn iot(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    json!({"sku": {"name": "S1", "tier": "Standard", "capacity": 1}, "properties": {
        "provisioningState": "Succeeded", "state": "Active", "hostName": format!("{name}.azure-devices.net"), "locations": [{"location": c.location(), "role": "primary"}], "ipFilterRules": [],
        "eventHubEndpoints": {"events": {"retentionTimeInDays": 1, "partitionCount": 4, "partitionIds": ["0", "1", "2", "3"], "path": format!("iothub-ehub-{name}"), "endpoint": format!("sb://ihsuprod.{}.servicebus.windows.net/", c.location())}},
        "routing": {
            "endpoints": {"serviceBusQueues": [], "serviceBusTopics": [], "eventHubs": [], "storageContainers": []}, "routes": [],
            "fallbackRoute": {"name": "$fallback", "source": "DeviceMessages", "condition": "true", "endpointNames": ["events"], "isEnabled": true},
        },
        "messagingEndpoints": {"fileNotifications": {"lockDurationAsIso8601": "PT1M", "ttlAsIso8601": "PT1H", "maxDeliveryCount": 10}}, "enableFileUploadNotifications": false,
        "cloudToDevice": {"maxDeliveryCount": 10, "defaultTtlAsIso8601": "PT1H", "feedback": {"lockDurationAsIso8601": "PT1M", "ttlAsIso8601": "PT1H", "maxDeliveryCount": 10}},
        "features": "None", "minTlsVersion": "1.2", "disableLocalAuth": false, "publicNetworkAccess": "Enabled",
    }})
}

fn communication(c: &Cx<'_>) -> Value {
    json!({"location": "global", "properties": {
        "provisioningState": "Succeeded", "hostName": format!("{}.europe.communication.azure.com", c.own_name()), "dataLocation": "Europe", "immutableResourceId": c.guid("immutable"), "linkedDomains": [],
    }})
}

fn grafana(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "grafanaVersion": "12.0.2", "grafanaMajorVersion": "12", "endpoint": format!("https://{}-abcd.{}.grafana.azure.com", c.own_name(), c.location()),
        "publicNetworkAccess": "Enabled", "zoneRedundancy": "Disabled", "apiKey": "Disabled", "deterministicOutboundIP": "Disabled", "autoGeneratedDomainNameLabelScope": "TenantReuse",
        "grafanaIntegrations": {"azureMonitorWorkspaceIntegrations": []},
    }})
}
