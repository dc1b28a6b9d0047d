//! Bodies of every type, one row a type, by provider.
//!
//! A row gives the type as published, its api-versions newest first, its name and its body. A
//! body is what the type's GET answers without the envelope; it refers to other resources through
//! [`Cx`] alone, so that every reference exists. Shapes follow Microsoft's published types and
//! examples (NOTICE).

use serde_json::Value;

use super::cx::Cx;

mod backup;
mod compute;
mod container;
mod data;
mod identity;
mod integration;
mod monitor;
mod network;
mod network_dns;
mod network_edge;
mod network_hub;
mod storage;
mod subnets;
mod web;

/// One type.
pub(crate) struct TypeRow {
    /// As published.
    pub(crate) arm: &'static str,
    /// Newest first.
    pub(crate) versions: &'static [&'static str],
    /// The name; a child's is `parent/child`.
    pub(crate) name: fn(&Cx<'_>) -> String,
    /// `kind`, `sku`, `properties` and so on.
    pub(crate) body: fn(&Cx<'_>) -> Value,
}

macro_rules! types {
    ($($name:ident = $arm:literal;)*) => {
        $(pub(crate) const $name: &str = $arm;)*
    };
}

types! {
    ACA = "Microsoft.App/containerApps";
    ACA_ENV = "Microsoft.App/managedEnvironments";
    ACI = "Microsoft.ContainerInstance/containerGroups";
    ACR = "Microsoft.ContainerRegistry/registries";
    ACTION_GROUP = "Microsoft.Insights/actionGroups";
    ACTIVITY_ALERT = "Microsoft.Insights/activityLogAlerts";
    AFD = "Microsoft.Cdn/profiles";
    AFD_ENDPOINT = "Microsoft.Cdn/profiles/afdEndpoints";
    AFD_WAF = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies";
    AKS = "Microsoft.ContainerService/managedClusters";
    APIM = "Microsoft.ApiManagement/service";
    APPI = "Microsoft.Insights/components";
    APP_CONFIG = "Microsoft.AppConfiguration/configurationStores";
    APP_GROUP = "Microsoft.DesktopVirtualization/applicationGroups";
    APP_GW = "Microsoft.Network/applicationGateways";
    APP_PLAN = "Microsoft.Web/serverfarms";
    ASG = "Microsoft.Network/applicationSecurityGroups";
    AUTOMATION = "Microsoft.Automation/automationAccounts";
    AUTOSCALE = "Microsoft.Insights/autoscalesettings";
    AVD_WS = "Microsoft.DesktopVirtualization/workspaces";
    AVSET = "Microsoft.Compute/availabilitySets";
    BACKUP_VAULT = "Microsoft.DataProtection/backupVaults";
    BASTION = "Microsoft.Network/bastionHosts";
    BATCH = "Microsoft.Batch/batchAccounts";
    BUS = "Microsoft.ServiceBus/namespaces";
    COGNITIVE = "Microsoft.CognitiveServices/accounts";
    COMMUNICATION = "Microsoft.Communication/communicationServices";
    CONNECTION = "Microsoft.Network/connections";
    COSMOS = "Microsoft.DocumentDB/databaseAccounts";
    DASHBOARD = "Microsoft.Portal/dashboards";
    DATABRICKS = "Microsoft.Databricks/workspaces";
    DCE = "Microsoft.Insights/dataCollectionEndpoints";
    DCR = "Microsoft.Insights/dataCollectionRules";
    DDOS = "Microsoft.Network/ddosProtectionPlans";
    DES = "Microsoft.Compute/diskEncryptionSets";
    DISK = "Microsoft.Compute/disks";
    DNS_RESOLVER = "Microsoft.Network/dnsResolvers";
    DNS_ZONE = "Microsoft.Network/dnsZones";
    EVENT_HUB = "Microsoft.EventHub/namespaces";
    EVENT_TOPIC = "Microsoft.EventGrid/topics";
    EXT = "Microsoft.Compute/virtualMachines/extensions";
    FACTORY = "Microsoft.DataFactory/factories";
    FIREWALL = "Microsoft.Network/azureFirewalls";
    FLOW_LOG = "Microsoft.Network/networkWatchers/flowLogs";
    FW_POLICY = "Microsoft.Network/firewallPolicies";
    GALLERY = "Microsoft.Compute/galleries";
    GALLERY_IMAGE = "Microsoft.Compute/galleries/images";
    GRAFANA = "Microsoft.Dashboard/grafana";
    HOST_POOL = "Microsoft.DesktopVirtualization/hostPools";
    IMAGE = "Microsoft.Compute/images";
    IOT = "Microsoft.Devices/IotHubs";
    IP_GROUP = "Microsoft.Network/ipGroups";
    KUSTO = "Microsoft.Kusto/clusters";
    LAW = "Microsoft.OperationalInsights/workspaces";
    LB = "Microsoft.Network/loadBalancers";
    LOCAL_GW = "Microsoft.Network/localNetworkGateways";
    LOGIC = "Microsoft.Logic/workflows";
    MAINTENANCE = "Microsoft.Maintenance/maintenanceConfigurations";
    METRIC_ALERT = "Microsoft.Insights/metricAlerts";
    ML = "Microsoft.MachineLearningServices/workspaces";
    MYSQL = "Microsoft.DBforMySQL/flexibleServers";
    NAT = "Microsoft.Network/natGateways";
    NIC = "Microsoft.Network/networkInterfaces";
    NOTIFICATION = "Microsoft.NotificationHubs/namespaces";
    NSG = "Microsoft.Network/networkSecurityGroups";
    PE = "Microsoft.Network/privateEndpoints";
    PIP = "Microsoft.Network/publicIPAddresses";
    PIP_PREFIX = "Microsoft.Network/publicIPPrefixes";
    POSTGRES = "Microsoft.DBforPostgreSQL/flexibleServers";
    PPG = "Microsoft.Compute/proximityPlacementGroups";
    PRIVATE_ZONE = "Microsoft.Network/privateDnsZones";
    QUERY_RULE = "Microsoft.Insights/scheduledQueryRules";
    REDIS = "Microsoft.Cache/Redis";
    ROUTE_TABLE = "Microsoft.Network/routeTables";
    RSV = "Microsoft.RecoveryServices/vaults";
    RUNBOOK = "Microsoft.Automation/automationAccounts/runbooks";
    SEARCH = "Microsoft.Search/searchServices";
    SIGNALR = "Microsoft.SignalRService/SignalR";
    SITE = "Microsoft.Web/sites";
    SLOT = "Microsoft.Web/sites/slots";
    SNAPSHOT = "Microsoft.Compute/snapshots";
    SOLUTION = "Microsoft.OperationsManagement/solutions";
    SQL = "Microsoft.Sql/servers";
    SQLDB = "Microsoft.Sql/servers/databases";
    SQL_POOL = "Microsoft.Sql/servers/elasticPools";
    SSH = "Microsoft.Compute/sshPublicKeys";
    STATIC_SITE = "Microsoft.Web/staticSites";
    STORAGE = "Microsoft.Storage/storageAccounts";
    STREAM = "Microsoft.StreamAnalytics/streamingjobs";
    SYSTEM_TOPIC = "Microsoft.EventGrid/systemTopics";
    TRAFFIC = "Microsoft.Network/trafficManagerProfiles";
    UAI = "Microsoft.ManagedIdentity/userAssignedIdentities";
    VAULT = "Microsoft.KeyVault/vaults";
    VM = "Microsoft.Compute/virtualMachines";
    VMSS = "Microsoft.Compute/virtualMachineScaleSets";
    VNET = "Microsoft.Network/virtualNetworks";
    VNET_GW = "Microsoft.Network/virtualNetworkGateways";
    WAF = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies";
    WATCHER = "Microsoft.Network/networkWatchers";
    WORKBOOK = "Microsoft.Insights/workbooks";
    ZONE_LINK = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";
}

const TABLES: &[&[TypeRow]] = &[
    backup::ROWS,
    compute::ROWS,
    container::ROWS,
    data::ROWS,
    identity::ROWS,
    integration::ROWS,
    monitor::ROWS,
    network::ROWS,
    network_dns::ROWS,
    network_edge::ROWS,
    network_hub::ROWS,
    storage::ROWS,
    web::ROWS,
];

/// Types whose resources have an identity of their own, one service principal each.
const WITH_IDENTITY: &[&str] = &[AKS, AUTOMATION, DES, FACTORY, ML, RSV, SITE, UAI];

/// Types whose GET says who made the resource and when.
const WITH_SYSTEM_DATA: &[&str] = &[
    ACA, ACA_ENV, ACR, APP_CONFIG, AUTOMATION, COGNITIVE, COSMOS, DATABRICKS, DCE, DCR, EVENT_HUB, GRAFANA, HOST_POOL,
    IOT, ML, MYSQL, POSTGRES, SIGNALR, VAULT, WORKBOOK,
];

/// The row of a type.
pub(crate) fn row(arm: &str) -> Option<&'static TypeRow> {
    TABLES.iter().flat_map(|table| table.iter()).find(|row| row.arm == arm)
}

/// Whether bodies of a type carry `systemData`.
pub(crate) fn has_system_data(arm: &str) -> bool {
    WITH_SYSTEM_DATA.contains(&arm)
}

/// Whether each resource of a type has a service principal.
pub(crate) fn has_identity(arm: &str) -> bool {
    WITH_IDENTITY.contains(&arm)
}
