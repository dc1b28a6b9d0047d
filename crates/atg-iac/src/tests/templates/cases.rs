//! Small worlds in both languages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::cases::tenant;
use super::super::{SUBSCRIPTION, conserved, group, node, resource_group, run_with, text};
use super::read::ReadBack;
use super::{arm_reader, bicep_reader, run};
use crate::{Format, Options, Output};

fn in_group(rest: &str) -> String {
    format!("{}/providers/{rest}", group("rg-app"))
}

/// Both languages say the same, and all that the report says.
pub(super) fn same(nodes: &[atg_models::graph::Node]) -> (Output, ReadBack) {
    same_with(nodes, &Options::default())
}

pub(super) fn same_with(nodes: &[atg_models::graph::Node], options: &Options) -> (Output, ReadBack) {
    let [arm, bicep] = [Format::Arm, Format::Bicep].map(|format| {
        let options = Options {
            format,
            ..options.clone()
        };
        run_with(nodes.to_vec(), &options)
    });
    conserved(&arm);
    conserved(&bicep);
    let (one, two) = (arm_reader::read(&arm), bicep_reader::read(&bicep));
    for (id, resource) in &one.resources {
        assert_eq!(Some(resource), two.resources.get(id), "{id}");
    }
    assert_eq!(one, two);
    let ids = arm.report.emitted_resources.iter().map(|entry| entry.id.to_lowercase());
    assert_eq!(ids.collect::<BTreeSet<_>>(), one.resources.keys().cloned().collect());
    (arm, one)
}

fn body<'a>(read: &'a ReadBack, id: &str) -> &'a Value {
    &read.resources[&id.to_lowercase()].body
}

fn shown(output: &Output) -> String {
    let files = output.files.iter().filter(|file| file.path != "report.json");
    let all: Vec<String> = files
        .map(|file| format!("==> {} <==\n{}\n", file.path, String::from_utf8_lossy(&file.bytes)))
        .collect();
    all.concat()
}

#[test]
fn a_small_tenant_as_arm() {
    insta::assert_snapshot!(shown(&run(tenant(), Format::Arm)));
}

#[test]
fn a_small_tenant_as_bicep() {
    insta::assert_snapshot!(shown(&run(tenant(), Format::Bicep)));
}

#[test]
fn both_languages_say_the_same() {
    let (output, read) = same(&tenant());
    assert_eq!((output.report.emitted, output.report.reported), (8, 1));
    let nic = in_group("Microsoft.Network/networkInterfaces/nic");
    let configuration = &body(&read, &nic)["properties"]["ipConfigurations"][0]["properties"];
    let subnet = in_group("Microsoft.Network/virtualNetworks/vnet/subnets/web");
    assert_eq!(configuration["subnet"]["id"], subnet);
    assert_eq!(
        configuration["publicIPAddress"]["id"],
        "«param publicipaddresses_elsewhere»"
    );
    assert!(
        read.resources[&nic.to_lowercase()]
            .waits
            .contains(&subnet.to_lowercase())
    );
    assert_eq!(
        body(&read, &in_group("Contoso.Odd/things/one"))["properties"]["password"],
        "«param one_properties_password»"
    );
    assert_eq!(
        read.params["one_properties_password"],
        ("securestring".to_owned(), None)
    );
}

#[test]
fn groups_that_need_each_other_are_deployed_in_layers() {
    let net = |rg: &str| format!("{}/providers/Microsoft.Network/virtualNetworks/{rg}", group(rg));
    let peering = |rg: &str, other: &str| {
        node(
            &format!("{}/virtualNetworkPeerings/to-{other}", net(rg)),
            json!({"properties": {"remoteVirtualNetwork": {"id": net(other)}}}),
        )
    };
    let vnet = |rg: &str| {
        let body =
            json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
        node(&net(rg), body)
    };
    let (output, read) = same(&[
        resource_group("a"),
        resource_group("b"),
        vnet("a"),
        vnet("b"),
        peering("a", "b"),
        peering("b", "a"),
    ]);
    let second: Vec<&String> = read.deployments.keys().filter(|name| name.ends_with("-02")).collect();
    assert_eq!(second, ["rg-a-02", "rg-b-02"]);
    assert!(read.deployments["rg-a-02"].1.contains("deployment rg-b"));
    assert!(output.report.notes.iter().all(|note| !note.note.contains("waited")));
}

#[test]
fn the_subnets_of_a_network_take_turns() {
    let net = in_group("Microsoft.Network/virtualNetworks/v");
    let subnet = |name: &str| format!("{net}/subnets/{name}");
    let properties = json!({"properties": {"addressPrefix": "10.0.0.0/24"}});
    let names = ["a", "b", "c"];
    let subnets = names.iter().map(|name| node(&subnet(name), properties.clone()));
    let network = node(&net, json!({"location": "westeurope", "properties": {}}));
    let (_, read) = same(&subnets.chain([resource_group("rg-app"), network]).collect::<Vec<_>>());
    for pair in names.windows(2) {
        let waits = &read.resources[&subnet(pair[1]).to_lowercase()].waits;
        assert_eq!(
            waits,
            &BTreeSet::from([net.to_lowercase(), subnet(pair[0]).to_lowercase()])
        );
    }
}

#[test]
fn a_cycle_is_cut_with_a_note_and_the_id_stays() {
    let (one, two) = (in_group("Contoso.Odd/things/one"), in_group("Contoso.Odd/things/two"));
    let thing = |other: &str| json!({"apiVersion": "2024-01-01", "properties": {"other": other}});
    let (output, read) = same(&[
        resource_group("rg-app"),
        node(&one, thing(&two)),
        node(&two, thing(&one)),
    ]);
    for (own, other) in [(&one, &two), (&two, &one)] {
        assert_eq!(body(&read, own)["properties"]["other"], other.as_str());
    }
    let waits: usize = read.resources.values().map(|resource| resource.waits.len()).sum();
    assert_eq!(waits, 1);
    assert_eq!(output.report.notes.len(), 1, "{:?}", output.report.notes);
}

#[test]
fn every_scope_has_a_template_of_its_own() {
    let management = "/providers/Microsoft.Management/managementGroups/top";
    let definition = format!("{management}/providers/Microsoft.Authorization/policyDefinitions/no-public-ip");
    let other = "/subscriptions/bbbbbbbb-0000-0000-0000-000000000002";
    let policy = json!({"properties": {"policyType": "Custom", "mode": "All", "policyRule": {"if": {}, "then": {"effect": "[parameters('effect')]"}}}});
    let lock = json!({"properties": {"level": "CanNotDelete"}});
    let assignment = json!({"properties": {"policyDefinitionId": definition}});
    let (output, read) = same(&[
        node(&definition, policy),
        node(
            &format!("{management}/providers/Microsoft.Authorization/policyAssignments/assigned"),
            assignment.clone(),
        ),
        node(
            &format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/assigned"),
            assignment,
        ),
        resource_group("rg-app"),
        node(
            &format!("{}/providers/Microsoft.Authorization/locks/keep", group("rg-app")),
            lock.clone(),
        ),
        node(
            &in_group(
                "Microsoft.ManagedIdentity/userAssignedIdentities/id/providers/Microsoft.Authorization/locks/keep",
            ),
            lock,
        ),
        node(
            &format!("{other}/resourceGroups/rg-app"),
            json!({"location": "westeurope"}),
        ),
    ]);
    let mut files: Vec<&str> = output.files.iter().map(|file| file.path.as_str()).collect();
    files.retain(|path| path.ends_with(".json") && *path != "report.json");
    assert_eq!(
        files,
        [
            "main-bbbbbbbb-0000-0000-0000-000000000002.json",
            "main.json",
            "mg-top.json"
        ]
    );
    let then = &body(&read, &definition)["properties"]["policyRule"]["then"];
    assert_eq!(then["effect"], "[parameters('effect')]");
    let readme = text(&output, "README.md");
    assert!(readme.find("mg-top.json") < readme.find("main.json"), "{readme}");
}

#[test]
fn an_identity_made_here_is_asked_for_its_object_id() {
    let identity = in_group("Microsoft.ManagedIdentity/userAssignedIdentities/id");
    let principal = "77777777-0000-0000-0000-000000000001";
    let assignment = format!(
        "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/abababab-0000-0000-0000-000000000002"
    );
    let app = in_group("Microsoft.Web/sites/app");
    let (_, read) = same(&[
        resource_group("rg-app"),
        node(
            &identity,
            json!({"location": "westeurope", "properties": {"principalId": principal}}),
        ),
        node(
            &assignment,
            json!({"properties": {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": principal}}),
        ),
        node(
            &app,
            json!({"location": "westeurope", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.clone(): {"clientId": "x"}}}, "properties": {}}),
        ),
    ]);
    let expected = format!("«{}.properties.principalId»", identity.to_lowercase());
    assert_eq!(body(&read, &assignment)["properties"]["principalId"], expected);
    assert!(
        read.resources[&assignment.to_lowercase()]
            .waits
            .contains("deployment rg-rg-app")
    );
    assert_eq!(
        body(&read, &app)["identity"]["userAssignedIdentities"],
        json!({identity: {}})
    );
}

#[test]
fn a_part_of_the_resource_itself_is_named_and_not_waited_for() {
    let balancer = in_group("Microsoft.Network/loadBalancers/lb");
    let frontend = format!("{balancer}/frontendIPConfigurations/fe");
    let (output, read) = same(&[
        resource_group("rg-app"),
        node(
            &balancer,
            json!({"location": "westeurope", "properties": {"frontendIPConfigurations": [{"name": "fe", "properties": {}}],
                "loadBalancingRules": [{"name": "r", "properties": {"frontendIPConfiguration": {"id": frontend}, "protocol": "Tcp", "frontendPort": 80}}]}}),
        ),
    ]);
    let rule = &body(&read, &balancer)["properties"]["loadBalancingRules"][0]["properties"];
    assert_eq!(rule["frontendIPConfiguration"]["id"], frontend);
    assert!(read.resources[&balancer.to_lowercase()].waits.is_empty());
    assert!(output.report.notes.is_empty(), "{:?}", output.report.notes);
}

#[test]
fn what_the_type_does_not_know_is_left_out_and_listed() {
    let account = in_group("Microsoft.Storage/storageAccounts/abc");
    let (output, read) = same(&[
        resource_group("rg-app"),
        node(
            &account,
            json!({"location": "westeurope", "SKU": {"Name": "standard_lrs", "tier": "Standard"}, "kind": "storagev2",
                "properties": {"Invented": [{"deep": 1}], "provisioningState": "Succeeded", "supportsHttpsTrafficOnly": "true"}}),
        ),
    ]);
    let expected = json!({"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {"supportsHttpsTrafficOnly": true}});
    assert_eq!(body(&read, &account), &expected);
    let left_out: Vec<&str> = output.report.left_out.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(left_out, ["properties.invented"]);
}

#[test]
fn what_is_required_and_unknown_is_a_parameter() {
    let vault = in_group("Microsoft.KeyVault/vaults/kv");
    let (output, read) = same(&[
        resource_group("rg-app"),
        node(
            &vault,
            json!({"location": "westeurope", "properties": {"sku": {"name": "standard"}}}),
        ),
    ]);
    assert_eq!(
        body(&read, &vault)["properties"]["tenantId"],
        "«param kv_properties_tenantid»"
    );
    assert_eq!(read.params["kv_properties_tenantid"], ("string".to_owned(), None));
    assert!(text(&output, "README.md").contains("`kv_properties_tenantid`"));
}

#[test]
fn a_group_is_split_where_a_template_would_be_too_large() {
    let many = (0..900).map(|at| {
        let properties = json!({"text": "x".repeat(3_000), "at": at, "password": if at < 300 { atg_models::secrets::MARKER } else { "" }});
        let body = json!({"apiVersion": "2024-01-01", "properties": properties});
        node(&in_group(&format!("Contoso.Odd/things/t{at:03}")), body)
    });
    let huge = json!({"apiVersion": "2024-01-01", "properties": {"text": "x".repeat(1_100_000)}});
    let asking: serde_json::Map<String, Value> = (0..300)
        .map(|at| (format!("p{at}"), json!(atg_models::secrets::MARKER)))
        .collect();
    let nodes: Vec<_> = many
        .chain([
            resource_group("rg-app"),
            node(&in_group("Contoso.Odd/things/huge"), huge),
            node(
                &in_group("Contoso.Odd/things/asking"),
                json!({"apiVersion": "2024-01-01", "properties": asking}),
            ),
        ])
        .collect();
    let (output, read) = same(&nodes);
    assert_eq!((output.report.emitted, output.report.reported), (901, 2));
    assert_eq!(read.params.len(), 300);
    assert!(read.deployments.len() > 3);
    let names: Vec<&str> = output.files.iter().map(|file| file.path.as_str()).collect();
    assert!(names.contains(&"main-02.json"), "{names:?}");
    super::corpus::within_limits(&output);
}

#[test]
fn what_stands_on_or_under_something_outside_names_it() {
    let lock = json!({"properties": {"level": "CanNotDelete"}});
    let subnet = in_group("Microsoft.Network/virtualNetworks/elsewhere/subnets/a");
    let on_account =
        in_group("Microsoft.Storage/storageAccounts/elsewhere/providers/Microsoft.Authorization/locks/keep");
    let on_subnet = format!("{subnet}/providers/Microsoft.Authorization/locks/keep");
    // The group is not written either.
    let (output, read) = same(&[
        node(&subnet, json!({"properties": {"addressPrefix": "10.0.0.0/24"}})),
        node(&on_account, lock.clone()),
        node(&on_subnet, lock),
    ]);
    assert_eq!(output.report.emitted, 3);
    assert!(
        read.resources[&on_subnet.to_lowercase()]
            .waits
            .contains(&subnet.to_lowercase())
    );
    let bicep = run(
        vec![node(&subnet, json!({"properties": {"addressPrefix": "10.0.0.0/24"}}))],
        Format::Bicep,
    );
    let module = text(&bicep, "modules/rg-rg-app.bicep");
    assert!(
        module.contains("resource virtualnetworks_elsewhere 'Microsoft.Network/virtualNetworks@"),
        "{module}"
    );
    assert!(module.contains("parent: virtualnetworks_elsewhere"), "{module}");
    assert!(text(&bicep, "main.bicep").contains("scope: resourceGroup('rg-app')"));
}

#[test]
fn subscriptions_that_need_each_other_are_deployed_in_turns() {
    let other = "/subscriptions/bbbbbbbb-0000-0000-0000-000000000002";
    let net = |subscription: &str| {
        format!("{subscription}/resourceGroups/rg-app/providers/Microsoft.Network/virtualNetworks/v")
    };
    let body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
    let peering = |own: &str, to: &str| {
        node(
            &format!("{}/virtualNetworkPeerings/p", net(own)),
            json!({"properties": {"remoteVirtualNetwork": {"id": net(to)}}}),
        )
    };
    let (output, read) = same(&[
        node(&net(SUBSCRIPTION), body.clone()),
        node(&net(other), body),
        peering(SUBSCRIPTION, other),
        peering(other, SUBSCRIPTION),
    ]);
    assert_eq!(read.resources.len(), 4);
    let order: Vec<String> = super::read::commands(&output)
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    let second = "main-bbbbbbbb-0000-0000-0000-000000000002";
    assert_eq!(
        order,
        [
            "main.json".to_owned(),
            format!("{second}.json"),
            "main-02.json".to_owned(),
            format!("{second}-02.json")
        ]
    );
}

#[test]
fn what_only_the_published_type_calls_a_secret_is_a_parameter_too() {
    let image = in_group("Microsoft.AzureStackHCI/galleryImages/i");
    let body = json!({"location": "westeurope", "properties": {"osType": "Linux", "imagePath": "pl4nt3d"}});
    let (output, read) = same(&[resource_group("rg-app"), node(&image, body)]);
    assert_eq!(read.params["i_properties_imagepath"], ("securestring".to_owned(), None));
    for file in &output.files {
        assert!(
            !String::from_utf8_lossy(&file.bytes).contains("pl4nt3d"),
            "{}",
            file.path
        );
    }
}

#[test]
fn nothing_at_all_is_still_something_to_read() {
    for format in [Format::Arm, Format::Bicep] {
        let output = run(Vec::new(), format);
        let names: Vec<&str> = output.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["README.md", "REPORT.md", "report.json"]);
    }
}
