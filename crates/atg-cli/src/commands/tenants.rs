//! `atg tenants`: what the server holds.

use atg_client::Client;
use atg_models::graph::Verdict;

use super::follow::grouped;
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, json: bool) -> Result<(), Failure> {
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
