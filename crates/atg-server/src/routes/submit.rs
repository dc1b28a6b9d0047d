//! What all routes share that start a job, or show one of their kind.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use atg_auth::Principal;
use atg_db::{Bound, Inserted};
use atg_models::api::{JobResponse, JobResultResponse, JobStatusResponse, RequestError};
use atg_models::job::JobRecord;
use atg_models::{ErrorCode, JobId, JobKind, TenantId, limits};
use serde::Serialize;
use time::Duration;

use crate::auth::{is_job_visible, is_served, is_visible};
use crate::error::ApiError;
use crate::rates::{self, Standing};
use crate::state::AppState;
use crate::{idempotency, links, prefer};

const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");

/// Registers a job, durable, and answers 202; or 200 with its result, when the client would wait for it
/// and it ends in time. A request that names its key again gets the job that it made before.
pub(super) async fn submit<P: Serialize>(
    state: &AppState,
    request: &HttpRequest,
    principal: &Principal,
    kind: JobKind,
    tenant: String,
    params: &P,
) -> Result<HttpResponse, ApiError> {
    let params = serde_json::to_value(params).map_err(|error| ApiError::internal(&error))?;
    let idempotency = idempotency::key(request)?.map(|key| (key, idempotency::digest(kind, &params)));
    let key_prefix = principal.key_prefix.as_str().to_owned();
    let job = state
        .engine
        .new_job(kind, tenant, key_prefix, params, state.ids.as_ref())
        .ok_or_else(|| ApiError::not_found("operation"))?;
    let (job, replayed) = match state.engine.submit(job, idempotency).await? {
        Inserted::New(job) => (job, false),
        Inserted::Replayed(job) => (job, true),
        Inserted::Mismatch => {
            let message = "this idempotency key was used with another body";
            return Err(ApiError::new(ErrorCode::IdempotencyMismatch, message));
        }
        Inserted::Full(bound) => return Err(full(state, bound)),
    };
    Ok(answer(state, request, principal, job, replayed).await)
}

/// 202 for a job that was taken on; 200 when the client waits and it has ended by then.
async fn answer(
    state: &AppState,
    request: &HttpRequest,
    principal: &Principal,
    job: JobRecord,
    replayed: bool,
) -> HttpResponse {
    let wait = prefer::wait(request.headers());
    let ended = match wait {
        Some(wait) => ended_within(state, principal, &job, wait).await,
        None => None,
    };
    let mut answer = HttpResponse::build(if ended.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    });
    answer.insert_header((OPERATION_LOCATION, links::operation(state, job.id)));
    if replayed {
        answer.insert_header((idempotency::REPLAYED, "true"));
    }
    if let Some(standing) = standing(state, principal, job.id.kind()).await {
        for header in standing.headers() {
            answer.insert_header(header);
        }
    }
    if let Some(ended) = ended {
        answer.insert_header(prefer::applied(wait.unwrap_or_default()));
        return answer.json(JobResultResponse::of(&ended, &links::public_base(state)));
    }
    answer.insert_header((RETRY_AFTER, limits::POLL_RETRY_AFTER.whole_seconds().to_string()));
    answer.json(JobResponse {
        job_id: job.id,
        status: job.machine.state.into(),
        created_at: job.created_at,
        websocket_url: links::websocket(state, request, job.id),
    })
}

/// The job, when it ends within `wait`. The job is taken on, whatever happens here: what keeps this
/// server from waiting (a stop, a store that does not answer, too many that wait) makes a 202.
async fn ended_within(state: &AppState, principal: &Principal, job: &JobRecord, wait: Duration) -> Option<JobRecord> {
    if job.machine.state.is_terminal() {
        return Some(job.clone());
    }
    let _seat = state.streams.seat(&principal.key_prefix)?;
    let until = state.clock.now() + wait;
    let job = tokio::select! {
        job = state.engine.wait_terminal(job.id, until) => job.ok()?,
        () = state.draining.cancelled() => return None,
    };
    job.machine.state.is_terminal().then_some(job)
}

/// Where the caller stands with the limit that this kind of job meets first.
async fn standing(state: &AppState, principal: &Principal, kind: JobKind) -> Option<Standing> {
    let now = state.clock.now();
    if kind != JobKind::Scan {
        return Some(state.rates.standing(&principal.key_prefix, now));
    }
    let quota = state.jobs.scans(principal.key_prefix.as_str(), now).await.ok()?;
    Some(Standing {
        limit: quota.limit,
        remaining: quota.limit.saturating_sub(quota.used),
        reset: quota.next_at.map_or(Duration::ZERO, |at| at - now),
    })
}

/// Refuses a scan beyond the limit before its body is read. A request that names its key may be the
/// same again, which costs nothing: what it asks for has to be read first, and the store then decides.
pub(super) async fn scans_left(state: &AppState, request: &HttpRequest, principal: &Principal) -> Result<(), ApiError> {
    if idempotency::is_named(request) {
        return Ok(());
    }
    let quota = state
        .jobs
        .scans(principal.key_prefix.as_str(), state.clock.now())
        .await?;
    match quota.free_at {
        Some(free_at) => Err(full(
            state,
            Bound::ScansOfKey {
                limit: quota.limit,
                free_at,
            },
        )),
        None => Ok(()),
    }
}

fn full(state: &AppState, bound: Bound) -> ApiError {
    let error = |message: String| ApiError::new(ErrorCode::RateLimited, message);
    match bound {
        Bound::Queue { limit } => error(format!(
            "the rate limit of {limit} waiting jobs of this server is reached, try again when some have ended"
        )),
        Bound::JobsOfKey { limit } => error(format!(
            "the rate limit of {limit} jobs of this key that wait or run is reached, try again when some have ended"
        )),
        Bound::ScansOfKey { limit, free_at } => rates::refused(
            format!("the rate limit of {limit} scans an hour is used up"),
            Standing {
                limit,
                remaining: 0,
                reset: free_at - state.clock.now(),
            },
        ),
    }
}

/// A job that the caller may see; unknown and invisible ones look alike.
pub(super) async fn visible_job(state: &AppState, principal: &Principal, id: &str) -> Result<JobRecord, ApiError> {
    let not_found = || ApiError::not_found("job");
    let id: JobId = id.parse().map_err(|_| not_found())?;
    let job = state.jobs.get(id).await?.ok_or_else(not_found)?;
    if is_job_visible(state, principal, &job) {
        Ok(job)
    } else {
        Err(not_found())
    }
}

/// The status of a job of one kind.
pub(super) async fn status_of(
    state: &AppState,
    principal: &Principal,
    kind: JobKind,
    id: &str,
) -> Result<JobStatusResponse, ApiError> {
    let job = visible_job(state, principal, id).await?;
    if job.id.kind() != kind {
        return Err(ApiError::not_found("job"));
    }
    Ok(JobStatusResponse::from(&job))
}

/// The only tenant that the caller may see, for requests that name none.
pub(super) async fn only_tenant(state: &AppState, principal: &Principal) -> Result<TenantId, ApiError> {
    if let Some(only) = state
        .config
        .target_tenant
        .filter(|tenant| is_visible(state, principal, *tenant))
    {
        return Ok(only);
    }
    let stored: Vec<_> = state
        .graph
        .tenants()
        .await?
        .iter()
        .map(|tenant| tenant.tenant_id)
        .filter(|tenant| is_visible(state, principal, *tenant))
        .collect();
    let sole = atg_auth::sole_tenant(principal, &stored).filter(|tenant| is_served(state, *tenant));
    sole.ok_or_else(|| {
        // What this key may see: it learns nothing of other tenants.
        let message = if stored.is_empty() {
            "is required: no tenant is stored yet"
        } else {
            "is required: more than one tenant is stored"
        };
        RequestError::rule("tenant_id", message).into()
    })
}
