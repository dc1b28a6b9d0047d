//! What all routes share that start a job, or show one of their kind.

use actix_web::http::header::{HeaderName, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use atg_auth::Principal;
use atg_db::Inserted;
use atg_models::api::{JobResponse, JobStatusResponse, RequestError};
use atg_models::job::JobRecord;
use atg_models::{ErrorCode, JobId, JobKind, TenantId, limits};
use serde::Serialize;

use crate::auth::{is_job_visible, is_served, is_visible};
use crate::error::ApiError;
use crate::links;
use crate::state::AppState;

const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");

/// Registers a job, durable, and answers 202.
pub(super) async fn submit<P: Serialize>(
    state: &AppState,
    request: &HttpRequest,
    principal: &Principal,
    kind: JobKind,
    tenant: String,
    params: &P,
) -> Result<HttpResponse, ApiError> {
    let params = serde_json::to_value(params).map_err(|error| ApiError::internal(&error))?;
    let key_prefix = principal.key_prefix.as_str().to_owned();
    let job = state
        .engine
        .new_job(kind, tenant, key_prefix, params, state.ids.as_ref())
        .ok_or_else(|| ApiError::not_found("operation"))?;
    match state.engine.submit(job, None).await? {
        Inserted::New(job) | Inserted::Replayed(job) => Ok(accepted(state, request, &job)),
        Inserted::Mismatch => Err(ApiError::new(
            ErrorCode::IdempotencyMismatch,
            "this idempotency key was used with another body",
        )),
        Inserted::Full { limit } => Err(ApiError::new(
            ErrorCode::RateLimited,
            format!("the rate limit of {limit} waiting jobs is reached, try again when some have ended"),
        )),
    }
}

fn accepted(state: &AppState, request: &HttpRequest, job: &JobRecord) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((OPERATION_LOCATION, links::operation(state, job.id)))
        .insert_header((RETRY_AFTER, limits::POLL_RETRY_AFTER.whole_seconds().to_string()))
        .json(JobResponse {
            job_id: job.id,
            status: job.machine.state.into(),
            created_at: job.created_at,
            websocket_url: links::websocket(state, request, job.id),
        })
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
