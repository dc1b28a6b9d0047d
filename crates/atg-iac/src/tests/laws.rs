//! Laws: conservation, determinism, no secret in any byte, strings are data.

use atg_models::secrets::MARKER;
use hcl::Expression;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{conserved, group, node, parsed, provider, resource_group, run};
use crate::{IacError, Input, Options, generate};

/// Any text, with all that means something to a reader of HCL.
pub(super) fn wild() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("${".to_owned()),
        Just("%{".to_owned()),
        Just("$${".to_owned()),
        Just("%%{".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n\t".to_owned()),
        Just("'''".to_owned()),
        Just("}".to_owned()),
        Just("#//".to_owned()),
        Just("<<EOT\n".to_owned()),
        Just("\u{1F600}é\u{200B}".to_owned()),
        "[a-z$%{} ]{0,6}",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

pub(super) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e15_f64..1e15).prop_map(Value::from),
        wild().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(wild(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// What a reader of HCL understands of an expression without references.
fn read_back(value: &Expression) -> Value {
    match value {
        Expression::Null => Value::Null,
        Expression::Bool(value) => json!(value),
        Expression::Number(number) => json!(number.as_f64().expect("finite")),
        Expression::String(text) => json!(text),
        Expression::Array(items) => items.iter().map(read_back).collect(),
        Expression::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        hcl::ObjectKey::Identifier(name) => name.to_string(),
                        hcl::ObjectKey::Expression(Expression::String(text)) => text.clone(),
                        other => panic!("{other:?}"),
                    };
                    (key, read_back(value))
                })
                .collect(),
        ),
        Expression::TemplateExpr(template) => {
            let template = hcl::Template::from_expr(template).expect("a template");
            let elements = template.elements().iter().map(|element| match element {
                hcl::template::Element::Literal(text) => text.as_str(),
                other => panic!("a string became code: {other:?}"),
            });
            json!(elements.collect::<String>())
        }
        other => panic!("{other:?}"),
    }
}

/// The numbers of the two sides as one kind: `1.0` and `1` are equal in Terraform.
pub(super) fn plain(value: Value) -> Value {
    match value {
        // Readers of floating numbers differ in the last bit.
        Value::Number(number) => json!(format!("{:.12e}", number.as_f64().expect("finite"))),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        other => other,
    }
}

fn attribute<'a>(body: &'a hcl::Body, type_: &str, name: &str) -> &'a Expression {
    let block = body
        .blocks()
        .find(|block| block.labels().first().is_some_and(|label| label.as_str() == type_));
    let attributes = block.expect("the block").body().attributes();
    let mut found = attributes.filter(|attribute| attribute.key() == name);
    found.next().expect("the attribute").expr()
}

fn odd() -> String {
    format!("{}/providers/Contoso.Odd/things/one", group("g"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn strings_are_data(value in json_value(), name in wild(), text in wild()) {
        let body = json!({
            "apiVersion": "2024-01-01",
            "tags": {name.clone(): text.clone()},
            "properties": {"value": value.clone()},
        });
        let output = run(vec![resource_group("g"), node(&odd(), body)]);
        conserved(&output);
        let parsed = parsed(&output);
        let tags = read_back(attribute(&parsed, "azapi_resource", "tags"));
        prop_assert_eq!(tags, json!({name: text}));
        let read = read_back(attribute(&parsed, "azapi_resource", "body"));
        prop_assert_eq!(plain(read), plain(json!({"properties": {"value": value}})));
    }

    #[test]
    fn order_of_nodes_changes_no_byte(seed in any::<u64>()) {
        let mut nodes = super::cases::tenant();
        let first = run(nodes.clone());
        let mut state = seed | 1;
        nodes.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state
        });
        prop_assert_eq!(first.files, run(nodes).files);
    }

    #[test]
    fn a_marked_secret_becomes_a_variable_wherever_it_stands(path in "[a-z]{1,5}(/[a-z]{1,5}){0,3}", text in "[a-z]{0,4}") {
        let mut value = json!(format!("{text}{MARKER}"));
        for name in path.rsplit('/') {
            value = json!({name: value});
        }
        let body = json!({"apiVersion": "2024-01-01", "properties": value});
        let output = run(vec![resource_group("g"), node(&odd(), body)]);
        for file in &output.files {
            let text = String::from_utf8_lossy(&file.bytes);
            prop_assert!(!text.contains(MARKER), "{}: {}", file.path, text);
        }
        prop_assert!(super::text(&output, "variables.tf").contains("sensitive   = true"));
    }
}

/// Made up, of the shapes that providers use.
pub(super) const SECRETS: &[&str] = &[
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=bm90LWEtcmVhbC1rZXktYnV0LWxvbmctZW5vdWdoLXRvLWxvb2stbGlrZS1vbmUtMDEyMzQ1Njc4OQ==;EndpointSuffix=core.windows.net",
    "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=bm90LWEtcmVhbC1rZXktYnV0LWxvbmctZW5vdWdoPQ==",
    "https://x.blob.core.windows.net/c?sv=2022-11-02&ss=b&srt=co&sp=r&sig=bm90LWEtcmVhbC1zaWduYXR1cmUtbG9uZw%3D%3D",
];

#[test]
fn a_planted_credential_is_in_no_byte() {
    for secret in SECRETS {
        let storage = format!("{}/providers/Microsoft.Storage/storageAccounts/abc", group("g"));
        let odd = format!("{}/providers/Contoso.Odd/things/one", group("g"));
        let nodes = vec![
            resource_group("g"),
            node(
                &storage,
                json!({"sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "location": "westeurope", "tags": {"t": secret}, "properties": {"x": [secret]}}),
            ),
            node(
                &odd,
                json!({"apiVersion": "2024-01-01", "tags": {"t": secret}, "properties": {"a": [{"b": secret}], "c": format!("before {secret}")}}),
            ),
        ];
        let output = run(nodes);
        for file in &output.files {
            let text = String::from_utf8_lossy(&file.bytes);
            assert!(!text.contains("bm90LWEt"), "{}: {text}", file.path);
        }
    }
}

#[test]
fn the_small_tenant_fits_the_schema() {
    let wrong = provider::violations(&parsed(&run(super::cases::tenant())));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn it_stops_when_it_is_cancelled() {
    let mut input = Input {
        nodes: super::cases::tenant(),
        based_on: run(Vec::new()).report.based_on,
    };
    for at in 0..1_000 {
        input.nodes.push(resource_group(&format!("more{at}")));
    }
    let asked = std::cell::Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() == 5
    };
    let result = generate(input, &Options::default(), &cancelled);
    assert!(matches!(result, Err(IacError::Cancelled)));
}

/// The operation does not hand over the bodies of which nothing is read.
#[test]
fn bodies_of_which_nothing_is_read_change_nothing() {
    let mut nodes = super::cases::tenant();
    let all = run(nodes.clone());
    for node in &mut nodes {
        if !crate::reads_body_of(node.kind) {
            node.body = None;
        }
    }
    assert_eq!(all.files, run(nodes).files);
}
