//! Real bodies: the official examples and the public templates. Skipped without `ATG_TEST_DATA`.

use std::io::Read as _;

use atg_models::graph::Node;
use serde_json::{Value, json};

use super::{conserved, group, node, parsed, provider, resource_group, run};

pub(super) fn unpacked(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("ATG_TEST_DATA") else {
        println!("skipped: ATG_TEST_DATA is not set");
        return None;
    };
    let packed = std::fs::read(std::path::Path::new(&folder).join(name)).expect("the data");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .expect("gzip");
    Some(text)
}

/// The resources of the public templates, each template in a group of its own.
pub(super) fn template_nodes() -> Option<Vec<Node>> {
    let text = unpacked("quickstart-resources.json.gz")?;
    let templates: Vec<(String, Vec<Value>)> = serde_json::from_str(&text).expect("the shape");
    let mut nodes = std::collections::BTreeMap::new();
    for (at, (_, resources)) in templates.into_iter().enumerate() {
        let own = format!("t{at:04}");
        let text = Value::from(resources)
            .to_string()
            .replace("resourceGroups/rg-sim", &format!("resourceGroups/{own}"));
        let resources: Vec<Value> = serde_json::from_str(&text).expect("still JSON");
        let group = resource_group(&own);
        nodes.insert(group.id.clone(), group);
        for body in resources {
            let id = body["id"].as_str().unwrap_or_default().to_owned();
            if id.parse::<atg_models::ArmId>().is_ok() {
                let node = node(&id, body);
                nodes.insert(node.id.clone(), node);
            }
        }
    }
    Some(nodes.into_values().collect())
}

#[test]
fn nine_in_ten_template_resources_are_emitted_and_fit_the_schema() {
    let Some(nodes) = template_nodes() else {
        return;
    };
    let output = run(nodes);
    conserved(&output);
    let report = &output.report;
    assert!(report.resources_in > 4_000, "{}", report.resources_in);
    assert!(report.emitted * 10 >= report.resources_in * 9, "{:?}", report.reasons);
    let wrong = provider::violations(&parsed(&output));
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
}

/// The official examples, each with an id of its own.
pub(super) fn example_nodes() -> Option<Vec<Node>> {
    let text = unpacked("arm-get-examples.jsonl.gz")?;
    let mut nodes = std::collections::BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let example: Value = serde_json::from_str(line).expect("JSON");
        let type_ = example["type"].as_str().expect("a type");
        let (namespace, types) = type_.split_once('/').expect("a type");
        let pairs: Vec<String> = types
            .split('/')
            .map(|segment| format!("{segment}/example{at}"))
            .collect();
        let id = format!(
            "{}/providers/{namespace}/{}",
            group(&format!("examples{}", at % 20)),
            pairs.join("/")
        );
        let mut body = example["body"].clone();
        if !body.is_object() {
            body = json!({});
        }
        let mut node = node(&id, body);
        node.api_version = example["api_version"].as_str().map(str::to_owned);
        nodes.insert(node.id.clone(), node);
    }
    Some(nodes.into_values().collect())
}

#[test]
fn every_example_is_accounted_for_and_fits_the_schema() {
    let Some(nodes) = example_nodes() else {
        return;
    };
    let output = run(nodes);
    conserved(&output);
    assert!(output.report.resources_in > 1_800);
    let wrong = provider::violations(&parsed(&output));
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
}
