//! `atg generate-spec`: writes a tenant's specification.

use atg_client::Client;
use atg_models::api::{ApiRequest as _, GenerateSpecRequest, GenerateSpecResult, JobResultResponse};
use serde_json::{Map, Value, json};

use super::download;
use super::follow::grouped;
use super::start::{Operation, start};
use crate::arguments::GenerateSpec;
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, generate: GenerateSpec, json: bool) -> Result<(), Failure> {
    let request = request(&generate)?;
    let operation = Operation::GenerateSpec(&request);
    let Some(result) = start(client, operation, &generate.following, json).await? else {
        return Ok(());
    };
    if !json {
        summary(&result)?;
    }
    download::after(
        client,
        &result,
        generate.output.as_deref(),
        generate.extract.as_deref(),
        json,
    )
    .await
}

fn request(generate: &GenerateSpec) -> Result<GenerateSpecRequest, Failure> {
    let mut fields = Map::new();
    fields.insert("hierarchical".to_owned(), json!(generate.hierarchical));
    if let Some(tenant) = &generate.tenant_id {
        fields.insert("tenant_id".to_owned(), json!(tenant));
    }
    if let Some(limit) = generate.limit {
        fields.insert("limit".to_owned(), json!(limit));
    }
    if let Some(domain) = &generate.domain_name {
        fields.insert("domain_name".to_owned(), json!(domain));
    }
    GenerateSpecRequest::from_value(&Value::Object(fields)).map_err(|error| Failure::usage(error.to_string()))
}

pub(super) fn summary(result: &JobResultResponse) -> Result<(), Failure> {
    let outcome = result.result.clone().unwrap_or_default();
    let outcome: GenerateSpecResult = serde_json::from_value(outcome)
        .map_err(|error| Failure::other(&format!("the result of the specification is not understood: {error}")))?;
    out::line(&format!("  resources  {}", grouped(outcome.resources)));
    out::line(&format!("  described  {}", grouped(outcome.described)));
    out::line(&format!("  files      {}", result.files.len()));
    for note in &outcome.notes {
        out::line(&format!("  note: {note}"));
    }
    Ok(())
}
