//! Small closed vocabularies: what may be shown because it is known to say nothing of the tenant.

/// Azure's regions.
pub(super) const REGIONS: &[&str] = &[
    "asia", "asiapacific", "australia", "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast",
    "austriaeast", "belgiumcentral", "brazil", "brazilsouth", "brazilsoutheast", "canada", "canadacentral", "canadaeast",
    "centralindia", "centralus", "centraluseuap", "chilecentral", "chinaeast", "chinaeast2", "chinaeast3", "chinanorth",
    "chinanorth2", "chinanorth3", "denmarkeast", "eastasia", "eastus", "eastus2", "eastus2euap", "europe", "france",
    "francecentral", "francesouth", "germany", "germanynorth", "germanywestcentral", "global", "india",
    "indonesiacentral", "israelcentral", "italynorth", "japan", "japaneast", "japanwest", "jioindiacentral",
    "jioindiawest", "korea", "koreacentral", "koreasouth", "malaysiasouth", "malaysiawest", "mexicocentral",
    "newzealandnorth", "northcentralus", "northeurope", "norway", "norwayeast", "norwaywest", "polandcentral",
    "qatarcentral", "singapore", "southafrica", "southafricanorth", "southafricawest", "southcentralus",
    "southeastasia", "southindia", "spaincentral", "swedencentral", "swedensouth", "switzerland", "switzerlandnorth",
    "switzerlandwest", "taiwannorth", "uae", "uaecentral", "uaenorth", "uk", "uksouth", "ukwest", "unitedstates",
    "usdodcentral", "usdodeast", "usgovarizona", "usgovtexas", "usgovvirginia", "usnateast", "usnatwest", "usseceast",
    "ussecwest", "westcentralus", "westeurope", "westindia", "westus", "westus2", "westus3",
];

/// Built-in roles, by the GUID that is the same in every tenant.
pub(super) const ROLES: &[(&str, &str)] = &[
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader"),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"),
    ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"),
    ("fb1c8493-542b-48eb-b624-b4c8fea62acd", "Security Admin"),
    ("39bc4728-0917-49c7-9d2c-d95423bc2eb4", "Security Reader"),
    ("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader"),
    ("749f88d5-cbae-40b8-bcfc-e573ddc772fa", "Monitoring Contributor"),
    ("3913510d-42f4-4e42-8a64-420c390055eb", "Monitoring Metrics Publisher"),
    ("92aaf0da-9dab-42b6-94a3-d43ce8d16293", "Log Analytics Contributor"),
    ("73c42c96-874c-492b-b04d-ab87d138a893", "Log Analytics Reader"),
    ("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor"),
    ("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor"),
    ("1c0163c0-47e6-4577-8991-ea5c82e286e4", "Virtual Machine Administrator Login"),
    ("fb879df8-f326-4884-b1cf-06f3ad86be52", "Virtual Machine User Login"),
    ("17d1049b-9a84-46fb-8f53-869881c3d3ab", "Storage Account Contributor"),
    ("81a9662b-bebf-436f-a333-f67b29880f12", "Storage Account Key Operator Service Role"),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor"),
    ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner"),
    ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader"),
    ("974c5e8b-45b9-4653-ba55-5f855dd0fb88", "Storage Queue Data Contributor"),
    ("0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb", "Storage File Data SMB Share Contributor"),
    ("0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", "Storage Table Data Contributor"),
    ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator"),
    ("f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor"),
    ("21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader"),
    ("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User"),
    ("b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer"),
    ("a4417e6f-fecd-4de8-b567-7b0420556985", "Key Vault Certificates Officer"),
    ("14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer"),
    ("12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User"),
    ("e147488a-f6f5-4113-8e2d-b22465e65bf6", "Key Vault Crypto Service Encryption User"),
    ("7f951dda-4ed3-4680-a7ca-43fe172d538d", "AcrPull"),
    ("8311e382-0749-4cb8-b61a-304f252e45ec", "AcrPush"),
    ("0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8", "Azure Kubernetes Service Cluster Admin Role"),
    ("4abbcc35-e782-43d8-92c5-2d3f1bd2253f", "Azure Kubernetes Service Cluster User Role"),
    ("de139f84-1756-47ae-9be6-808fbbe84772", "Website Contributor"),
    ("2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b", "Web Plan Contributor"),
    ("9b7fa17d-e63e-47b0-bb0a-15c516ac86ec", "SQL DB Contributor"),
    ("6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437", "SQL Server Contributor"),
    ("5bd9cd88-fe45-4216-938b-f97437e15450", "DocumentDB Account Contributor"),
    ("090c5cfd-751d-490a-894a-3ce6f1109419", "Azure Service Bus Data Owner"),
    ("f526a384-b230-433a-b45c-95f59c4a2dec", "Azure Event Hubs Data Owner"),
    ("a638d3c7-ab3a-418d-83e6-5f17a39d4fde", "Azure Event Hubs Data Receiver"),
    ("2b629674-e913-4c01-ae53-ef4638d8f975", "Azure Event Hubs Data Sender"),
    ("4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0", "Azure Service Bus Data Receiver"),
    ("69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "Azure Service Bus Data Sender"),
    ("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator"),
    ("e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "Managed Identity Contributor"),
    ("5e467623-bb1f-42f4-a55d-6e525e11384b", "Backup Contributor"),
    ("00c29273-979b-4161-815c-10b084fb9324", "Backup Operator"),
    ("befefa01-2a29-4197-83a8-272ff33ce314", "DNS Zone Contributor"),
    ("b12aa53e-6015-4669-85d0-8515ebb3ae7f", "Private DNS Zone Contributor"),
    ("72fafb9e-0641-4937-9268-a91bfd8191a3", "Cost Management Reader"),
    ("434105ed-43f6-45c7-a02f-909b2ba83430", "Cost Management Contributor"),
    ("36243c78-bf99-498c-9df9-86d9f8d28608", "Resource Policy Contributor"),
    ("5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b", "App Configuration Data Owner"),
    ("516239f1-63e1-4d78-a4de-a74fb236a071", "App Configuration Data Reader"),
    ("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "Cognitive Services OpenAI User"),
    ("a97b65f3-24c7-4388-baec-2e87135dc908", "Cognitive Services User"),
];

/// Names of tags that many tenants use, lower case without separators.
pub(super) const TAG_KEYS: &[&str] = &[
    "app", "application", "applicationname", "automation", "backup", "businessunit", "company", "component",
    "compliance", "confidentiality", "contact", "costcenter", "costcentre", "createdby", "createddate", "createdon",
    "criticality", "customer", "dataclassification", "department", "dept", "disasterrecovery", "division", "endofproject",
    "env", "environment", "expires", "iac", "lifecycle", "maintenancewindow", "managedby", "module", "monitoring", "name",
    "opsteam", "owner", "patchgroup", "product", "project", "projectname", "purpose", "region", "role", "schedule",
    "securitylevel", "service", "sla", "source", "stack", "stage", "startdate", "team", "tenant", "tier", "type", "unit",
    "version", "workload",
];

/// Tags that say which environment a thing belongs to.
pub(super) const ENVIRONMENT_TAGS: &[&str] = &["env", "environment", "stage", "lifecycle", "tier"];

/// Words for environments, as they stand in tags and names, and what they mean.
pub(super) const ENVIRONMENTS: &[(&str, &str)] = &[
    ("prod", "production"),
    ("prd", "production"),
    ("production", "production"),
    ("live", "production"),
    ("dev", "development"),
    ("devel", "development"),
    ("development", "development"),
    ("test", "test"),
    ("tst", "test"),
    ("testing", "test"),
    ("qa", "test"),
    ("uat", "acceptance"),
    ("acc", "acceptance"),
    ("acceptance", "acceptance"),
    ("stg", "staging"),
    ("stage", "staging"),
    ("staging", "staging"),
    ("preprod", "staging"),
    ("sandbox", "sandbox"),
    ("sbx", "sandbox"),
    ("demo", "demonstration"),
    ("poc", "proof of concept"),
    ("dr", "disaster recovery"),
];

/// Values of tags that say nothing of the tenant, beside the environments.
pub(super) const TAG_VALUES: &[&str] = &[
    "arm", "bicep", "confidential", "critical", "disabled", "enabled", "false", "gold", "high", "internal", "low",
    "medium", "no", "none", "pulumi", "public", "restricted", "shared", "silver", "bronze", "terraform", "true", "yes",
];

/// Words that stand for themselves wherever no name is given.
pub(super) const WORDS: &[&str] = &[
    "*", "Any", "Default", "None", "latest", "true", "false", "Enabled", "Disabled", "Succeeded", "yes", "no",
];

/// Azure's own sets of addresses, in rules of firewalls and routes.
pub(super) const SERVICE_TAGS: &[&str] = &[
    "ActionGroup", "ApiManagement", "AppConfiguration", "AppService", "AppServiceManagement", "AzureActiveDirectory",
    "AzureBackup", "AzureCloud", "AzureConnectors", "AzureContainerRegistry", "AzureCosmosDB", "AzureDatabricks",
    "AzureFrontDoor.Backend", "AzureFrontDoor.FirstParty", "AzureFrontDoor.Frontend", "AzureKeyVault",
    "AzureLoadBalancer", "AzureMachineLearning", "AzureMonitor", "AzureResourceManager", "AzureTrafficManager",
    "BatchNodeManagement", "DataFactory", "EventHub", "GatewayManager", "Internet", "LogicApps", "MicrosoftContainerRegistry",
    "PowerBI", "ServiceBus", "Sql", "SqlManagement", "Storage", "VirtualNetwork",
];

/// Publishers of images and extensions, and what they offer.
pub(super) const MARKETPLACE: &[&str] = &[
    "0001-com-ubuntu-server-focal", "0001-com-ubuntu-server-jammy", "almalinux", "azuremonitorlinuxagent",
    "azuremonitorwindowsagent", "canonical", "centos", "credativ", "customscript", "customscriptextension", "debian",
    "debian-10", "debian-11", "debian-12", "dsc", "iaasantimalware", "microsoft-aks", "microsoft.azure.activedirectory",
    "microsoft.azure.extensions", "microsoft.azure.monitor", "microsoft.azure.monitoring.dependencyagent",
    "microsoft.azure.security", "microsoft.compute", "microsoft.enterprisecloud.monitoring", "microsoft.powershell",
    "microsoftsqlserver", "microsoftwindowsdesktop", "microsoftwindowsserver", "office-365", "omsagentforlinux",
    "openlogic", "oracle", "oracle-linux", "redhat", "resf", "rhel", "rockylinux-x86_64", "sles-15-sp5",
    "sql2019-ws2019", "sql2019-ws2022", "sql2022-ws2022", "suse", "ubuntu-24_04-lts", "ubuntuserver", "windows-10",
    "windows-11", "windowsserver",
];

/// What a marketplace image is called within its offer.
pub(super) const IMAGE_SKUS: &[&str] = &[
    "12-gen2", "16.04-lts", "16.04.0-lts", "18.04-lts", "18_04-lts-gen2", "20_04-lts", "20_04-lts-gen2", "22_04-lts",
    "22_04-lts-gen2", "server", "server-gen1", "2012-r2-datacenter", "2016-datacenter", "2016-datacenter-gensecond",
    "2019-datacenter", "2019-datacenter-gensecond", "2019-datacenter-smalldisk", "2022-datacenter",
    "2022-datacenter-azure-edition", "2022-datacenter-g2", "2025-datacenter", "8-gen2", "8-lvm-gen2", "9-lvm-gen2",
    "developer", "enterprise", "express", "standard", "web", "win10-22h2-ent", "win11-22h2-ent", "win11-23h2-ent",
];

/// Sizes, tiers and families of SKUs that are not in a form of their own.
pub(super) const SKUS: &[&str] = &[
    "A", "AZFW_Hub", "AZFW_VNet", "Aligned", "B", "B_Gen5", "Base", "Basic", "BusinessCritical", "Burstable", "C", "Classic",
    "Consumption", "Continuous7Days", "Continuous30Days", "Developer", "Dynamic", "ElasticPool", "ElasticPremium",
    "Enterprise", "FlexConsumption", "Free", "GP_Gen5", "GP_S_Gen5", "GeneralPurpose", "Gen5", "Global", "Hyperscale",
    "Isolated", "IsolatedV2", "MemoryOptimized", "P", "PerGB2018", "PerNode", "Premium", "Premium0V3", "PremiumMV3",
    "PremiumPool", "PremiumV2", "PremiumV3", "PremiumV4", "RS0", "Regional", "S", "Shared", "Standalone", "Standard",
    "StandardPool", "StandardV2", "Standard_AzureFrontDoor", "Standard_v2", "System", "UltraSSD", "WAF", "WAF_v2",
    "WorkflowStandard",
];

/// What `kind` says at the top of a body, part by part.
pub(super) const KINDS: &[&str] = &[
    "AIServices", "Base", "BlobStorage", "BlockBlobStorage", "CognitiveServices", "ComputerVision", "Default", "Desktop",
    "FileStorage", "FormRecognizer", "GlobalDocumentDB", "Linux", "LogAlert", "MongoDB", "OpenAI", "RawWebSockets", "SignalR",
    "SpeechServices", "Storage", "StorageV2", "TextAnalytics", "Windows", "analytics", "api", "app", "azurecontainerapps",
    "container", "elastic", "frontdoor", "functionapp", "hyperV", "kubernetes", "other", "pool", "shared", "stateful",
    "v12.0", "web", "workflowapp", "workspace", "xenon",
];

/// Parts of services that a private endpoint leads to.
pub(super) const SUBRESOURCES: &[&str] = &[
    "account", "amlworkspace", "blob", "blob_secondary", "configurationStores", "dfs", "dfs_secondary", "file", "gateway",
    "management", "mongoCluster", "MongoDB", "namespace", "postgresqlServer", "queue", "redisCache", "registry",
    "searchService", "sites", "Sql", "SqlOnDemand", "sqlServer", "table", "vault", "web", "mysqlServer", "topic", "domain",
];

/// Texts that a property of a certain name takes.
pub(super) const NAMED: &[(&str, &[&str])] = &[
    ("licensetype", &["Windows_Server", "Windows_Client", "RHEL_BYOS", "SLES_BYOS", "BasePrice", "LicenseIncluded", "PAYG", "AHUB"]),
    ("collation", &["SQL_Latin1_General_CP1_CI_AS", "Latin1_General_100_CI_AS", "utf8_general_ci", "utf8mb4_0900_ai_ci", "en_US.utf8"]),
    ("catalogcollation", &["SQL_Latin1_General_CP1_CI_AS", "DATABASE_DEFAULT"]),
    ("charset", &["utf8", "utf8mb4", "UTF8", "latin1"]),
    ("metricname", &[
        "Percentage CPU", "CpuPercentage", "CpuTime", "MemoryPercentage", "Availability", "Available Memory Bytes", "Http5xx",
        "HttpResponseTime", "Transactions", "UsedCapacity", "cpu_percent", "memory_percent", "storage_percent",
        "dtu_consumption_percent", "SuccessE2ELatency", "node_cpu_usage_percentage", "requests/failed", "ActiveMessages",
    ]),
    ("maxmemory-policy", &["volatile-lru", "allkeys-lru", "volatile-random", "allkeys-random", "volatile-ttl", "noeviction"]),
];

/// Addresses that are the same everywhere.
pub(super) const ADDRESSES: &[&str] = &[
    "0.0.0.0", "0.0.0.0/0", "::", "::/0", "255.255.255.255", "127.0.0.1", "::1", "168.63.129.16", "169.254.169.254",
];

/// Short forms of types, as they are usual in names.
pub(super) const PREFIXES: &[(&str, &str)] = &[
    ("microsoft.apimanagement/service", "apim"),
    ("microsoft.app/containerapps", "containerapp"),
    ("microsoft.app/managedenvironments", "containerenv"),
    ("microsoft.automation/automationaccounts", "automation"),
    ("microsoft.cache/redis", "redis"),
    ("microsoft.cognitiveservices/accounts", "ai"),
    ("microsoft.compute/availabilitysets", "avset"),
    ("microsoft.compute/disks", "disk"),
    ("microsoft.compute/galleries", "gallery"),
    ("microsoft.compute/images", "image"),
    ("microsoft.compute/snapshots", "snapshot"),
    ("microsoft.compute/virtualmachines", "vm"),
    ("microsoft.compute/virtualmachines/extensions", "vmext"),
    ("microsoft.compute/virtualmachinescalesets", "vmss"),
    ("microsoft.containerregistry/registries", "acr"),
    ("microsoft.containerservice/managedclusters", "aks"),
    ("microsoft.databricks/workspaces", "databricks"),
    ("microsoft.datafactory/factories", "adf"),
    ("microsoft.dbformysql/flexibleservers", "mysql"),
    ("microsoft.dbforpostgresql/flexibleservers", "postgres"),
    ("microsoft.documentdb/databaseaccounts", "cosmos"),
    ("microsoft.eventgrid/topics", "topic"),
    ("microsoft.eventhub/namespaces", "eventhubs"),
    ("microsoft.insights/actiongroups", "actiongroup"),
    ("microsoft.insights/components", "appinsights"),
    ("microsoft.keyvault/vaults", "kv"),
    ("microsoft.logic/workflows", "logicapp"),
    ("microsoft.managedidentity/userassignedidentities", "identity"),
    ("microsoft.network/applicationgateways", "appgw"),
    ("microsoft.network/applicationsecuritygroups", "asg"),
    ("microsoft.network/azurefirewalls", "firewall"),
    ("microsoft.network/bastionhosts", "bastion"),
    ("microsoft.network/dnszones", "dnszone"),
    ("microsoft.network/expressroutecircuits", "circuit"),
    ("microsoft.network/frontdoors", "frontdoor"),
    ("microsoft.network/loadbalancers", "lb"),
    ("microsoft.network/localnetworkgateways", "localgw"),
    ("microsoft.network/natgateways", "natgw"),
    ("microsoft.network/networkinterfaces", "nic"),
    ("microsoft.network/networksecuritygroups", "nsg"),
    ("microsoft.network/networkwatchers", "netwatcher"),
    ("microsoft.network/privatednszones", "privatedns"),
    ("microsoft.network/privateendpoints", "pe"),
    ("microsoft.network/publicipaddresses", "pip"),
    ("microsoft.network/publicipprefixes", "pipprefix"),
    ("microsoft.network/routetables", "rt"),
    ("microsoft.network/virtualnetworkgateways", "vnetgw"),
    ("microsoft.network/virtualnetworks", "vnet"),
    ("microsoft.network/virtualnetworks/subnets", "subnet"),
    ("microsoft.network/virtualnetworks/virtualnetworkpeerings", "peering"),
    ("microsoft.operationalinsights/workspaces", "logs"),
    ("microsoft.recoveryservices/vaults", "rsv"),
    ("microsoft.search/searchservices", "search"),
    ("microsoft.servicebus/namespaces", "servicebus"),
    ("microsoft.sql/managedinstances", "sqlmi"),
    ("microsoft.sql/servers", "sql"),
    ("microsoft.sql/servers/databases", "sqldb"),
    ("microsoft.storage/storageaccounts", "storage"),
    ("microsoft.web/serverfarms", "plan"),
    ("microsoft.web/sites", "app"),
    ("microsoft.web/sites/slots", "slot"),
    ("microsoft.web/staticsites", "staticapp"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_are_lower_case_and_stand_once() {
        let keyed = [ROLES, PREFIXES, ENVIRONMENTS].map(|table| table.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        let lists = [REGIONS, TAG_KEYS, TAG_VALUES, MARKETPLACE, IMAGE_SKUS, ADDRESSES];
        for list in keyed.into_iter().chain(lists.map(<[_]>::to_vec)) {
            assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), list.len(), "{list:?}");
            assert!(list.iter().all(|key| key.to_lowercase() == *key), "{list:?}");
        }
        let prefixes: BTreeSet<_> = PREFIXES.iter().map(|(_, prefix)| prefix).collect();
        assert_eq!(prefixes.len(), PREFIXES.len());
    }
}
