//! `atg status`: where a job stands.

use atg_client::Client;
use atg_models::JobId;

use super::follow::error_text;
use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, job: JobId, json: bool) -> Result<(), Failure> {
    let status = client.operation(job).await?;
    if json {
        out::json(&status);
        return Ok(());
    }
    let asked = if status.cancel_requested && !status.status.is_terminal() {
        " (asked to stop)"
    } else {
        ""
    };
    out::line(&format!("  job        {}", status.job_id));
    out::line(&format!("  status     {}{asked}", status.status));
    if let Some(tenant) = &status.tenant_id {
        out::line(&format!("  tenant     {tenant}"));
    }
    if let Some(progress) = &status.progress {
        out::line(&format!(
            "  progress   {:.1} % ({})",
            progress.percent_complete, progress.phase
        ));
    }
    out::line(&format!("  attempt    {}", status.attempt));
    out::line(&format!(
        "  created    {}",
        atg_models::time_text::print(status.created_at)
    ));
    if let Some(ended) = status.completed_at {
        out::line(&format!("  ended      {}", atg_models::time_text::print(ended)));
    }
    if let Some(error) = &status.error {
        out::line(&format!("  error      {}", error_text(error)));
    }
    Ok(())
}
