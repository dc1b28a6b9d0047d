//! `POST /api/v1/scan`, `GET /api/v1/scan/{job_id}`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use atg_models::JobKind;
use atg_models::api::{JobStatusResponse, ScanRequest};

use super::submit::{scans_left, status_of, submit};
use crate::auth::{Allowed, Operate, Read, permit_tenant};
use crate::body;
use crate::error::ApiError;
use crate::openapi::{BodyRefusals, JobAnswers, JobHeaders, Refusals};
use crate::state::AppState;

/// Reads a tenant into the graph.
#[utoipa::path(
    operation_id = "startScan",
    tag = "jobs",
    request_body = ScanRequest,
    params(JobHeaders),
    responses(JobAnswers, Refusals, BodyRefusals),
    security(("bearer_key" = []))
)]
#[post("/api/v1/scan")]
pub(crate) async fn start(
    state: web::Data<AppState>,
    allowed: Allowed<Operate>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    scans_left(&state, &request, &allowed.principal).await?;
    let params: ScanRequest = body::read(&state, &request, payload).await?;
    permit_tenant(&state, &allowed.principal, params.tenant_id)?;
    submit(
        &state,
        &request,
        &allowed.principal,
        JobKind::Scan,
        params.tenant_id.to_string(),
        &params,
    )
    .await
}

/// Where a scan stands.
#[utoipa::path(
    operation_id = "getScan",
    tag = "jobs",
    params(("job_id" = String, Path, description = "As the POST answered")),
    responses((status = 200, description = "Where it stands", body = JobStatusResponse), (status = 404, description = "No such scan", body = atg_models::api::ErrorResponse), Refusals),
    security(("bearer_key" = []))
)]
#[get("/api/v1/scan/{job_id}")]
pub(crate) async fn status(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<web::Json<JobStatusResponse>, ApiError> {
    status_of(&state, &allowed.principal, JobKind::Scan, &job_id)
        .await
        .map(web::Json)
}
