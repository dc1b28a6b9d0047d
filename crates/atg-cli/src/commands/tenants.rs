//! `atg tenants`: what the server holds, and its removal.

use atg_client::Client;
use atg_models::TenantId;
use atg_models::api::{JobResultResponse, RemoveTenantResult};
use atg_models::graph::Verdict;

use super::follow::grouped;
use super::start::{Operation, start};
use crate::arguments::{Remove, Tenants};
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, action: Option<Tenants>, json: bool) -> Result<(), Failure> {
    match action {
        None | Some(Tenants::List) => list(client, json).await,
        Some(Tenants::Remove(remove)) => run_remove(client, &remove, json).await,
    }
}

async fn run_remove(client: &Client, remove: &Remove, json: bool) -> Result<(), Failure> {
    if !remove.yes {
        confirm(remove.tenant_id)?;
    }
    let operation = Operation::RemoveTenant(remove.tenant_id);
    let Some(result) = start(client, operation, &remove.following, json).await? else {
        return Ok(());
    };
    if json {
        out::json(&result);
        return Ok(());
    }
    summary(&result)
}

/// What a removal did.
pub(super) fn summary(result: &JobResultResponse) -> Result<(), Failure> {
    let outcome = result.result.clone().unwrap_or_default();
    let outcome: RemoveTenantResult = serde_json::from_value(outcome)
        .map_err(|error| Failure::other(&format!("the result of the removal is not understood: {error}")))?;
    out::line(&format!(
        "  removed    {} nodes, and all files",
        grouped(outcome.nodes_removed)
    ));
    Ok(())
}

/// Asks the person at the terminal; where there is none, `--yes` has to say it.
fn confirm(tenant: TenantId) -> Result<(), Failure> {
    if !out::can_ask() {
        return Err(Failure::usage("a removal is for good: say that it is meant with --yes"));
    }
    let answer = out::ask(&format!(
        "Remove the graph, the scans and all files of tenant {tenant} for good? Type its id: "
    ));
    if answer.as_deref().map(str::trim) == Some(tenant.to_string().as_str()) {
        Ok(())
    } else {
        Err(Failure::usage("that is not its id: nothing was removed"))
    }
}

async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let tenants = client.tenants().await?;
    if json {
        out::json(&tenants);
        return Ok(());
    }
    if tenants.is_empty() {
        out::line("No tenant has been scanned yet.");
    }
    for tenant in &tenants {
        let verdict = match tenant.verdict {
            Some(Verdict::Complete) => "complete",
            Some(Verdict::Partial) => "PARTIAL",
            None => "not finished",
        };
        let when = tenant.scanned_at.map(atg_models::time_text::print).unwrap_or_default();
        out::line(&format!(
            "  {}  {verdict}  {} nodes  {} edges  {when}",
            tenant.tenant_id,
            grouped(tenant.nodes),
            grouped(tenant.edges)
        ));
    }
    Ok(())
}
