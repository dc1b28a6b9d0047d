//! The crate as a whole: small worlds, laws, and the public corpora.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of hcl and serde_json are read here, a few variants each"
)]

mod cases;
mod corpus;
mod elsewhere;
mod laws;
mod options;
mod provider;
mod templates;

use atg_models::ArmId;
use atg_models::graph::{BasedOn, Node, NodeKind, Source, Verdict};
use serde_json::{Value, json};

use crate::{Input, Options, Output, generate};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const SUBSCRIPTION: &str = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";

fn group(name: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/{name}")
}

/// A resource by its id; the body gets the id, name and type.
fn node(id: &str, mut body: Value) -> Node {
    let id: ArmId = id.parse().expect("an ARM id");
    let type_ = id.arm_type();
    let members = body.as_object_mut().expect("a body");
    members.insert("id".to_owned(), json!(id.as_str()));
    members.insert("name".to_owned(), json!(id.name()));
    Node {
        tenant_id: TENANT.parse().expect("a tenant"),
        id: id.node_id(),
        display_id: id.as_str().to_owned(),
        kind: NodeKind::of_type(&type_),
        type_: Some(type_),
        api_version: body.get("apiVersion").and_then(Value::as_str).map(str::to_owned),
        name: id.name().to_owned(),
        subscription_id: id.subscription().map(str::to_lowercase),
        resource_group: id.resource_group().map(str::to_lowercase),
        location: None,
        tags: std::collections::BTreeMap::new(),
        body: Some(body),
        observed: true,
        source: Source::Arm,
        owner: None,
        observed_at: time::OffsetDateTime::UNIX_EPOCH,
    }
}

fn principal(kind: NodeKind, id: &str, name: &str) -> Node {
    Node {
        id: atg_models::NodeId::object(id.parse().expect("a GUID")),
        display_id: id.to_owned(),
        kind,
        type_: None,
        name: name.to_owned(),
        source: Source::Graph,
        ..node(SUBSCRIPTION, json!({}))
    }
}

fn resource_group(name: &str) -> Node {
    node(&group(name), json!({"location": "westeurope", "properties": {}}))
}

fn run_with(nodes: Vec<Node>, options: &Options) -> Output {
    let based_on = BasedOn {
        tenant_id: TENANT.parse().expect("a tenant"),
        graph_digest: "d".repeat(64),
        verdict: Verdict::Complete,
        gaps: Vec::new(),
        not_planned: Vec::new(),
    };
    generate(Input { nodes, based_on }, options, &|| false).expect("generates")
}

fn run(nodes: Vec<Node>) -> Output {
    run_with(nodes, &Options::default())
}

/// The text of a file.
fn text<'a>(output: &'a Output, path: &str) -> &'a str {
    let file = output.files.iter().find(|file| file.path == path);
    let file = file.unwrap_or_else(|| panic!("no {path}"));
    std::str::from_utf8(&file.bytes).expect("UTF-8")
}

/// All Terraform of an output, parsed by a reader that is not ours.
fn parsed(output: &Output) -> hcl::Body {
    let mut all = hcl::Body::default();
    for file in output.files.iter().filter(|file| file.content_type == "text/x-hcl") {
        let body = hcl::parse(std::str::from_utf8(&file.bytes).expect("UTF-8"));
        let body = body.unwrap_or_else(|error| panic!("{}: {error}", file.path));
        all.extend(body);
    }
    all
}

fn conserved(output: &Output) {
    let report = &output.report;
    assert_eq!(report.resources_in, report.emitted + report.reported);
    assert_eq!(report.emitted, report.emitted_resources.len());
    assert_eq!(report.reported, report.reported_resources.len());
    assert_eq!(report.reported, report.reasons.values().sum::<usize>());
}
