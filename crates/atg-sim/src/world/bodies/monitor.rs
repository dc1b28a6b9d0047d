//! Workspaces, alerts, rules, dashboards, automation.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{
    ACTION_GROUP, ACTIVITY_ALERT, APP_PLAN, APPI, AUTOMATION, AUTOSCALE, DASHBOARD, DCE, DCR, LAW, METRIC_ALERT,
    QUERY_RULE, RUNBOOK, SOLUTION, TypeRow, VM, VMSS, WORKBOOK,
};

const AUTOMATION_VERSIONS: &[&str] = &["2024-10-23", "2023-11-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: LAW,
        versions: &["2026-03-01", "2025-07-01", "2023-09-01"],
        name: |c| c.name("log"),
        body: workspace,
    },
    TypeRow {
        arm: SOLUTION,
        versions: &["2015-11-01-preview"],
        name: solution_name,
        body: solution,
    },
    TypeRow {
        arm: ACTION_GROUP,
        versions: &["2023-01-01", "2022-06-01"],
        name: |c| c.name("ag"),
        body: action_group,
    },
    TypeRow {
        arm: METRIC_ALERT,
        versions: &["2026-01-01", "2018-03-01"],
        name: |c| c.name("alert-cpu"),
        body: metric_alert,
    },
    TypeRow {
        arm: QUERY_RULE,
        versions: &["2026-03-01", "2023-12-01"],
        name: |c| c.name("alert-log"),
        body: query_rule,
    },
    TypeRow {
        arm: ACTIVITY_ALERT,
        versions: &["2026-01-01", "2020-10-01"],
        name: |c| c.name("alert-activity"),
        body: activity_alert,
    },
    TypeRow {
        arm: DCE,
        versions: &["2024-03-11", "2023-03-11"],
        name: |c| c.name("dce"),
        body: collection_endpoint,
    },
    TypeRow {
        arm: DCR,
        versions: &["2024-03-11", "2023-03-11"],
        name: |c| c.name("dcr"),
        body: collection_rule,
    },
    TypeRow {
        arm: WORKBOOK,
        versions: &["2023-06-01", "2022-04-01"],
        name: |c| c.guid("workbook"),
        body: workbook,
    },
    TypeRow {
        arm: DASHBOARD,
        versions: &["2026-04-01"],
        name: |c| c.guid("dashboard"),
        body: dashboard,
    },
    TypeRow {
        arm: APPI,
        versions: &["2020-02-02", "2015-05-01"],
        name: |c| c.name("appi"),
        body: insights,
    },
    TypeRow {
        arm: AUTOSCALE,
        versions: &["2022-10-01"],
        name: |c| c.name("autoscale"),
        body: autoscale,
    },
    TypeRow {
        arm: AUTOMATION,
        versions: AUTOMATION_VERSIONS,
        name: |c| c.name("aa"),
        body: automation,
    },
    TypeRow {
        arm: RUNBOOK,
        versions: AUTOMATION_VERSIONS,
        name: runbook_name,
        body: runbook,
    },
];

fn workspace(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "customerId": c.guid("customer"), "sku": {"name": "PerGB2018", "lastSkuUpdate": c.time("created")},
        "retentionInDays": c.choose("days", &[30, 60, 90]), "features": {"enableLogAccessUsingOnlyResourcePermissions": true},
        "workspaceCapping": {"dailyQuotaGb": -1.0, "quotaNextResetTime": c.time("reset"), "dataIngestionStatus": "RespectQuota"},
        "publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled",
        "createdDate": c.time("created"), "modifiedDate": c.time("modified"),
    }})
}

fn solution_kind(c: &Cx<'_>) -> &'static str {
    if c.ord() == 0 { "SecurityInsights" } else { "VMInsights" }
}

fn solution_name(c: &Cx<'_>) -> String {
    let workspace = c.sibling(LAW, 0).map_or_else(String::new, |law| law.own_name());
    format!("{}({workspace})", solution_kind(c))
}

fn solution(c: &Cx<'_>) -> Value {
    json!({
        "plan": {"name": solution_name(c), "publisher": "Microsoft", "product": format!("OMSGallery/{}", solution_kind(c)), "promotionCode": ""},
        "properties": {"provisioningState": "Succeeded", "workspaceResourceId": c.id(LAW, 0), "containedResources": [], "referencedResources": []},
    })
}

fn action_group(c: &Cx<'_>) -> Value {
    let email = |name: &str, local: &str| json!({"name": name, "emailAddress": format!("{local}@contoso.example"), "useCommonAlertSchema": true, "status": "Enabled"});
    json!({"location": "Global", "properties": {
        "groupShortName": if c.ord() == 0 { "ops" } else { "oncall" }, "enabled": true, "emailReceivers": [email("operations", "ops"), email("on call", "oncall")],
        "smsReceivers": [], "webhookReceivers": [], "itsmReceivers": [], "azureAppPushReceivers": [], "automationRunbookReceivers": [], "voiceReceivers": [],
        "logicAppReceivers": [], "azureFunctionReceivers": [], "armRoleReceivers": [], "eventHubReceivers": [],
    }})
}

fn metric_alert(c: &Cx<'_>) -> Value {
    let (target, namespace, metric) = if c.count(VM) > 0 {
        (c.id(VM, c.ord() % c.count(VM)), VM, "Percentage CPU")
    } else if c.count(VMSS) > 0 {
        (c.id(VMSS, 0), VMSS, "Percentage CPU")
    } else {
        (
            c.id(APP_PLAN, c.ord() % c.count(APP_PLAN).max(1)),
            APP_PLAN,
            "CpuPercentage",
        )
    };
    json!({"location": "global", "properties": {
        "description": "Processor load is high", "severity": 2, "enabled": true, "scopes": [target], "evaluationFrequency": "PT5M", "windowSize": "PT15M",
        "autoMitigate": true, "targetResourceType": namespace, "targetResourceRegion": c.location(),
        "criteria": {
            "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            "allOf": [{
                "criterionType": "StaticThresholdCriterion", "name": "cpu", "metricNamespace": namespace, "metricName": metric, "dimensions": [],
                "operator": "GreaterThan", "threshold": 80.0 + 5.0 * f64::from(u8::try_from(c.one_of("limit", 3)).unwrap_or(0)), "timeAggregation": "Average", "skipMetricValidation": false,
            }],
        },
        "actions": [{"actionGroupId": c.id_in("monitor", ACTION_GROUP, 0), "webHookProperties": {}}],
    }})
}

fn query_rule(c: &Cx<'_>) -> Value {
    let query = if c.ord() == 0 {
        "Heartbeat | summarize last = max(TimeGenerated) by Computer | where last < ago(15m)"
    } else {
        "AzureActivity | where OperationNameValue endswith 'delete'"
    };
    json!({"kind": "LogAlert", "properties": {
        "displayName": c.own_name(), "description": "Raised by a query", "severity": 3, "enabled": true, "evaluationFrequency": "PT15M", "windowSize": "PT15M",
        "scopes": [c.id(LAW, 0)], "targetResourceTypes": ["Microsoft.OperationalInsights/workspaces"], "autoMitigate": false, "skipQueryValidation": false,
        "checkWorkspaceAlertsStorageConfigured": false,
        "criteria": {"allOf": [{
            "query": query, "timeAggregation": "Count", "dimensions": [], "operator": "GreaterThan", "threshold": 0.0,
            "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
        }]},
        "actions": {"actionGroups": [c.id(ACTION_GROUP, 1)], "customProperties": {}},
    }})
}

fn activity_alert(c: &Cx<'_>) -> Value {
    let category = if c.ord() == 0 {
        "Administrative"
    } else {
        "ServiceHealth"
    };
    json!({"location": "global", "properties": {
        "scopes": [format!("/subscriptions/{}", c.subscription())], "enabled": true, "description": "Events of the subscription",
        "condition": {"allOf": [{"field": "category", "equals": category}]},
        "actions": {"actionGroups": [{"actionGroupId": c.id(ACTION_GROUP, 0), "webhookProperties": {}}]},
    }})
}

fn collection_endpoint(c: &Cx<'_>) -> Value {
    let host = |part: &str| json!({"endpoint": format!("https://{}-abcd.{}-1.{part}.monitor.azure.com", c.own_name(), c.location())});
    json!({"properties": {
        "provisioningState": "Succeeded", "immutableId": format!("dce-{}", c.guid("immutable").replace('-', "")), "description": "Agents of this region",
        "configurationAccess": host("handler.control"), "logsIngestion": host("ingest"), "metricsIngestion": host("metrics.ingest"), "networkAcls": {"publicNetworkAccess": "Enabled"},
    }})
}

fn collection_rule(c: &Cx<'_>) -> Value {
    let workspace = c.sibling(LAW, 0);
    let windows = c.ord() == 0;
    let sources = if windows {
        json!({"windowsEventLogs": [{"streams": ["Microsoft-Event"], "xPathQueries": ["System!*[System[(Level=1 or Level=2)]]"], "name": "events"}]})
    } else {
        json!({"syslog": [{"streams": ["Microsoft-Syslog"], "facilityNames": ["auth", "daemon"], "logLevels": ["Warning", "Error"], "name": "syslog"}]})
    };
    json!({"kind": if windows { "Windows" } else { "Linux" }, "properties": {
        "provisioningState": "Succeeded", "immutableId": format!("dcr-{}", c.guid("immutable").replace('-', "")), "dataCollectionEndpointId": c.id(DCE, 0),
        "dataSources": sources,
        "destinations": {"logAnalytics": [{"workspaceResourceId": c.id(LAW, 0), "workspaceId": workspace.map(|law| law.guid("customer")), "name": "workspace"}]},
        "dataFlows": [{"streams": [if windows { "Microsoft-Event" } else { "Microsoft-Syslog" }], "destinations": ["workspace"]}],
    }})
}

fn workbook(c: &Cx<'_>) -> Value {
    let items = json!({"version": "Notebook/1.0", "items": [{"type": 1, "content": {"json": "## Costs and \"owners\""}, "name": "text"}], "isLocked": false});
    json!({"kind": "shared", "properties": {
        "displayName": format!("Workbook {}", c.ord() + 1), "serializedData": items.to_string(), "version": "Notebook/1.0", "category": "workbook",
        "sourceId": c.there("monitor", LAW, 0).map(|law| law.own_id().to_lowercase()), "timeModified": c.time("modified"), "userId": c.user("author"), "revision": c.guid("revision").replace('-', ""),
    }})
}

fn dashboard(c: &Cx<'_>) -> Value {
    let part = json!({
        "position": {"x": 0, "y": 0, "rowSpan": 4, "colSpan": 6},
        "metadata": {"type": "Extension/HubsExtension/PartType/MarkdownPart", "inputs": [], "settings": {"content": {"content": "# Operations", "title": "", "subtitle": ""}}},
    });
    json!({"tags": {"hidden-title": "Operations"}, "properties": {
        "lenses": [{"order": 0, "parts": [part]}], "metadata": {"model": {"timeRange": {"value": {"relative": {"duration": 24, "timeUnit": 1}}, "type": "MsPortalFx.Composition.Configuration.ValueTypes.TimeRange"}}},
        "provisioningState": c.exists().then_some("Succeeded"),
    }})
}

fn insights(c: &Cx<'_>) -> Value {
    let (key, app) = (c.guid("key"), c.guid("app"));
    json!({"kind": "web", "properties": {
        "ApplicationId": c.own_name(), "AppId": app, "Application_Type": "web", "Flow_Type": "Bluefield", "Request_Source": "rest", "InstrumentationKey": key,
        "ConnectionString": format!("InstrumentationKey={key};IngestionEndpoint=https://{0}-1.in.applicationinsights.azure.com/;ApplicationId={app}", c.location()),
        "Name": c.own_name(), "CreationDate": c.time("created"), "TenantId": c.subscription(), "provisioningState": "Succeeded", "RetentionInDays": 90,
        "WorkspaceResourceId": c.id_in("monitor", LAW, 0), "IngestionMode": "LogAnalytics", "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled", "DisableIpMasking": false, "SamplingPercentage": null,
    }})
}

fn autoscale(c: &Cx<'_>) -> Value {
    let plan = c.id(APP_PLAN, 0);
    json!({"properties": {
        "name": c.own_name(), "enabled": true, "targetResourceUri": plan, "targetResourceLocation": c.location(), "notifications": [],
        "profiles": [{
            "name": "default", "capacity": {"minimum": "1", "maximum": "4", "default": "1"},
            "rules": [{
                "metricTrigger": {
                    "metricName": "CpuPercentage", "metricNamespace": "microsoft.web/serverfarms", "metricResourceUri": plan, "timeGrain": "PT1M", "statistic": "Average",
                    "timeWindow": "PT10M", "timeAggregation": "Average", "operator": "GreaterThan", "threshold": 75.0, "dimensions": [], "dividePerInstance": false,
                },
                "scaleAction": {"direction": "Increase", "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
            }],
        }],
    }})
}

fn automation(c: &Cx<'_>) -> Value {
    json!({"identity": c.system_identity(), "properties": {
        "sku": {"name": "Basic", "family": null, "capacity": null}, "state": "Ok", "publicNetworkAccess": true, "disableLocalAuth": true,
        "creationTime": c.time("created"), "lastModifiedTime": c.time("modified"), "encryption": {"keySource": "Microsoft.Automation"},
        "automationHybridServiceUrl": format!("https://{}.jrds.we.azure-automation.net/automationAccounts/{}", c.guid("hybrid"), c.guid("hybrid")),
    }})
}

fn runbook_name(c: &Cx<'_>) -> String {
    let account = c
        .sibling(AUTOMATION, 0)
        .map_or_else(String::new, |account| account.own_name());
    let name = ["Start-Machines", "Stop-Machines", "Rotate-Keys"]
        .get(c.ord())
        .copied()
        .unwrap_or("Run");
    format!("{account}/{name}")
}

fn runbook(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "runbookType": "PowerShell", "state": "Published", "logVerbose": false, "logProgress": true, "logActivityTrace": 0,
        "description": "Kept by the platform team", "creationTime": c.time("created"), "lastModifiedTime": c.time("modified"),
    }})
}
