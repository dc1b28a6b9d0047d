//! The other options: filters, subnets, region, registration of providers.

use atg_models::graph::Node;
use serde_json::{Value, json};

use super::{conserved, group, node, resource_group, run, run_with, text};
use crate::{Options, ProviderVersion, Severity};

fn in_group(rest: &str) -> String {
    format!("{}/providers/{rest}", group("rg-app"))
}

fn network(space: &str, subnets: &[(&str, &str)]) -> Vec<Node> {
    let id = in_group("Microsoft.Network/virtualNetworks/vnet");
    let inline: Vec<Value> = subnets
        .iter()
        .map(|(name, prefix)| json!({"name": name, "id": format!("{id}/subnets/{name}"), "properties": {"addressPrefix": prefix}}))
        .collect();
    let body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": [space]}, "subnets": inline}});
    vec![resource_group("rg-app"), node(&id, body)]
}

#[test]
fn a_filter_selects_and_the_rest_is_asked_for() {
    let filtered = |filter: &str| {
        let options = Options {
            filters: Some(filter.parse().expect("a filter")),
            ..Options::default()
        };
        let output = run_with(super::cases::tenant(), &options);
        conserved(&output);
        output
    };
    assert_eq!(filtered("Microsoft.Network/*").report.resources_in, 4);
    assert_eq!(
        filtered("resource_group=rg-app & !Microsoft.Network/*")
            .report
            .resources_in,
        5
    );
    let interfaces = filtered("Microsoft.Network/networkInterfaces");
    assert_eq!(interfaces.report.emitted, 1);
    assert!(text(&interfaces, "rg-rg-app.tf").contains("subnet_id                     = var."));
}

#[test]
fn wrong_subnets_are_errors_in_the_report() {
    let nodes = network(
        "10.0.0.0/16",
        &[("a", "10.0.0.0/24"), ("b", "10.0.0.128/25"), ("c", "10.1.0.0/24")],
    );
    let output = run(nodes.clone());
    let errors: Vec<_> = output
        .report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(
        errors[0]
            .message
            .starts_with("10.0.0.128/25 overlaps 10.0.0.0/24 of the subnet a"),
        "{errors:?}"
    );
    assert!(
        errors[1]
            .message
            .starts_with("10.1.0.0/24 lies outside the address space"),
        "{errors:?}"
    );
    assert!(text(&output, "REPORT.md").contains("## Errors"));
    let skipped = Options {
        skip_subnet_validation: true,
        ..Options::default()
    };
    assert!(run_with(nodes, &skipped).report.findings.is_empty());
}

#[test]
fn wrong_subnets_are_mended_and_told() {
    let nodes = network(
        "fd00::/56",
        &[("a", "fd00::/64"), ("b", "fd00::/64"), ("c", "fd00:0:0:2::/64")],
    );
    let options = Options {
        fix_subnets: true,
        ..Options::default()
    };
    let output = run_with(nodes, &options);
    let file = text(&output, "rg-rg-app.tf");
    for prefix in ["[\"fd00::/64\"]", "[\"fd00:0:0:1::/64\"]", "[\"fd00:0:0:2::/64\"]"] {
        assert_eq!(file.matches(prefix).count(), 1, "{prefix} in {file}");
    }
    let findings = &output.report.findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].message.starts_with("fd00::/64 became fd00:0:0:1::/64,"),
        "{findings:?}"
    );
    assert!(findings[0].subject.ends_with("/subnets/b"), "{findings:?}");
}

#[test]
fn another_region_moves_what_names_the_old_one() {
    let account = json!({"apiVersion": "2024-01-01", "location": "West Europe", "zones": ["1"], "properties": {
        "locations": [{"locationName": "West Europe", "failoverPriority": 0}, {"locationName": "East US", "failoverPriority": 1}],
        "text": "westeurope"}});
    let zone = json!({"apiVersion": "2024-01-01", "location": "global", "properties": {}});
    let options = Options {
        location: Some("northeurope".to_owned()),
        ..Options::default()
    };
    let output = run_with(
        vec![
            resource_group("rg-app"),
            node(&in_group("Contoso.Odd/accounts/one"), account),
            node(&in_group("Contoso.Odd/zones/one"), zone),
        ],
        &options,
    );
    let file = text(&output, "rg-rg-app.tf");
    assert_eq!(file.matches("= \"northeurope\"").count(), 3, "{file}");
    assert!(
        file.contains("\"global\"") && file.contains("\"East US\"") && file.contains("\"westeurope\""),
        "{file}"
    );
    let told: Vec<&str> = output
        .report
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(
        told.iter()
            .any(|message| message.contains("properties.locations[1].locationName: stays eastus")),
        "{told:?}"
    );
    assert!(told.iter().any(|message| message.starts_with("zones:")), "{told:?}");
}

#[test]
fn exactly_the_used_providers_are_registered() {
    let options = Options {
        register_providers: true,
        ..Options::default()
    };
    let output = run_with(super::cases::tenant(), &options);
    let providers = text(&output, "providers.tf");
    assert!(
        providers.contains("[\"Contoso.Odd\", \"Microsoft.Authorization\", \"Microsoft.KeyVault\", \"Microsoft.Network\", \"Microsoft.Resources\"]"),
        "{providers}"
    );
}

#[test]
fn version_4_of_the_provider_gets_its_own_names() {
    let mut nodes = super::cases::tenant();
    nodes.extend(network("10.1.0.0/16", &[("a", "10.1.0.0/24")]));
    let zone = in_group("Microsoft.Network/privateDnsZones/shop.internal");
    nodes.push(node(&zone, json!({"location": "global", "properties": {}})));
    nodes.push(node(
        &format!("{zone}/virtualNetworkLinks/link"),
        json!({"location": "global", "properties": {"virtualNetwork": {"id": in_group("Microsoft.Network/virtualNetworks/vnet")}}}),
    ));
    nodes.push(node(
        &in_group("Microsoft.Insights/components/insights"),
        json!({"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web", "DisableIpMasking": true}}),
    ));
    for (version, expected) in [
        (
            ProviderVersion::V4,
            [
                "= azurerm_private_dns_zone.shop_internal.name",
                "disable_ip_masking",
                "\"~> 4.55\"",
            ],
        ),
        (
            ProviderVersion::V5,
            [
                "= azurerm_private_dns_zone.shop_internal.id",
                "ip_masking_enabled",
                "\"~> 5.0\"",
            ],
        ),
    ] {
        let options = Options {
            provider_version: version,
            ..Options::default()
        };
        let output = run_with(nodes.clone(), &options);
        conserved(&output);
        let wrong = super::provider::violations_of(version, &super::parsed(&output));
        assert!(wrong.is_empty(), "{version:?}: {wrong:#?}");
        let all = format!("{}{}", text(&output, "rg-rg-app.tf"), text(&output, "versions.tf"));
        for expected in expected {
            assert!(all.contains(expected), "{version:?}: {expected} in {all}");
        }
    }
}

#[test]
fn subnets_that_stand_in_their_network_only_are_mended_there() {
    let body = json!({"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [
        {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}, {"name": "b", "properties": {"addressPrefixes": ["10.0.0.0/24"]}}]}});
    let options = Options {
        fix_subnets: true,
        ..Options::default()
    };
    let output = run_with(
        vec![
            resource_group("rg-app"),
            node(&in_group("Microsoft.Network/virtualNetworks/vnet"), body),
        ],
        &options,
    );
    let file = text(&output, "rg-rg-app.tf");
    assert!(
        file.contains("[\"10.0.0.0/24\"]") && file.contains("[\"10.0.1.0/24\"]"),
        "{file}"
    );
}
