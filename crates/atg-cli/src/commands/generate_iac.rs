//! `atg generate-iac`: turns a tenant's graph into infrastructure code.

use atg_client::Client;
use atg_models::api::{ApiRequest as _, GenerateIacRequest, GenerateIacResult, IacFormat, JobResultResponse};
use serde_json::{Map, Value, json};

use super::download;
use super::follow::grouped;
use super::start::{Operation, start};
use crate::arguments::{Format, GenerateIac, Strategy};
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, generate: GenerateIac, json: bool) -> Result<(), Failure> {
    let request = request(&generate)?;
    let operation = Operation::GenerateIac(&request);
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

fn request(generate: &GenerateIac) -> Result<GenerateIacRequest, Failure> {
    let format = match generate.format {
        Format::Terraform => IacFormat::Terraform,
        Format::Arm => IacFormat::Arm,
        Format::Bicep => IacFormat::Bicep,
    };
    let mut fields = Map::new();
    fields.insert("format".to_owned(), json!(format.as_str()));
    fields.insert("auto_import_existing".to_owned(), json!(generate.auto_import_existing));
    let strategy = generate.import_strategy.map(|strategy| match strategy {
        Strategy::ResourceGroups => "resource_groups".to_owned(),
        Strategy::AllResources => "all_resources".to_owned(),
        Strategy::Selective => "selective".to_owned(),
    });
    for (name, value) in [
        ("tenant_id", &generate.tenant_id),
        ("import_strategy", &strategy),
        ("resource_filters", &generate.resource_filters),
        ("target_tenant_id", &generate.target_tenant_id),
        ("target_subscription", &generate.target_subscription),
        ("naming_suffix", &generate.naming_suffix),
        ("location", &generate.location),
        ("provider_version", &generate.provider_version),
    ] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    for (name, flag) in [
        ("auto_register_providers", generate.auto_register_providers),
        ("auto_fix_subnets", generate.auto_fix_subnets),
        ("skip_subnet_validation", generate.skip_subnet_validation),
    ] {
        fields.insert(name.to_owned(), json!(flag));
    }
    GenerateIacRequest::from_value(&Value::Object(fields)).map_err(|error| Failure::usage(error.to_string()))
}

pub(super) fn summary(result: &JobResultResponse) -> Result<(), Failure> {
    let outcome = result.result.clone().unwrap_or_default();
    let outcome: GenerateIacResult = serde_json::from_value(outcome)
        .map_err(|error| Failure::other(&format!("the result of the generation is not understood: {error}")))?;
    out::line(&format!("  resources  {}", grouped(outcome.resources_in)));
    out::line(&format!("  emitted    {}", grouped(outcome.emitted)));
    out::line(&format!(
        "  reported   {}  (REPORT.md names each with its reason)",
        grouped(outcome.reported)
    ));
    out::line(&format!("  files      {}", result.files.len()));
    for note in &outcome.notes {
        out::line(&format!("  {note}"));
    }
    Ok(())
}
