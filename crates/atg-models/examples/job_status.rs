//! Reads a job's status, as the server answers it, from standard input and says where it stands.
//!
//! `curl -H "Authorization: Bearer $ATG_API_KEY" $ATG_SERVICE_URL/api/v1/operations/JOB | cargo run --example job_status`

use std::io::Read as _;
use std::io::Write as _;

use atg_models::api::JobStatusResponse;
use atg_models::time_text;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let job: JobStatusResponse = serde_json::from_str(&text)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is {}", job.job_id, job.status)?;
    if let Some(progress) = &job.progress {
        writeln!(out, "{:.0} % ({})", progress.percent_complete, progress.phase)?;
    }
    if let Some(error) = &job.error {
        writeln!(out, "{}: {}", error.code.as_str(), error.message)?;
    }
    writeln!(out, "last change {}", time_text::print(job.updated_at))?;
    Ok(())
}
