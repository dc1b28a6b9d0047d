//! `atg scan`: reads a tenant into the graph.

use atg_client::Client;
use atg_models::api::{ApiRequest as _, JobResultResponse, ScanRequest, ScanResult};
use atg_models::graph::Verdict;
use serde_json::{Map, Value, json};

use super::follow::grouped;
use super::start::{Operation, start};
use crate::arguments::Scan;
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, scan: Scan, json: bool) -> Result<(), Failure> {
    let request = request(&scan)?;
    let operation = Operation::Scan(&request);
    let Some(result) = start(client, operation, &scan.following, json).await? else {
        return Ok(());
    };
    if json {
        out::json(&result);
    }
    show(&result, json)
}

/// Only what was given goes into the request: the server's defaults hold for the rest.
fn request(scan: &Scan) -> Result<ScanRequest, Failure> {
    let mut fields = Map::new();
    fields.insert("tenant_id".to_owned(), json!(scan.tenant_id));
    let texts = [
        ("filter_by_subscriptions", &scan.filter_by_subscriptions),
        ("filter_by_rgs", &scan.filter_by_rgs),
        ("filter_by_types", &scan.filter_by_types),
        ("filter_by_tags", &scan.filter_by_tags),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.insert(name.to_owned(), json!(text));
        }
    }
    let numbers = [
        ("resource_limit", scan.resource_limit),
        ("max_concurrency", scan.max_concurrency.map(u64::from)),
        ("max_retries", scan.max_retries.map(u64::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            fields.insert(name.to_owned(), json!(number));
        }
    }
    fields.insert("no_aad_import".to_owned(), json!(scan.no_aad_import));
    fields.insert("rebuild_edges".to_owned(), json!(scan.rebuild_edges));
    fields.insert("generate_spec".to_owned(), json!(scan.generate_spec));
    ScanRequest::from_value(&Value::Object(fields)).map_err(|error| {
        let problems: Vec<_> = error
            .fields()
            .iter()
            .map(|problem| format!("--{} {}", problem.field.replace('_', "-"), problem.message))
            .collect();
        Failure::usage(problems.join("\n       "))
    })
}

/// What was found, and what was not read.
pub(super) fn show(result: &JobResultResponse, json: bool) -> Result<(), Failure> {
    let outcome = result.result.clone().unwrap_or_default();
    let outcome: ScanResult = serde_json::from_value(outcome).map_err(|error| {
        Failure::other(&format!("the result of the scan is not understood: {error}")).after_document()
    })?;
    if !json {
        summary(&outcome);
        if !result.files.is_empty() {
            out::line(&format!(
                "  fetch its files with: atg download {} --extract DIR",
                result.job_id
            ));
        }
    }
    match outcome.verdict {
        Verdict::Complete => Ok(()),
        Verdict::Partial => Err(Failure::partial()),
    }
}

fn summary(outcome: &ScanResult) {
    let verdict = match outcome.verdict {
        Verdict::Complete => "complete: everything that was planned was read",
        Verdict::Partial => "PARTIAL: not everything could be read",
    };
    out::line(&format!("  verdict    {verdict}"));
    out::line(&format!("  resources  {}", grouped(outcome.resources_discovered)));
    out::line(&format!("  nodes      {}", grouped(outcome.nodes)));
    out::line(&format!("  edges      {}", grouped(outcome.edges)));
    out::line(&format!("  digest     {}", outcome.graph_digest));
    if !outcome.gaps.is_empty() {
        out::line("  could not be read:");
        for gap in &outcome.gaps {
            out::line(&format!("    {}  {}: {}", gap.collection, gap.state, gap.reason));
        }
    }
    if !outcome.not_planned.is_empty() {
        out::line("  was not to be read:");
        for left_out in &outcome.not_planned {
            let count = left_out
                .count
                .map_or_else(String::new, |count| format!(" ({})", grouped(count)));
            out::line(&format!("    {}{count}: {}", left_out.what, left_out.reason));
        }
    }
    for note in &outcome.notes {
        out::line(&format!("  note: {note}"));
    }
}
