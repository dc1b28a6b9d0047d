//! Small worlds, read as cases.

use atg_models::graph::{Node, NodeKind};
use atg_models::secrets::MARKER;
use serde_json::json;

use super::{SUBSCRIPTION, TENANT, conserved, group, node, principal, resource_group, run, run_with, text};
use crate::{ImportBlocks, Options, Reason};

fn in_group(rest: &str) -> String {
    format!("{}/providers/{rest}", group("rg-app"))
}

/// A network with a subnet and a rule, a machine's interface, a vault, an account, a role, a type without a row.
pub(super) fn tenant() -> Vec<Node> {
    let network = in_group("Microsoft.Network/virtualNetworks/vnet");
    let security = in_group("Microsoft.Network/networkSecurityGroups/nsg");
    let user = "99999999-0000-0000-0000-000000000001";
    let reader = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
    vec![
        resource_group("rg-app"),
        node(
            &network,
            json!({
                "location": "West Europe", "tags": {"env": "prod", "Cost Center": "${x}"},
                "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{
                    "name": "web", "id": format!("{network}/subnets/web"),
                    "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": security.to_uppercase()}},
                }]},
            }),
        ),
        node(
            &format!("{network}/subnets/web"),
            json!({"properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": security.to_uppercase()}}}),
        ),
        node(
            &security,
            json!({"location": "westeurope", "properties": {"securityRules": [{"name": "https", "properties": {
                "protocol": "TCP", "access": "allow", "direction": "Inbound", "priority": 100, "sourcePortRange": "*",
                "destinationPortRange": "443", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}}]}}),
        ),
        node(
            &in_group("Microsoft.Network/networkInterfaces/nic"),
            json!({"location": "westeurope", "properties": {"ipConfigurations": [{"name": "one", "properties": {
                "subnet": {"id": format!("{network}/subnets/web")}, "privateIPAllocationMethod": "Dynamic",
                "publicIPAddress": {"id": format!("{}/providers/Microsoft.Network/publicIPAddresses/elsewhere", group("other"))}}}]}}),
        ),
        node(
            &in_group("Microsoft.KeyVault/vaults/kv"),
            json!({"location": "westeurope", "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": true, "vaultUri": "https://kv.vault.azure.net/"}}),
        ),
        node(
            &in_group(
                "Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments/abababab-0000-0000-0000-000000000001",
            ),
            json!({"properties": {"roleDefinitionId": format!("{SUBSCRIPTION}{reader}"), "principalId": user, "principalType": "User"}}),
        ),
        node(
            reader,
            json!({"properties": {"roleName": "Reader", "type": "BuiltInRole"}}),
        ),
        principal(NodeKind::User, user, "Ada Lovelace"),
        node(
            &in_group("Contoso.Odd/things/one"),
            json!({"apiVersion": "2024-01-01", "location": "westeurope", "properties": {
                "network": {"id": format!("{network}/subnets/web")}, "password": MARKER, "count": 3}}),
        ),
        node(&in_group("Contoso.Odd/things/none"), json!({"properties": {}})),
    ]
}

#[test]
fn a_small_tenant() {
    let output = run(tenant());
    conserved(&output);
    let all: Vec<String> = output
        .files
        .iter()
        .filter(|file| file.path != "report.json")
        .map(|file| format!("==> {} <==\n{}\n", file.path, String::from_utf8_lossy(&file.bytes)))
        .collect();
    insta::assert_snapshot!(all.concat());
}

#[test]
fn what_has_no_version_is_reported_and_not_dropped() {
    let report = run(tenant()).report;
    assert_eq!((report.resources_in, report.emitted, report.reported), (9, 8, 1));
    assert_eq!(report.reported_resources[0].reason, Reason::NoApiVersion);
}

#[test]
fn import_ids_are_spelled_as_the_provider_wants() {
    let plan = in_group("microsoft.web/serverfarms/plan").replace("resourceGroups", "resourcegroups");
    let nodes = vec![
        resource_group("rg-app"),
        node(
            &plan,
            json!({"location": "westeurope", "sku": {"name": "B1"}, "properties": {"reserved": true}}),
        ),
    ];
    let options = Options {
        import_blocks: ImportBlocks::AllResources,
        ..Options::default()
    };
    let output = run_with(nodes.clone(), &options);
    let file = text(&output, "rg-rg-app.tf");
    assert!(
        file.contains(&format!(
            "{}/providers/Microsoft.Web/serverFarms/plan\"",
            group("rg-app")
        )),
        "{file}"
    );
    assert!(!text(&run(nodes), "rg-rg-app.tf").contains("import {"));
}

#[test]
fn a_second_subscription_gets_a_provider_of_its_own() {
    let other = "/subscriptions/bbbbbbbb-0000-0000-0000-000000000002/resourceGroups/rg-app";
    let output = run(vec![
        resource_group("rg-app"),
        node(other, json!({"location": "westeurope"})),
    ]);
    let providers = text(&output, "providers.tf");
    assert_eq!(providers.matches("provider \"azurerm\" {").count(), 2, "{providers}");
    assert_eq!(
        output
            .files
            .iter()
            .filter(|file| file.path.starts_with("rg-rg-app"))
            .count(),
        2
    );
    let texts: String = output
        .files
        .iter()
        .map(|file| String::from_utf8_lossy(&file.bytes))
        .collect();
    assert_eq!(texts.matches("= azurerm.").count(), 1);
}

#[test]
fn a_cycle_is_broken_with_a_note() {
    let (one, two) = (in_group("Contoso.Odd/things/one"), in_group("Contoso.Odd/things/two"));
    let body = |other: &str| json!({"apiVersion": "2024-01-01", "properties": {"other": other}});
    let output = run(vec![
        resource_group("rg-app"),
        node(&one, body(&two)),
        node(&two, body(&one)),
    ]);
    let file = text(&output, "rg-rg-app.tf");
    assert_eq!(file.matches("azapi_resource.").count(), 1, "{file}");
    assert!(output.report.notes.iter().any(|note| note.note.contains("refers back")));
}

#[test]
fn a_disk_of_a_machine_stands_in_its_block() {
    let machine = in_group("Microsoft.Compute/virtualMachines/vm");
    let disk = in_group("Microsoft.Compute/disks/os");
    let nodes = vec![
        resource_group("rg-app"),
        node(
            &machine,
            json!({"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": "Standard_B2s"},
                "storageProfile": {"osDisk": {"osType": "Linux", "name": "os", "createOption": "FromImage", "caching": "ReadWrite",
                    "managedDisk": {"id": disk, "storageAccountType": "Premium_LRS"}}},
                "networkProfile": {"networkInterfaces": []}}}),
        ),
        node(
            &disk,
            json!({"location": "westeurope", "managedBy": machine, "sku": {"name": "Premium_LRS"},
            "properties": {"osType": "Linux", "creationData": {"createOption": "FromImage"}}}),
        ),
    ];
    let report = run(nodes).report;
    let disk = report
        .emitted_resources
        .iter()
        .find(|entry| entry.id == disk)
        .expect("emitted");
    assert_eq!(disk.address, "azurerm_linux_virtual_machine.vm");
}

#[test]
fn the_identity_of_an_emitted_resource_is_a_reference() {
    let identity = in_group("Microsoft.ManagedIdentity/userAssignedIdentities/id");
    let principal = "77777777-0000-0000-0000-000000000001";
    let nodes = vec![
        resource_group("rg-app"),
        node(
            &identity,
            json!({"location": "westeurope", "properties": {"principalId": principal}}),
        ),
        node(
            &format!(
                "{}/providers/Microsoft.Authorization/roleAssignments/abababab-0000-0000-0000-000000000002",
                group("rg-app")
            ),
            json!({"properties": {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": principal}}),
        ),
    ];
    let output = run(nodes);
    let file = text(&output, "rg-rg-app.tf");
    assert!(
        file.contains("azurerm_user_assigned_identity.id.principal_id"),
        "{file}"
    );
    assert!(file.contains("azurerm_resource_group.rg_app.id"), "{file}");
}
