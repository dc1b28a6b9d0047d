//! Specifications of small tenants, and of everything that a tenant may hold.

mod cases;
mod corpus;
mod operation;
mod planted;

use atg_azure::observe::{Context, Owned, arm_row, directory_row, tenant_node};
use atg_db::EdgeRow;
use atg_iac::OutputFile;
use atg_models::api::GenerateSpecRequest;
use atg_models::graph::{BasedOn, CollectionKey, NodeKind, Observation, Source, Verdict};
use atg_models::{ArmType, TenantId};
use serde_json::Value;
use time::macros::datetime;

use super::document;
use super::draft::Draft;
use super::names::KEY_BYTES;
use crate::testing::TENANT;

const KEY: [u8; KEY_BYTES] = [42; KEY_BYTES];

/// The observations of a tenant: its rows of ARM, and its rows of the directory.
fn tenant(rows: &[Value], directory: &[(NodeKind, Value)]) -> Vec<Observation> {
    let owner = |_: &Owned<'_>| Some(CollectionKey::new("arg.resources", "tenant"));
    let context = Context {
        tenant: TENANT,
        source: Source::Arg,
        observed_at: datetime!(2026-01-01 12:00 UTC),
        owner: &owner,
        api_version: &|_: &ArmType| Some("2024-01-01".to_owned()),
    };
    let mut observations = vec![tenant_node(None, &context)];
    observations.extend(rows.iter().filter_map(|row| arm_row(row, &context).ok()).flatten());
    observations.extend(
        directory
            .iter()
            .map(|(kind, row)| directory_row(*kind, row, &context).unwrap()),
    );
    observations
}

fn complete() -> BasedOn {
    BasedOn {
        tenant_id: TENANT,
        graph_digest: "d1".repeat(32),
        verdict: Verdict::Complete,
        gaps: Vec::new(),
        not_planned: Vec::new(),
    }
}

fn form(hierarchical: bool) -> GenerateSpecRequest {
    GenerateSpecRequest {
        hierarchical,
        ..GenerateSpecRequest::default()
    }
}

/// The files of a specification, as the operation makes them, without a store.
fn files(observations: &[Observation], request: &GenerateSpecRequest, based_on: &BasedOn) -> Vec<OutputFile> {
    let draft = draft(observations, request, TENANT);
    document::write(draft, based_on, request.hierarchical).1
}

fn draft(observations: &[Observation], request: &GenerateSpecRequest, tenant: TenantId) -> Draft {
    let mut nodes: Vec<_> = observations
        .iter()
        .map(|observation| observation.node.clone())
        .collect();
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    nodes.dedup_by(|one, other| one.id == other.id);
    let edges = observations.iter().flat_map(|observation| &observation.edges);
    let edges: Vec<_> = edges
        .map(|edge| EdgeRow {
            source: edge.source.id.clone(),
            relation: edge.relation,
            target: edge.target.id.clone(),
            qualifier: edge.qualifier.clone(),
            properties: edge.properties.clone(),
        })
        .collect();
    let mut draft = Draft::new(&KEY, tenant, request);
    draft.outline(&nodes);
    draft.edges(&edges);
    draft.describe(&nodes);
    draft
}

fn text(files: &[OutputFile]) -> String {
    let texts = files.iter().map(|file| String::from_utf8(file.bytes.clone()).unwrap());
    texts.collect()
}

/// Everything that looks like a placeholder.
fn placeholders(text: &str) -> std::collections::BTreeSet<&str> {
    let is = |word: &&str| {
        word.rsplit_once('-').is_some_and(|(prefix, digest)| {
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            !prefix.is_empty() && digest.len() >= crate::limits::PLACEHOLDER_DIGITS && digest.bytes().all(hex)
        })
    };
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(is)
        .collect()
}
