//! Backup vaults and maintenance windows.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::{BACKUP_VAULT, MAINTENANCE, RSV, TypeRow};

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: RSV,
        versions: &["2026-07-01", "2025-02-01", "2024-04-01"],
        name: |c| c.name("rsv"),
        body: recovery_vault,
    },
    TypeRow {
        arm: BACKUP_VAULT,
        versions: &["2026-06-01", "2025-09-01"],
        name: |c| c.name("bvault"),
        body: backup_vault,
    },
    TypeRow {
        arm: MAINTENANCE,
        versions: &["2023-04-01", "2021-05-01"],
        name: |c| c.name("mc"),
        body: maintenance,
    },
];

fn recovery_vault(c: &Cx<'_>) -> Value {
    json!({"identity": c.system_identity(), "sku": {"name": "RS0", "tier": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled", "privateEndpointStateForBackup": "None", "privateEndpointStateForSiteRecovery": "None",
        "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
        "securitySettings": {"softDeleteSettings": {"softDeleteState": "Enabled", "softDeleteRetentionPeriodInDays": 14, "enhancedSecurityState": "Enabled"}},
    }})
}

fn backup_vault(_: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
        "securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0}}, "isVaultProtectedByResourceGuard": false,
        "monitoringSettings": {"azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"}},
    }})
}

fn maintenance(_: &Cx<'_>) -> Value {
    json!({"properties": {
        "namespace": "Microsoft.Maintenance", "maintenanceScope": "InGuestPatch", "visibility": "Custom", "extensionProperties": {"InGuestPatchMode": "User"},
        "maintenanceWindow": {"startDateTime": "2024-06-01 02:00", "duration": "03:00", "timeZone": "W. Europe Standard Time", "recurEvery": "1Week Saturday"},
        "installPatches": {
            "rebootSetting": "IfRequired",
            "linuxParameters": {"classificationsToInclude": ["Critical", "Security"]},
            "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
        },
    }})
}
