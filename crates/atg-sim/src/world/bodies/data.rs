//! Databases, caches, and what analyses data.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::super::plan::PLAN;
use super::{
    COSMOS, DATABRICKS, EVENT_HUB, FACTORY, KUSTO, MYSQL, POSTGRES, PRIVATE_ZONE, REDIS, SQL, SQL_POOL, SQLDB, STREAM,
    TypeRow, VNET,
};

const SQL_VERSIONS: &[&str] = &["2025-01-01", "2023-08-01", "2021-11-01"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: SQL,
        versions: SQL_VERSIONS,
        name: |c| c.name("sql"),
        body: sql,
    },
    TypeRow {
        arm: SQLDB,
        versions: SQL_VERSIONS,
        name: |c| below_sql(c, "sqldb"),
        body: database,
    },
    TypeRow {
        arm: SQL_POOL,
        versions: SQL_VERSIONS,
        name: |c| below_sql(c, "sqlep"),
        body: pool,
    },
    TypeRow {
        arm: COSMOS,
        versions: &["2026-03-15", "2025-10-15", "2024-11-15"],
        name: |c| c.name("cosmos"),
        body: cosmos,
    },
    TypeRow {
        arm: POSTGRES,
        versions: &["2025-08-01", "2024-08-01"],
        name: |c| c.name("psql"),
        body: postgres,
    },
    TypeRow {
        arm: MYSQL,
        versions: &["2024-12-30", "2023-12-30"],
        name: |c| c.name("mysql"),
        body: mysql,
    },
    TypeRow {
        arm: REDIS,
        versions: &["2024-11-01", "2024-03-01"],
        name: |c| c.name("redis"),
        body: redis,
    },
    TypeRow {
        arm: FACTORY,
        versions: &["2018-06-01"],
        name: |c| c.name("adf"),
        body: factory,
    },
    TypeRow {
        arm: DATABRICKS,
        versions: &["2026-01-01", "2024-05-01"],
        name: |c| c.name("dbw"),
        body: databricks,
    },
    TypeRow {
        arm: KUSTO,
        versions: &["2025-02-14", "2024-04-13"],
        name: kusto_name,
        body: kusto,
    },
    TypeRow {
        arm: STREAM,
        versions: &["2020-03-01"],
        name: |c| c.name("asa"),
        body: stream,
    },
];

fn below_sql(c: &Cx<'_>, prefix: &str) -> String {
    let server = c.sibling(SQL, 0).map_or_else(String::new, |server| server.own_name());
    format!("{server}/{}", c.name(prefix))
}

fn sql(c: &Cx<'_>) -> Value {
    json!({"kind": "v12.0", "properties": {
        "administratorLogin": "sqladmin", "version": "12.0", "state": "Ready", "fullyQualifiedDomainName": format!("{}.database.windows.net", c.own_name()),
        "privateEndpointConnections": [], "minimalTlsVersion": "1.2", "publicNetworkAccess": "Disabled", "restrictOutboundNetworkAccess": "Disabled",
        "externalGovernanceStatus": "Disabled",
        "administrators": {
            "administratorType": "ActiveDirectory", "principalType": "Group", "login": "sql-admins", "sid": c.directory_group("admins"), "tenantId": c.tenant(),
            "azureADOnlyAuthentication": c.one_of("only", 2) == 0,
        },
    }})
}

fn database(c: &Cx<'_>) -> Value {
    let pooled = c.count(SQL_POOL) > 0 && c.ord() == 1;
    let sku = if pooled {
        json!({"name": "ElasticPool", "tier": "Standard", "capacity": 0})
    } else {
        json!({"name": "S1", "tier": "Standard", "capacity": 20})
    };
    json!({"sku": sku, "kind": if pooled { "v12.0,user,pool" } else { "v12.0,user" }, "properties": {
        "collation": "SQL_Latin1_General_CP1_CI_AS", "maxSizeBytes": 268_435_456_000_u64, "status": "Online", "databaseId": c.guid("database"), "creationDate": c.time("created"),
        "currentServiceObjectiveName": if pooled { "ElasticPool" } else { "S1" }, "requestedServiceObjectiveName": if pooled { "ElasticPool" } else { "S1" },
        "defaultSecondaryLocation": "northeurope", "catalogCollation": "SQL_Latin1_General_CP1_CI_AS", "zoneRedundant": false, "readScale": "Disabled",
        "currentBackupStorageRedundancy": "Geo", "requestedBackupStorageRedundancy": "Geo", "isLedgerOn": false, "isInfraEncryptionEnabled": false,
        "availabilityZone": "NoPreference", "maintenanceConfigurationId": null, "elasticPoolId": if pooled { c.id(SQL_POOL, 0) } else { Value::Null },
        "currentSku": sku,
    }})
}

fn pool(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "StandardPool", "tier": "Standard", "capacity": 100}, "kind": "pool", "properties": {
        "state": "Ready", "creationDate": c.time("created"), "maxSizeBytes": 107_374_182_400_u64, "perDatabaseSettings": {"minCapacity": 0.0, "maxCapacity": 100.0},
        "zoneRedundant": false, "availabilityZone": "NoPreference",
    }})
}

fn cosmos(c: &Cx<'_>) -> Value {
    let name = c.own_name();
    let place = json!([{
        "id": format!("{name}-{}", c.location()), "locationName": c.location(), "documentEndpoint": format!("https://{name}-{}.documents.azure.com:443/", c.location()),
        "provisioningState": "Succeeded", "failoverPriority": 0, "isZoneRedundant": false,
    }]);
    json!({"kind": "GlobalDocumentDB", "properties": {
        "provisioningState": "Succeeded", "documentEndpoint": format!("https://{name}.documents.azure.com:443/"), "publicNetworkAccess": "Enabled",
        "enableAutomaticFailover": false, "enableMultipleWriteLocations": false, "isVirtualNetworkFilterEnabled": true, "disableKeyBasedMetadataWriteAccess": false,
        "virtualNetworkRules": [{"id": c.part(VNET, 0, "subnets/default"), "ignoreMissingVNetServiceEndpoint": true}],
        "enableFreeTier": false, "enableAnalyticalStorage": false, "analyticalStorageConfiguration": {"schemaType": "WellDefined"}, "instanceId": c.guid("instance"),
        "databaseAccountOfferType": "Standard", "defaultIdentity": "FirstPartyIdentity", "networkAclBypass": "None", "disableLocalAuth": false,
        "enablePartitionMerge": false, "minimalTlsVersion": "Tls12",
        "consistencyPolicy": {"defaultConsistencyLevel": "Session", "maxIntervalInSeconds": 5, "maxStalenessPrefix": 100},
        "writeLocations": place, "readLocations": place, "locations": place,
        "failoverPolicies": [{"id": format!("{name}-{}", c.location()), "locationName": c.location(), "failoverPriority": 0}],
        "cors": [], "capabilities": [{"name": "EnableServerless"}], "ipRules": [], "networkAclBypassResourceIds": [],
        "backupPolicy": {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}},
    }})
}

fn postgres(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"}, "properties": {
        "administratorLogin": "pgadmin", "version": "16", "minorVersion": "4", "state": "Ready", "availabilityZone": "1",
        "fullyQualifiedDomainName": format!("{}.postgres.database.azure.com", c.own_name()), "replicationRole": "Primary", "replicaCapacity": 5,
        "storage": {"type": "Premium_LRS", "iops": 120, "tier": "P4", "storageSizeGB": 32, "autoGrow": "Disabled"},
        "authConfig": {"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"}, "dataEncryption": {"type": "SystemManaged"},
        "backup": {"backupRetentionDays": 7, "geoRedundantBackup": "Disabled", "earliestRestoreDate": c.time("backup")},
        "network": {
            "publicNetworkAccess": "Disabled", "delegatedSubnetResourceId": c.part(VNET, 0, "subnets/snet-postgres"),
            "privateDnsZoneArmResourceId": c.id_in("dns", PRIVATE_ZONE, 5),
        },
        "highAvailability": {"mode": "Disabled", "state": "NotEnabled"}, "maintenanceWindow": {"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0},
    }})
}

fn mysql(c: &Cx<'_>) -> Value {
    json!({"sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"}, "properties": {
        "administratorLogin": "mysqladmin", "version": "8.0.21", "state": "Ready", "availabilityZone": "1", "replicationRole": "None", "replicaCapacity": 10,
        "fullyQualifiedDomainName": format!("{}.mysql.database.azure.com", c.own_name()),
        "storage": {"storageSizeGB": 64, "iops": 492, "autoGrow": "Enabled", "autoIoScaling": "Disabled", "storageSku": "Premium_LRS", "logOnDisk": "Disabled"},
        "backup": {"backupRetentionDays": 7, "geoRedundantBackup": "Disabled", "earliestRestoreDate": c.time("backup")},
        "network": {
            "publicNetworkAccess": "Disabled", "delegatedSubnetResourceId": c.part(VNET, 0, "subnets/snet-mysql"),
            "privateDnsZoneResourceId": c.id_in("dns", PRIVATE_ZONE, 6),
        },
        "highAvailability": {"mode": "Disabled", "state": "NotEnabled"}, "maintenanceWindow": {"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0},
    }})
}

fn redis(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "redisVersion": "6.0", "sku": {"name": "Standard", "family": "C", "capacity": 1}, "enableNonSslPort": false, "minimumTlsVersion": "1.2",
        "publicNetworkAccess": "Enabled", "hostName": format!("{}.redis.cache.windows.net", c.own_name()), "port": 6379, "sslPort": 6380, "linkedServers": [],
        "redisConfiguration": {"maxclients": "1000", "maxmemory-reserved": "125", "maxfragmentationmemory-reserved": "125", "maxmemory-delta": "125", "maxmemory-policy": "volatile-lru"},
        "disableAccessKeyAuthentication": false, "updateChannel": "Stable",
    }})
}

fn factory(c: &Cx<'_>) -> Value {
    // A planted secret: a connection string as a global parameter.
    let connection = format!(
        "Server=tcp:{}.database.windows.net,1433;Database=dw;User ID=loader;Password=P4-{};Encrypt=true;",
        c.name("sql"),
        c.guid("password")
    );
    json!({"identity": c.system_identity(), "properties": {
        "provisioningState": "Succeeded", "createTime": c.time("created"), "version": "2018-06-01", "publicNetworkAccess": "Enabled", "encryption": {},
        "globalParameters": {"environment": {"type": "String", "value": "prod"}, "warehouse": {"type": "String", "value": connection}},
    }})
}

fn databricks(c: &Cx<'_>) -> Value {
    let managed = c.block * PLAN.stamps.len() + PLAN.stamp_of("databricks");
    let number = 1_000_000_000_000_000 + c.one_of("workspace", 8_000_000_000_000_000);
    json!({"sku": {"name": "premium"}, "properties": {
        "provisioningState": "Succeeded", "computeMode": "Hybrid", "managedResourceGroupId": c.world.group_id(managed), "createdDateTime": c.time("created"),
        "authorizations": [{"principalId": c.principal_of_first_party(3), "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}],
        "createdBy": {"oid": c.user("author"), "applicationId": c.guid("application")}, "updatedBy": {"oid": c.user("author"), "applicationId": c.guid("application")},
        "workspaceId": number.to_string(), "workspaceUrl": format!("adb-{number}.{}.azuredatabricks.net", number % 20), "publicNetworkAccess": "Enabled",
        "parameters": {"enableNoPublicIp": {"type": "Bool", "value": true}, "requireInfrastructureEncryption": {"type": "Bool", "value": false}, "storageAccountSkuName": {"type": "String", "value": "Standard_GRS"}},
    }})
}

/// Names of clusters have at most 22 characters, and no hyphens.
fn kusto_name(c: &Cx<'_>) -> String {
    format!("dec{}{:04}{:02}", c.stem(), c.group(), c.ord() + 1)
}

fn kusto(c: &Cx<'_>) -> Value {
    let (name, region) = (c.own_name(), c.location());
    json!({"sku": {"name": "Standard_E2ads_v5", "tier": "Standard", "capacity": 2}, "properties": {
        "provisioningState": "Succeeded", "state": "Running", "uri": format!("https://{name}.{region}.kusto.windows.net"),
        "dataIngestionUri": format!("https://ingest-{name}.{region}.kusto.windows.net"), "stateReason": "", "trustedExternalTenants": [], "enableDiskEncryption": false,
        "enableStreamingIngest": false, "enablePurge": false, "enableDoubleEncryption": false, "engineType": "V3", "acceptedAudiences": [], "enableAutoStop": true,
        "publicNetworkAccess": "Enabled", "allowedIpRangeList": [], "publicIPType": "IPv4", "restrictOutboundNetworkAccess": "Disabled", "allowedFqdnList": [],
    }})
}

fn stream(c: &Cx<'_>) -> Value {
    let hub = c.sibling(EVENT_HUB, 0).map_or_else(String::new, |hub| hub.own_name());
    json!({"properties": {
        "provisioningState": "Succeeded", "sku": {"name": "Standard"}, "jobId": c.guid("job"), "jobState": "Created", "jobType": "Cloud", "eventsOutOfOrderPolicy": "Adjust",
        "outputErrorPolicy": "Drop", "eventsOutOfOrderMaxDelayInSeconds": 5, "eventsLateArrivalMaxDelayInSeconds": 16, "dataLocale": "en-US", "compatibilityLevel": "1.2",
        "createdDate": c.time("created"), "contentStoragePolicy": "SystemAccount",
        "transformation": {"name": "main", "type": "Microsoft.StreamAnalytics/streamingjobs/transformations", "properties": {"streamingUnits": 3, "query": format!("SELECT *\nINTO [output]\nFROM [{hub}]")}},
    }})
}
