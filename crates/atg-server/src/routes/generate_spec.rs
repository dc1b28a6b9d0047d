//! `POST /api/v1/generate-spec`, `GET /api/v1/generate-spec/{job_id}`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use atg_models::JobKind;
use atg_models::api::{GenerateSpecRequest, JobStatusResponse};

use super::submit::{only_tenant, status_of, submit};
use crate::auth::{Allowed, Operate, Read, permit_tenant};
use crate::body;
use crate::error::ApiError;
use crate::openapi::{BodyRefusals, JobAnswers, JobHeaders, Refusals};
use crate::state::AppState;

/// Writes a tenant's specification, without its names.
#[utoipa::path(
    operation_id = "startGenerateSpec",
    tag = "jobs",
    request_body = GenerateSpecRequest,
    params(JobHeaders),
    responses(JobAnswers, Refusals, BodyRefusals),
    security(("bearer_key" = []))
)]
#[post("/api/v1/generate-spec")]
pub(crate) async fn start(
    state: web::Data<AppState>,
    allowed: Allowed<Operate>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let mut params: GenerateSpecRequest = body::read(&state, &request, payload).await?;
    let tenant = match params.tenant_id {
        Some(tenant) => {
            permit_tenant(&state, &allowed.principal, tenant)?;
            tenant
        }
        None => only_tenant(&state, &allowed.principal).await?,
    };
    params.tenant_id = Some(tenant);
    submit(
        &state,
        &request,
        &allowed.principal,
        JobKind::GenerateSpec,
        tenant.to_string(),
        &params,
    )
    .await
}

/// Where a specification stands.
#[utoipa::path(
    operation_id = "getGenerateSpec",
    tag = "jobs",
    params(("job_id" = String, Path, description = "As the POST answered")),
    responses((status = 200, description = "Where it stands", body = JobStatusResponse), (status = 404, description = "No such specification", body = atg_models::api::ErrorResponse), Refusals),
    security(("bearer_key" = []))
)]
#[get("/api/v1/generate-spec/{job_id}")]
pub(crate) async fn status(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<web::Json<JobStatusResponse>, ApiError> {
    status_of(&state, &allowed.principal, JobKind::GenerateSpec, &job_id)
        .await
        .map(web::Json)
}
