//! Code for another tenant, another subscription, or beside what was read: cases and laws.

use atg_models::graph::Node;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SUBSCRIPTION, TENANT, conserved, group, node, parsed, provider, resource_group, run_with, text};
use crate::{Format, ImportBlocks, Options, Output, Reason, Severity};

const TARGET_TENANT: &str = "77777777-7777-4777-8777-777777777777";
const TARGET: &str = "66666666-6666-4666-8666-666666666666";
const OTHER: &str = "bbbbbbbb-0000-0000-0000-000000000002";
const ADA: &str = "99999999-0000-0000-0000-000000000001";

fn source_subscription() -> &'static str {
    SUBSCRIPTION.rsplit('/').next().expect("an id")
}

fn to(tenant: bool, subscription: bool) -> Options {
    Options {
        target_tenant_id: tenant.then(|| TARGET_TENANT.to_owned()),
        target_subscription: subscription.then(|| TARGET.to_owned()),
        ..Options::default()
    }
}

fn with_suffix(suffix: &str) -> Options {
    Options {
        naming_suffix: Some(suffix.to_owned()),
        ..Options::default()
    }
}

fn in_group(rest: &str) -> String {
    format!("{}/providers/{rest}", group("rg-app"))
}

/// Everything but the report and the introduction, which say what the code rests on.
fn code(output: &Output) -> String {
    let files = output
        .files
        .iter()
        .filter(|file| !["report.json", "report.md", "readme.md"].contains(&file.path.to_lowercase().as_str()));
    let texts = files.map(|file| format!("==> {}\n{}", file.path, String::from_utf8_lossy(&file.bytes)));
    texts.collect::<Vec<_>>().concat()
}

fn holds_no_source(output: &Output, tenant: bool) -> Result<(), TestCaseError> {
    let code = code(output).to_lowercase();
    let mut sources = vec![source_subscription(), OTHER];
    if tenant {
        sources.extend([TENANT, ADA]);
    }
    for source in sources {
        for form in [source.to_owned(), source.replace('-', "")] {
            prop_assert!(!code.contains(&form), "{form} in\n{code}");
        }
    }
    Ok(())
}

/// A logic app that names ids within texts, a solution of a workspace, a machine with its disk, a vault and an account.
fn application() -> Vec<Node> {
    let vault = in_group("Microsoft.KeyVault/vaults/kv-shop");
    let disk = in_group("Microsoft.Compute/disks/vm-os");
    let mut nodes = super::cases::tenant();
    nodes.extend([
        node(&vault, json!({"location": "westeurope", "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [{"tenantId": TENANT, "objectId": ADA, "permissions": {"secrets": ["Get"]}}]}})),
        node(&in_group("Microsoft.Storage/storageAccounts/stshop"), json!({"location": "westeurope", "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"}, "properties": {}})),
        node(&in_group("Contoso.Odd/flows/flow"), json!({"apiVersion": "2024-01-01", "location": "westeurope", "properties": {
            "tenant": TENANT.to_uppercase(),
            "call": format!("@{{encodeURIComponent('{vault}/secrets/a')}}"),
            "encoded": format!("https://management.azure.com{}?x=1", vault.replace('/', "%2F")),
            "address": "https://KV-SHOP.vault.azure.net/secrets/a and https://stshop.blob.core.windows.net/c",
            "bare": {"storageAccountName": "stshop", "resourceGroupName": "RG-APP"},
            "text": format!("granted to {ADA} in {}", source_subscription().replace('-', "")),
            format!("{vault}"): {"name": "kv-shop", "id": vault},
            "elsewhere": format!("/subscriptions/{OTHER}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"),
        }})),
        node(&in_group("Microsoft.OperationalInsights/workspaces/logs"), json!({"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}}})),
        node(&in_group("Microsoft.OperationsManagement/solutions/SecurityInsights(logs)"), json!({"location": "westeurope",
            "plan": {"name": "SecurityInsights(logs)", "product": "OMSGallery/SecurityInsights", "publisher": "Microsoft"},
            "properties": {"workspaceResourceId": in_group("Microsoft.OperationalInsights/workspaces/logs")}})),
        node(&in_group("Contoso.Odd/machines/vm"), json!({"apiVersion": "2024-01-01", "properties": {
            "osDisk": {"name": "vm-os", "managedDisk": {"id": disk}}}})),
        node(&disk, json!({"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}})),
        node(&in_group("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"), json!({"location": "global", "properties": {}})),
    ]);
    nodes
}

#[test]
fn another_tenant_and_subscription() {
    let output = run_with(application(), &to(true, true));
    conserved(&output);
    holds_no_source(&output, true).expect("no id of the source");
    assert!(code(&output).contains("granted to ${var.principal_user_ada_lovelace} in 6666"));
    let wrong = provider::violations(&parsed(&output));
    assert!(wrong.is_empty(), "{wrong:#?}");
    let findings: Vec<String> = output
        .report
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{:?} {}: {}: {}",
                finding.severity, finding.option, finding.subject, finding.message
            )
        })
        .collect();
    let files = ["providers.tf", "variables.tf"];
    let files = files
        .map(|path| format!("==> {path}\n{}", text(&output, path)))
        .concat();
    insta::assert_snapshot!(format!("{}\n{files}", findings.join("\n")));
}

#[test]
fn templates_for_another_tenant_ask_for_what_has_no_counterpart() {
    for (format, parameter, within) in [
        (
            Format::Arm,
            "\"principal_user_ada_lovelace\": {",
            "\"[concat('granted to ', parameters('principal_user_ada_lovelace'), ' in 6666",
        ),
        (
            Format::Bicep,
            "param principal_user_ada_lovelace string",
            "'granted to ${principal_user_ada_lovelace} in 6666",
        ),
    ] {
        let options = Options {
            format,
            ..to(true, true)
        };
        let output = run_with(application(), &options);
        conserved(&output);
        holds_no_source(&output, true).expect("no id of the source");
        assert!(code(&output).contains(parameter), "{}", code(&output));
        assert!(code(&output).contains(within), "{}", code(&output));
    }
}

#[test]
fn another_tenant_alone_asks_for_the_subscription() {
    let options = Options {
        import_blocks: ImportBlocks::AllResources,
        ..to(true, false)
    };
    let output = run_with(application(), &options);
    conserved(&output);
    holds_no_source(&output, true).expect("no id of the source");
    let providers = text(&output, "providers.tf");
    assert!(providers.contains("subscription_id = var.subscription_"), "{providers}");
    assert!(!code(&output).contains("import {"));
    assert!(
        output
            .report
            .findings
            .iter()
            .any(|finding| finding.message.contains("target_subscription is not given"))
    );
}

#[test]
fn a_copy_beside_what_was_read() {
    let output = run_with(application(), &with_suffix("copy"));
    conserved(&output);
    let file = text(&output, "rg-rg-app-copy.tf");
    for expected in [
        "\"rg-app-copy\"",
        "\"kv-shop-copy\"",
        "\"stshopcopy\"",
        "https://kv-shop-copy.vault.azure.net/secrets/a and https://stshopcopy.blob.core.windows.net/c",
        "resourceGroups/rg-app-copy/providers/Microsoft.KeyVault/vaults/kv-shop-copy/secrets/a')}",
        "%2FresourceGroups%2Frg-app-copy%2Fproviders%2FMicrosoft.KeyVault%2Fvaults%2Fkv-shop-copy?x=1",
        "securityinsights_logs_copy",
        "encoded   = \"https://management.azure.com%2Fsubscriptions",
        "storageAccountName = \"stshopcopy\"",
        "resourceGroupName  = \"rg-app-copy\"",
        "name = \"vm-os-copy\"",
        "name                 = \"web\"",
        "\"privatelink.vaultcore.azure.net\"",
    ] {
        assert!(file.contains(expected), "{expected} in\n{file}");
    }
    let lower = file.to_lowercase();
    assert!(
        !lower.contains("abababab-0000"),
        "names that are GUIDs are unique in a tenant"
    );
    assert!(
        !lower.contains("vaults/kv-shop/") && !lower.contains("\"kv-shop\""),
        "{file}"
    );
}

#[test]
fn names_that_would_meet_are_kept_apart() {
    let vault = |name: &str| {
        node(
            &in_group(&format!("Microsoft.KeyVault/vaults/{name}")),
            json!({"location": "westeurope",
            "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}}),
        )
    };
    let output = run_with(
        vec![
            resource_group("rg-app"),
            vault("kv-shop-production-euw-1"),
            vault("kv-shop-production-euw-2"),
        ],
        &with_suffix("copy"),
    );
    let body = parsed(&output);
    let names = body.blocks().filter(|block| {
        block
            .labels()
            .first()
            .is_some_and(|label| label.as_str() == "azurerm_key_vault")
    });
    let names: std::collections::BTreeSet<String> = names
        .map(|block| {
            block
                .body()
                .attributes()
                .find(|attribute| attribute.key() == "name")
                .expect("a name")
                .expr()
                .to_string()
        })
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names.iter().all(|name| name.len() <= 26 && name.contains("-copy")),
        "{names:?}"
    );
}

#[test]
fn groups_of_two_subscriptions_that_become_one_stay_apart() {
    let other = format!("/subscriptions/{OTHER}/resourceGroups/rg-app");
    let assignment = |subscription: &str| {
        node(
            &format!("{subscription}/providers/Microsoft.Authorization/locks/lock"),
            json!({"apiVersion": "2020-05-01", "properties": {"level": "CanNotDelete"}}),
        )
    };
    let output = run_with(
        vec![
            resource_group("rg-app"),
            node(&other, json!({"location": "westeurope"})),
            assignment(SUBSCRIPTION),
            assignment(&format!("/subscriptions/{OTHER}")),
        ],
        &to(false, true),
    );
    conserved(&output);
    assert_eq!(
        (output.report.resources_in, output.report.reported),
        (4, 0),
        "{:?}",
        output.report.reported_resources
    );
    let ids: std::collections::BTreeSet<&str> = output
        .report
        .emitted_resources
        .iter()
        .map(|entry| entry.address.as_str())
        .collect();
    assert_eq!(ids.len(), 4);
    holds_no_source(&output, false).expect("no id of the source");
}

#[test]
fn what_comes_upon_the_id_of_another_is_reported() {
    let zone = |subscription: &str| format!("{subscription}/providers/Microsoft.Security/pricings/VirtualMachines");
    let body = json!({"apiVersion": "2023-01-01", "properties": {"pricingTier": "Free"}});
    let output = run_with(
        vec![
            node(&zone(SUBSCRIPTION), body.clone()),
            node(&zone(&format!("/subscriptions/{OTHER}")), body),
        ],
        &to(false, true),
    );
    conserved(&output);
    assert_eq!(output.report.reasons.get(&Reason::Conflict), Some(&1));
}

#[test]
fn principals_stay_within_a_tenant_and_other_subscriptions_are_asked_for() {
    let output = run_with(application(), &to(false, true));
    holds_no_source(&output, false).expect("no id of the source");
    let variables = text(&output, "variables.tf");
    assert!(variables.contains(ADA) && variables.contains(TENANT), "{variables}");
    let warned: Vec<_> = output
        .report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert_eq!(warned[0].subject, format!("subscription {OTHER}"));
}

#[test]
fn selective_imports_what_the_target_is_known_to_hold() {
    let there = format!("/subscriptions/{TARGET}/resourceGroups/rg-app");
    let mut nodes = super::cases::tenant();
    nodes.push(node(&there, json!({"location": "westeurope"})));
    nodes.push(node(
        &format!("{there}/providers/Microsoft.KeyVault/vaults/KV"),
        json!({"location": "westeurope"}),
    ));
    let filters = Some(
        format!("subscription={}", source_subscription())
            .parse()
            .expect("a filter"),
    );
    let options = Options {
        import_blocks: ImportBlocks::Selective,
        filters,
        ..to(false, true)
    };
    let imports = |output: &Output| code(output).matches("import {").count();
    assert_eq!(imports(&run_with(nodes.clone(), &options)), 2);
    // Nothing is known of a target that was not read, and all is known where the code is for the source itself.
    let unread = run_with(super::cases::tenant(), &options);
    assert_eq!(imports(&unread), 0);
    assert!(
        unread
            .report
            .findings
            .iter()
            .any(|finding| finding.message.contains("scan it first"))
    );
    let same = Options {
        target_subscription: None,
        ..options.clone()
    };
    assert_eq!(imports(&run_with(nodes.clone(), &same)), 9);
    let known = std::collections::BTreeSet::from([there.to_lowercase()]);
    let other_tenant = Options {
        target_tenant_id: Some(TARGET_TENANT.to_owned()),
        existing: Some(std::sync::Arc::new(known)),
        ..options
    };
    assert_eq!(imports(&run_with(nodes, &other_tenant)), 1);
}

/// Texts that name the source in some way.
fn naming() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        Just(source_subscription().to_owned()),
        Just(TENANT.to_owned()),
        Just(OTHER.to_owned()),
        Just(ADA.to_owned()),
        Just(in_group("Microsoft.KeyVault/vaults/kv")),
        Just(in_group("Microsoft.Network/virtualNetworks/vnet/subnets/web")),
        Just(format!("/providers/Microsoft.Management/managementGroups/{TENANT}")),
        Just("https://kv.vault.azure.net/".to_owned()),
    ];
    let form = 0..4_u8;
    (id, form, "[ a-z/'\"(]{0,3}", "[ a-z/'\")?]{0,3}").prop_map(|(id, form, before, behind)| {
        let id = match form {
            0 => id,
            1 => id.to_uppercase(),
            2 => id.replace('-', ""),
            _ => id.replace('/', "%2F"),
        };
        format!("{before}{id}{behind}")
    })
}

fn some_options() -> impl Strategy<Value = Options> {
    let suffix = proptest::option::of(prop_oneof![Just("copy".to_owned()), Just("-x1".to_owned())]);
    let location = proptest::option::of(Just("northeurope".to_owned()));
    let blocks = prop_oneof![
        Just(ImportBlocks::None),
        Just(ImportBlocks::AllResources),
        Just(ImportBlocks::Selective)
    ];
    let format = prop_oneof![2 => Just(Format::Terraform), 1 => Just(Format::Arm), 1 => Just(Format::Bicep)];
    (any::<(bool, bool, bool)>(), suffix, location, blocks, format).prop_map(
        |((tenant, subscription, fix_subnets), naming_suffix, location, import_blocks, format)| Options {
            format,
            naming_suffix,
            location,
            import_blocks,
            fix_subnets,
            register_providers: fix_subnets,
            ..to(tenant, subscription)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_id_of_the_source_is_left_and_nothing_is_lost(
        options in some_options(),
        values in proptest::collection::vec(naming(), 1..4),
        key in naming(),
    ) {
        let mut nodes = super::cases::tenant();
        nodes.push(node(&in_group("Contoso.Odd/things/names"), json!({"apiVersion": "2024-01-01",
            "tags": {"where": values[0]}, "properties": {"values": values, key: 1}})));
        nodes.push(node(&format!("/subscriptions/{OTHER}"), json!({})));
        let output = run_with(nodes.clone(), &options);
        conserved(&output);
        prop_assert_eq!(output.report.resources_in, 10);
        prop_assert_eq!(&output.files, &run_with(nodes, &options).files);
        if options.format == Format::Terraform {
            let wrong = provider::violations(&parsed(&output));
            prop_assert!(wrong.is_empty(), "{:?}", wrong);
        }
        if options.target_tenant_id.is_some() || options.target_subscription.is_some() {
            holds_no_source(&output, options.target_tenant_id.is_some())?;
        }
    }

    /// Whatever a resource is called: with a suffix every reference to it still leads to it.
    #[test]
    fn references_follow_every_new_name(name in "[A-Za-z][A-Za-z0-9-]{0,60}[a-z0-9]", suffix in "[a-z0-9][a-z0-9-]{0,13}[a-z0-9]") {
        let one = in_group(&format!("Contoso.Odd/things/{name}"));
        let body = |properties: Value| json!({"apiVersion": "2024-01-01", "properties": properties});
        let nodes = vec![
            resource_group("rg-app"),
            node(&one, body(json!({}))),
            node(&in_group("Contoso.Odd/others/user"), body(json!({"one": {"id": one.to_uppercase()}}))),
        ];
        let output = run_with(nodes, &with_suffix(&suffix));
        let file = code(&output);
        prop_assert_eq!(file.matches("id = azapi_resource.").count(), 1, "{}", file);
        prop_assert!(!file.contains("variable \""), "{}", file);
        prop_assert!(!file.contains(&format!("\"{name}\"")), "{}", file);
    }
}
