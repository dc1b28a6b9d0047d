//! Machines, their disks, images and extensions.

use serde_json::{Value, json};

use super::super::cx::Cx;
use super::network::link;
use super::{
    AVSET, DES, DISK, EXT, GALLERY, GALLERY_IMAGE, IMAGE, LB, NIC, NSG, PPG, SNAPSHOT, SSH, STORAGE, TypeRow, VAULT,
    VM, VMSS, VNET,
};

const VERSIONS: &[&str] = &["2026-04-01", "2025-11-01", "2024-07-01"];
const DISK_VERSIONS: &[&str] = &["2026-03-02", "2025-01-02", "2024-03-02"];
const GALLERY_VERSIONS: &[&str] = &["2025-12-03", "2024-03-03"];

pub(super) const ROWS: &[TypeRow] = &[
    TypeRow {
        arm: VM,
        versions: VERSIONS,
        name: |c| c.name("vm"),
        body: machine,
    },
    TypeRow {
        arm: EXT,
        versions: VERSIONS,
        name: extension_name,
        body: extension,
    },
    TypeRow {
        arm: DISK,
        versions: DISK_VERSIONS,
        name: |c| c.name("disk"),
        body: disk,
    },
    TypeRow {
        arm: SNAPSHOT,
        versions: DISK_VERSIONS,
        name: |c| c.name("snap"),
        body: snapshot,
    },
    TypeRow {
        arm: IMAGE,
        versions: VERSIONS,
        name: |c| c.name("img"),
        body: image,
    },
    TypeRow {
        arm: GALLERY,
        versions: GALLERY_VERSIONS,
        name: |c| c.compact("gal"),
        body: gallery,
    },
    TypeRow {
        arm: GALLERY_IMAGE,
        versions: GALLERY_VERSIONS,
        name: gallery_image_name,
        body: gallery_image,
    },
    TypeRow {
        arm: AVSET,
        versions: VERSIONS,
        name: |c| c.name("avail"),
        body: availability_set,
    },
    TypeRow {
        arm: PPG,
        versions: VERSIONS,
        name: |c| c.name("ppg"),
        body: placement,
    },
    TypeRow {
        arm: VMSS,
        versions: VERSIONS,
        name: |c| c.name("vmss"),
        body: scale_set,
    },
    TypeRow {
        arm: DES,
        versions: DISK_VERSIONS,
        name: |c| c.name("des"),
        body: encryption_set,
    },
    TypeRow {
        arm: SSH,
        versions: VERSIONS,
        name: |c| c.name("ssh"),
        body: ssh_key,
    },
];

/// A public key of nobody: its modulus is a random number.
const PUBLIC_KEY: &str = concat!(
    "ssh-rsa ",
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQD9DFeGWuEYDQuNvs7x5PlRtuYmwk7/j5J6eY2EIrOFLGj9OYwsKpeDj0RhROzz0S/auLMu",
    "8CMaAFOw9qT6UkxpdcDI4C1T02E/Qel+HQ+NG7Ib+7uhoL0qBWmXdfUaIowfNyGcRN7fwP2Jf9V0QPS/kCUzMnXA1VlYgpOB4z/l",
    "9IY3ETVhdrcH437f5/FC3v4qkqTKkvxbn01pNp3qUJExflgMpkSgp2afj4OJtEc2fBvfY26GIVSl8+HqH1z6aDgtfCSmtvYt81vr",
    "qeyBxNC4sBpRO7tlO2/S8GVw+LRPU3kNOjjo8a16SmjT8jP3lbI+MHV5RVLuTMYtSuaeDMll",
    " ops@contoso",
);

fn is_windows(c: &Cx<'_>) -> bool {
    matches!(c.role(), "identity" | "desktops") || c.one_of("os", 3) == 0
}

/// The machine that a disk belongs to: first one system disk each, then one for data each.
fn disk_machine<'w>(c: &Cx<'w>) -> Option<(Cx<'w>, bool)> {
    let machines = c.count(VM);
    let owner = c.ord().checked_rem(machines)?;
    (c.ord() < machines * 2).then_some(())?;
    Some((c.sibling(VM, owner)?, c.ord() < machines))
}

fn size(c: &Cx<'_>) -> &'static str {
    c.choose(
        "size",
        &[
            "Standard_D2s_v5",
            "Standard_D4s_v5",
            "Standard_B2ms",
            "Standard_E4s_v5",
            "Standard_F2s_v2",
        ],
    )
}

fn machine(c: &Cx<'_>) -> Value {
    let windows = is_windows(c);
    let machines = c.count(VM);
    let computer = format!("vm{:06}-{:02}", c.group(), c.ord() + 1);
    let image = if windows {
        json!({"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-azure-edition", "version": "latest", "exactVersion": "20348.2762.241006"})
    } else {
        json!({"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest", "exactVersion": "22.04.202410020"})
    };
    let data: Vec<Value> = c
        .sibling(DISK, machines + c.ord())
        .filter(Cx::exists)
        .map(|disk| json!({
            "lun": 0, "name": disk.own_name(), "createOption": "Attach", "caching": "ReadOnly", "writeAcceleratorEnabled": false,
            "managedDisk": {"storageAccountType": disk_sku(&disk), "id": disk.own_id()}, "deleteOption": "Detach", "diskSizeGB": disk_size(&disk), "toBeDetached": false,
        }))
        .into_iter()
        .collect();
    let cards: Vec<Value> = (0..2)
        .filter_map(|at| c.sibling(NIC, c.ord() + at * machines))
        .filter(Cx::exists)
        .map(|nic| json!({"id": nic.own_id(), "properties": {"primary": nic.ord() == c.ord(), "deleteOption": "Detach"}}))
        .collect();
    let os_disk = c.sibling(DISK, c.ord());
    json!({
        "identity": c.user_identity(0),
        "properties": {
            "provisioningState": "Succeeded", "vmId": c.guid("vm"), "timeCreated": c.time("created"),
            "hardwareProfile": {"vmSize": size(c)},
            "availabilitySet": link(c.id(AVSET, 0)),
            "storageProfile": {
                "imageReference": image, "dataDisks": data, "diskControllerType": "SCSI",
                "osDisk": {
                    "osType": if windows { "Windows" } else { "Linux" }, "name": os_disk.map(|disk| disk.own_name()), "createOption": "FromImage",
                    "caching": "ReadWrite", "deleteOption": "Detach", "diskSizeGB": os_disk.map(|disk| disk_size(&disk)),
                    "managedDisk": {"storageAccountType": os_disk.map(|disk| disk_sku(&disk)), "id": c.id(DISK, c.ord())},
                },
            },
            "osProfile": os_profile(&computer, windows),
            "networkProfile": {"networkInterfaces": cards},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": boot_storage(c)}},
            "licenseType": if windows { Some("Windows_Server") } else { None },
            "securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": true, "vTpmEnabled": true}},
        },
    })
}

fn boot_storage(c: &Cx<'_>) -> Value {
    let here = c
        .sibling(STORAGE, 0)
        .or_else(|| c.there("monitor", STORAGE, 0))
        .filter(Cx::exists);
    here.map_or(Value::Null, |account| {
        Value::String(format!("https://{}.blob.core.windows.net/", account.own_name()))
    })
}

fn os_profile(computer: &str, windows: bool) -> Value {
    if windows {
        return json!({
            "computerName": computer, "adminUsername": "azureadmin", "secrets": [], "allowExtensionOperations": true, "requireGuestProvisionSignal": true,
            "windowsConfiguration": {
                "provisionVMAgent": true, "enableAutomaticUpdates": true,
                "patchSettings": {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault", "enableHotpatching": false},
            },
        });
    }
    json!({
        "computerName": computer, "adminUsername": "azureuser", "secrets": [], "allowExtensionOperations": true, "requireGuestProvisionSignal": true,
        "linuxConfiguration": {
            "disablePasswordAuthentication": true, "provisionVMAgent": true,
            "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]},
            "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
        },
    })
}

fn extension_kind(c: &Cx<'_>) -> (&'static str, &'static str, &'static str, &'static str) {
    let machines = c.count(VM).max(1);
    let windows = c.sibling(VM, c.ord() % machines).is_some_and(|vm| is_windows(&vm));
    match (c.ord() / machines, windows) {
        (0, true) => (
            "AzureMonitorWindowsAgent",
            "Microsoft.Azure.Monitor",
            "AzureMonitorWindowsAgent",
            "1.31",
        ),
        (0, false) => (
            "AzureMonitorLinuxAgent",
            "Microsoft.Azure.Monitor",
            "AzureMonitorLinuxAgent",
            "1.33",
        ),
        (1, true) => ("IaaSAntimalware", "Microsoft.Azure.Security", "IaaSAntimalware", "1.7"),
        (1, false) => (
            "AADSSHLoginForLinux",
            "Microsoft.Azure.ActiveDirectory",
            "AADSSHLoginForLinux",
            "1.0",
        ),
        (_, true) => ("bootstrap", "Microsoft.Compute", "CustomScriptExtension", "1.10"),
        (_, false) => ("bootstrap", "Microsoft.Azure.Extensions", "CustomScript", "2.1"),
    }
}

fn extension_name(c: &Cx<'_>) -> String {
    let machines = c.count(VM).max(1);
    let machine = c
        .sibling(VM, c.ord() % machines)
        .map_or_else(String::new, |vm| vm.own_name());
    format!("{machine}/{}", extension_kind(c).0)
}

fn extension(c: &Cx<'_>) -> Value {
    let (name, publisher, kind, version) = extension_kind(c);
    let settings = match name {
        // A planted secret: a signed address in public settings.
        "bootstrap" => {
            json!({"fileUris": [format!("https://{}.blob.core.windows.net/scripts/bootstrap.sh?sv=2023-01-03&sr=b&sp=r&sig={}%3D", c.compact("st"), c.guid("sig").replace('-', ""))], "commandToExecute": "sh bootstrap.sh"})
        }
        "IaaSAntimalware" => json!({"AntimalwareEnabled": true, "RealtimeProtectionEnabled": "true"}),
        _ => Value::Null,
    };
    json!({"properties": {
        "provisioningState": "Succeeded", "publisher": publisher, "type": kind, "typeHandlerVersion": version,
        "autoUpgradeMinorVersion": true, "enableAutomaticUpgrade": name.starts_with("AzureMonitor"), "settings": settings,
    }})
}

fn disk_sku(c: &Cx<'_>) -> &'static str {
    c.choose(
        "sku",
        &["Premium_LRS", "StandardSSD_LRS", "Premium_LRS", "Standard_LRS"],
    )
}

fn disk_size(c: &Cx<'_>) -> u32 {
    let system = disk_machine(c).is_some_and(|(_, system)| system);
    if system {
        128
    } else {
        c.choose("gb", &[64, 128, 256, 512, 1024])
    }
}

fn disk(c: &Cx<'_>) -> Value {
    let owner = disk_machine(c);
    let gigabytes = disk_size(c);
    let system = owner.filter(|(_, system)| *system).map(|(vm, _)| is_windows(&vm));
    let created = match system {
        Some(windows) => {
            let image = if windows {
                "MicrosoftWindowsServer/ArtifactTypes/VMImage/Offers/WindowsServer/Skus/2022-datacenter-azure-edition/Versions/20348.2762.241006"
            } else {
                "Canonical/ArtifactTypes/VMImage/Offers/0001-com-ubuntu-server-jammy/Skus/22_04-lts-gen2/Versions/22.04.202410020"
            };
            json!({"createOption": "FromImage", "imageReference": {"id": format!("/Subscriptions/{}/Providers/Microsoft.Compute/Locations/{}/Publishers/{image}", c.subscription(), c.location())}})
        }
        None => json!({"createOption": "Empty"}),
    };
    let attached = owner.map(|(vm, _)| vm).filter(Cx::exists);
    json!({
        "sku": {"name": disk_sku(c), "tier": if disk_sku(c).starts_with("Premium") { "Premium" } else { "Standard" }},
        "managedBy": attached.map(|vm| vm.own_id()),
        "properties": {
            "provisioningState": "Succeeded", "osType": system.map(|windows| if windows { "Windows" } else { "Linux" }),
            "hyperVGeneration": system.map(|_| "V2"), "creationData": created, "diskSizeGB": gigabytes, "diskSizeBytes": u64::from(gigabytes) * 1_073_741_824,
            "diskIOPSReadWrite": 500, "diskMBpsReadWrite": 100, "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "timeCreated": c.time("created"), "uniqueId": c.guid("disk"), "diskState": if attached.is_some() { "Attached" } else { "Unattached" },
            "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled", "tier": "P10",
        },
    })
}

fn snapshot(c: &Cx<'_>) -> Value {
    let source = c.id(DISK, c.ord() % c.count(DISK).max(1));
    json!({"sku": {"name": "Standard_LRS", "tier": "Standard"}, "properties": {
        "provisioningState": "Succeeded", "creationData": {"createOption": "Copy", "sourceResourceId": source, "sourceUniqueId": c.guid("source")},
        "diskSizeGB": 128, "diskSizeBytes": 137_438_953_472_u64, "incremental": true, "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "timeCreated": c.time("created"), "uniqueId": c.guid("snapshot"), "diskState": "Unattached", "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled",
    }})
}

fn image(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "hyperVGeneration": "V2",
        "storageProfile": {"dataDisks": [], "zoneResilient": false, "osDisk": {
            "osType": "Linux", "osState": "Generalized", "diskSizeGB": 128, "caching": "ReadWrite", "storageAccountType": "Standard_LRS",
            "managedDisk": link(c.id(DISK, 0)),
        }},
    }})
}

fn gallery(c: &Cx<'_>) -> Value {
    json!({"properties": {
        "provisioningState": "Succeeded", "description": "Images of the platform team",
        "identifier": {"uniqueName": format!("{}-{}", c.subscription(), c.own_name().to_uppercase())},
    }})
}

fn gallery_image_name(c: &Cx<'_>) -> String {
    let gallery = c
        .sibling(GALLERY, 0)
        .map_or_else(String::new, |gallery| gallery.own_name());
    format!(
        "{gallery}/{}",
        if c.ord() == 0 {
            "ubuntu-hardened"
        } else {
            "windows-hardened"
        }
    )
}

fn gallery_image(c: &Cx<'_>) -> Value {
    let windows = c.ord() == 1;
    json!({"properties": {
        "provisioningState": "Succeeded", "osType": if windows { "Windows" } else { "Linux" }, "osState": "Generalized",
        "hyperVGeneration": "V2", "architecture": "x64",
        "identifier": {"publisher": "contoso", "offer": if windows { "windows" } else { "ubuntu" }, "sku": "hardened"},
        "recommended": {"vCPUs": {"min": 1, "max": 16}, "memory": {"min": 1, "max": 32}},
        "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
    }})
}

fn availability_set(c: &Cx<'_>) -> Value {
    let machines: Vec<Value> = c
        .all(VM)
        .map(|vm| {
            link(Value::String(vm.own_id().to_uppercase().replacen(
                "/SUBSCRIPTIONS/",
                "/subscriptions/",
                1,
            )))
        })
        .collect();
    json!({"sku": {"name": "Aligned"}, "properties": {"platformUpdateDomainCount": 5, "platformFaultDomainCount": 2, "virtualMachines": machines}})
}

fn placement(c: &Cx<'_>) -> Value {
    let sets: Vec<Value> = c.all(VMSS).map(|set| link(Value::String(set.own_id()))).collect();
    json!({"properties": {"proximityPlacementGroupType": "Standard", "virtualMachineScaleSets": sets}})
}

fn scale_set(c: &Cx<'_>) -> Value {
    json!({
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2 + c.one_of("capacity", 4)},
        "properties": {
            "provisioningState": "Succeeded", "uniqueId": c.guid("vmss"), "singlePlacementGroup": true, "orchestrationMode": "Uniform", "overprovision": false,
            "platformFaultDomainCount": 5, "upgradePolicy": {"mode": "Manual"}, "timeCreated": c.time("created"),
            "proximityPlacementGroup": link(c.id(PPG, 0)),
            "virtualMachineProfile": {
                "osProfile": {
                    "computerNamePrefix": "batch", "adminUsername": "azureuser", "secrets": [], "allowExtensionOperations": true,
                    "linuxConfiguration": {"disablePasswordAuthentication": true, "provisionVMAgent": true, "ssh": {"publicKeys": [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": PUBLIC_KEY}]}},
                },
                "storageProfile": {
                    "osDisk": {"osType": "Linux", "createOption": "FromImage", "caching": "ReadWrite", "diskSizeGB": 30, "managedDisk": {"storageAccountType": "Premium_LRS"}},
                    "imageReference": {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest"},
                },
                "networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": {
                    "primary": true, "enableAcceleratedNetworking": false, "enableIPForwarding": false, "dnsSettings": {"dnsServers": []},
                    "networkSecurityGroup": link(c.id(NSG, 1)),
                    "ipConfigurations": [{"name": "internal", "properties": {
                        "primary": true, "privateIPAddressVersion": "IPv4", "subnet": link(c.part(VNET, 0, "subnets/snet-app")),
                        "loadBalancerBackendAddressPools": [link(c.part(LB, 0, "backendAddressPools/backend"))],
                    }}],
                }}]},
                "diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": boot_storage(c)}},
            },
        },
    })
}

fn encryption_set(c: &Cx<'_>) -> Value {
    let vault = c.sibling(VAULT, 0);
    let name = vault.map_or_else(String::new, |vault| vault.own_name().to_lowercase());
    json!({
        "identity": c.system_identity(),
        "properties": {
            "provisioningState": "Succeeded", "encryptionType": "EncryptionAtRestWithCustomerKey", "rotationToLatestKeyVersionEnabled": false,
            "activeKey": {"sourceVault": link(c.id(VAULT, 0)), "keyUrl": format!("https://{name}.vault.azure.net/keys/disk-key/{}", c.guid("key").replace('-', ""))},
        },
    })
}

fn ssh_key(_: &Cx<'_>) -> Value {
    json!({"properties": {"publicKey": PUBLIC_KEY}})
}
