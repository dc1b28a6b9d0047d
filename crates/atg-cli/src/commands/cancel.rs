//! `atg cancel`: asks a job to stop.

use atg_client::Client;
use atg_models::JobId;

use crate::exit::Failure;
use crate::out;

pub(super) async fn run(client: &Client, job: JobId, json: bool) -> Result<(), Failure> {
    let answer = client.cancel(job).await?;
    if json {
        out::json(&answer);
    } else if answer.status.is_terminal() {
        out::line(&format!("  {job}  {}", answer.status));
    } else {
        out::line(&format!("  {job}  is stopping; `atg watch {job}` tells when it has"));
    }
    Ok(())
}
