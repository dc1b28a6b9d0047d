//! Laws of both printers: strings are data, secrets are in no byte, the order of nodes changes nothing.

use atg_models::graph::NodeKind;
use atg_models::secrets::{MARKER, planted};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::laws::{SECRETS, json_value, plain, wild};
use super::super::{SUBSCRIPTION, group, node, resource_group};
use super::cases::{same, same_with};
use super::run;
use crate::{Format, IacError, Input, Options, generate};

/// A user of the small tenant.
const ADA: &str = "99999999-0000-0000-0000-000000000001";

fn odd() -> String {
    format!("{}/providers/Contoso.Odd/things/one", group("g"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_stands_in_a_body_is_read_back(text in wild(), value in json_value()) {
        let properties = json!({"text": text, "value": value, "a[b]": "[x]", "[c]": "[[x]"});
        let body = json!({"apiVersion": "2024-01-01", "tags": {text.clone(): text}, "properties": properties.clone()});
        let (_, read) = same(&[resource_group("g"), node(&odd(), body)]);
        let found = &read.resources[&odd().to_lowercase()].body;
        prop_assert_eq!(plain(found["properties"].clone()), plain(properties));
        prop_assert_eq!(&found["tags"], &json!({text.clone(): text}));
    }

    #[test]
    fn what_has_no_counterpart_is_asked_for_within_any_text(before in wild(), between in wild(), behind in wild()) {
        let text = |id: &str| format!("{before}{id}{between}{id}{behind}");
        let body = json!({"apiVersion": "2024-01-01", "properties": {"text": text(ADA), "list": [text(ADA)], "name": ADA}});
        let users = super::super::cases::tenant().into_iter().filter(|node| node.kind == NodeKind::User);
        let nodes: Vec<_> = users.chain([resource_group("g"), node(&odd(), body)]).collect();
        let options = Options {
            target_tenant_id: Some("77777777-7777-4777-8777-777777777777".to_owned()),
            target_subscription: SUBSCRIPTION.rsplit('/').next().map(str::to_owned),
            ..Options::default()
        };
        let (_, read) = same_with(&nodes, &options);
        let asked = "«param principal_user_ada_lovelace»";
        let expected = json!({"text": text(asked), "list": [text(asked)], "name": asked});
        prop_assert_eq!(&read.resources[&odd().to_lowercase()].body["properties"], &expected);
        prop_assert_eq!(&read.params["principal_user_ada_lovelace"], &("string".to_owned(), None));
    }

    #[test]
    fn order_of_nodes_changes_no_byte(seed in any::<u64>()) {
        for format in [Format::Arm, Format::Bicep] {
            let mut nodes = super::super::cases::tenant();
            let first = run(nodes.clone(), format);
            let mut state = seed | 1;
            nodes.sort_by_cached_key(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state
            });
            prop_assert_eq!(first.files, run(nodes, format).files);
        }
    }

    #[test]
    fn a_marked_secret_becomes_a_parameter_wherever_it_stands(path in "[a-z]{1,5}(/[a-z]{1,5}){0,3}", text in "[a-z]{0,4}") {
        let mut value = json!(format!("{text}{MARKER}"));
        for name in path.rsplit('/') {
            value = json!({name: [value]});
        }
        for type_ in ["Contoso.Odd/things/one", "Microsoft.Storage/storageAccounts/abc", "Microsoft.Web/sites/app"] {
            let id = format!("{}/providers/{type_}", group("g"));
            let body = json!({"apiVersion": "2024-01-01", "location": "westeurope", "properties": value.clone(), "tags": {"t": format!("{text}{MARKER}")}});
            for format in [Format::Arm, Format::Bicep] {
                let output = run(vec![resource_group("g"), node(&id, body.clone())], format);
                let mut asked = false;
                for file in &output.files {
                    let text = String::from_utf8_lossy(&file.bytes);
                    prop_assert!(!text.contains(MARKER), "{}: {}", file.path, text);
                    asked = asked || text.contains("securestring") || text.contains("@secure()");
                }
                prop_assert!(asked);
            }
        }
    }
}

/// Types with and without a published body.
const TYPES: &[&str] = &[
    "Contoso.Odd/things",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Web/sites",
    "Microsoft.KeyVault/vaults",
];

/// A body that has `value` wherever a text can stand, and as a name.
fn planted_everywhere(value: &str) -> Value {
    json!({
        "apiVersion": "2024-01-01", "location": value, "kind": value, "sku": {"name": value}, "zones": [value], "managedBy": value,
        "plan": {"name": value, "product": value}, "identity": {"type": value, "userAssignedIdentities": {value: {}}},
        "tags": {"t": value, value: "x"},
        "properties": {
            "x": [value, [value], {"y": value}], value: {"a": 1}, "networkAcls": {"bypass": value, "ipRules": [{"value": value}]},
            "siteConfig": {"appSettings": [{"name": "plain", "value": value}], "linuxFxVersion": value},
            "osProfile": {"computerName": value, "adminUsername": value}, "tenantId": value, "json": format!("{{\"a\": \"{value}\"}}"),
            "sentence": format!("before {value}"), "number": 5, "accessPolicies": [{"objectId": value, "permissions": {"keys": [value]}}],
        },
    })
}

/// A body that has `value` under `name` wherever a name can stand.
fn named_everywhere(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "2024-01-01", "location": "westeurope", name: value, "sku": {"name": "x", name: value},
        "properties": {
            name: value, "deep": [{name: {"inner": value, "list": [value]}}], "osProfile": {name: value, "linuxConfiguration": {name: [value]}},
            "siteConfig": {"appSettings": [{"name": name, "value": value}], name: value},
            "networkAcls": {name: value}, "encryption": {"keyVaultProperties": {name: value}},
        },
    })
}

fn is_in_no_byte(bodies: &[(String, Value)], what: &[&str]) {
    let nodes = bodies.iter().enumerate().flat_map(|(at, (_, body))| {
        TYPES
            .iter()
            .map(move |type_| node(&format!("{}/providers/{type_}/x{at}", group("g")), body.clone()))
    });
    let nodes: Vec<_> = std::iter::once(resource_group("g")).chain(nodes).collect();
    for format in [Format::Arm, Format::Bicep] {
        let output = run(nodes.clone(), format);
        assert_eq!(output.report.reported, 0);
        for file in &output.files {
            let text = String::from_utf8_lossy(&file.bytes);
            for what in what {
                assert!(!text.contains(what), "{}: {what}", file.path);
            }
        }
    }
}

#[test]
fn a_credential_of_every_shape_is_in_no_byte() {
    let more = SECRETS.iter().map(|secret| ("made up", (*secret).to_owned()));
    for (shape, credential) in planted::credentials().into_iter().chain(more) {
        let body = planted_everywhere(&credential);
        // The secret part of the shape: what is left of it after redaction may stay.
        let redacted = atg_models::secrets::redact_text(&credential).into_owned();
        let kept: Vec<&str> = redacted.split(MARKER).collect();
        let secret = kept
            .iter()
            .fold(credential.clone(), |text, kept| text.replacen(kept, "", 1));
        assert!(secret.len() >= 2, "{shape}");
        is_in_no_byte(&[(shape.to_owned(), body)], &[&secret, MARKER]);
    }
}

#[test]
fn a_value_under_a_name_of_the_table_is_in_no_byte() {
    let bodies: Vec<(String, Value)> = planted::names()
        .map(|name| (name.to_owned(), named_everywhere(name, "pl4nt3d")))
        .collect();
    assert!(bodies.len() > 80);
    is_in_no_byte(&bodies, &["pl4nt3d", MARKER]);
}

#[test]
fn a_value_at_a_path_of_the_table_is_in_no_byte() {
    for (type_, above, name) in planted::paths() {
        let type_ = match type_.matches('/').count() {
            0 if type_.is_empty() => "Contoso.Odd/things".to_owned(),
            0 => format!("{type_}/things"),
            _ => (*type_).to_owned(),
        };
        let (namespace, types) = type_.split_once('/').expect("a type");
        let pairs: Vec<String> = types.split('/').map(|type_| format!("{type_}/x")).collect();
        let id = format!("{}/providers/{namespace}/{}", group("g"), pairs.join("/"));
        let body = json!({"apiVersion": "2024-01-01", "location": "westeurope", *above: {*name: "pl4nt3d"},
            "properties": {*above: {*name: "pl4nt3d"}, *name: if *above == "properties" { "pl4nt3d" } else { "x" }}});
        for format in [Format::Arm, Format::Bicep] {
            for file in run(vec![resource_group("g"), node(&id, body.clone())], format).files {
                assert!(
                    !String::from_utf8_lossy(&file.bytes).contains("pl4nt3d"),
                    "{type_} {above} {name}"
                );
            }
        }
    }
}

#[test]
fn a_text_that_no_expression_can_hold_stays() {
    for (long, asked) in [(20_000, true), (24_600, false)] {
        let text = format!("{ADA} {}", "x".repeat(long));
        let body = json!({"apiVersion": "2024-01-01", "properties": {"text": text}});
        let mut nodes = super::super::cases::tenant();
        nodes.extend([resource_group("g"), node(&odd(), body)]);
        for format in [Format::Arm, Format::Bicep] {
            let options = Options {
                format,
                target_tenant_id: Some("77777777-7777-4777-8777-777777777777".to_owned()),
                ..Options::default()
            };
            let output = super::run_with(nodes.clone(), &options);
            let code = output
                .files
                .iter()
                .filter(|file| !file.path.to_lowercase().starts_with("re"));
            let code: String = code.map(|file| String::from_utf8_lossy(&file.bytes)).collect();
            assert!(code.contains(&"x".repeat(long)) && !code.contains(ADA));
            assert_eq!(
                code.contains(" xxx") && code.contains("a7600000-"),
                !asked,
                "{format:?}"
            );
        }
    }
}

#[test]
fn it_stops_when_it_is_cancelled() {
    let mut nodes = super::super::cases::tenant();
    nodes.extend((0..1_000).map(|at| resource_group(&format!("more{at}"))));
    let based_on = run(Vec::new(), Format::Arm).report.based_on;
    for stop in [2, 5, 9, 12] {
        let asked = std::cell::Cell::new(0);
        let cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() == stop
        };
        let options = Options {
            format: Format::Bicep,
            ..Options::default()
        };
        let input = Input {
            nodes: nodes.clone(),
            based_on: based_on.clone(),
        };
        assert!(
            matches!(generate(input, &options, &cancelled), Err(IacError::Cancelled)),
            "{stop}"
        );
    }
}
