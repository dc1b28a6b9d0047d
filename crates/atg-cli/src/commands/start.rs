//! Starts a job as asked: followed, waited for, or left alone.

use std::time::Duration;

use atg_client::{Client, ClientError, Submitted};
use atg_models::api::{GenerateIacRequest, GenerateSpecRequest, JobResponse, JobResultResponse, ScanRequest};
use atg_models::{JobId, Seq, TenantId};
use tokio::time::Instant;

use super::follow::{ended, follow};
use crate::arguments::Following;
use crate::exit::Failure;
use crate::out;

/// Between two looks at a job that is waited for.
const LOOK: Duration = Duration::from_secs(2);

/// What is started.
pub(super) enum Operation<'a> {
    Scan(&'a ScanRequest),
    GenerateIac(&'a GenerateIacRequest),
    GenerateSpec(&'a GenerateSpecRequest),
    RemoveTenant(TenantId),
}

impl Operation<'_> {
    async fn start(&self, client: &Client) -> Result<JobResponse, ClientError> {
        match self {
            Self::Scan(request) => client.scan(request).await,
            Self::GenerateIac(request) => client.generate_iac(request).await,
            Self::GenerateSpec(request) => client.generate_spec(request).await,
            Self::RemoveTenant(tenant) => client.remove_tenant(*tenant).await,
        }
    }

    async fn start_waiting(&self, client: &Client, wait: Duration) -> Result<Submitted, ClientError> {
        match self {
            Self::Scan(request) => client.scan_waiting(request, wait).await,
            Self::GenerateIac(request) => client.generate_iac_waiting(request, wait).await,
            Self::GenerateSpec(request) => client.generate_spec_waiting(request, wait).await,
            Self::RemoveTenant(tenant) => client.remove_tenant_waiting(*tenant, wait).await,
        }
    }
}

/// Starts it and answers what came of it; `None` when it was only to be started.
pub(super) async fn start(
    client: &Client,
    operation: Operation<'_>,
    following: &Following,
    json: bool,
) -> Result<Option<JobResultResponse>, Failure> {
    if let Some(seconds) = following.wait {
        return wait(client, operation, Duration::from_secs(seconds)).await.map(Some);
    }
    let job = operation.start(client).await?;
    if following.detach {
        if json {
            out::json(&job);
        } else {
            out::line(&job.job_id.to_string());
        }
        return Ok(None);
    }
    if !json {
        out::remark(&job.job_id.to_string());
    }
    follow(client, job.job_id, Seq::ZERO, None, json).await.map(Some)
}

/// Lets the server hold the answer; what it, or a proxy, does not hold for long enough is looked at again.
async fn wait(client: &Client, operation: Operation<'_>, wait: Duration) -> Result<JobResultResponse, Failure> {
    let until = Instant::now() + wait;
    let result = match operation.start_waiting(client, wait).await? {
        Submitted::Ended(result) => *result,
        Submitted::Taken(job) => look(client, job.job_id, until).await?,
    };
    ended(result, None)
}

async fn look(client: &Client, job: JobId, until: Instant) -> Result<JobResultResponse, Failure> {
    let lost = |error| Failure::from(error).while_following(job);
    loop {
        let status = client.operation(job).await.map_err(lost)?;
        if status.status.is_terminal() {
            return client.result(job).await.map_err(lost);
        }
        let now = Instant::now();
        if now >= until {
            return Err(Failure::still_running(&status));
        }
        tokio::time::sleep_until(until.min(now + LOOK)).await;
    }
}
