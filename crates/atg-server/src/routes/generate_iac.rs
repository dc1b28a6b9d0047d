//! `POST /api/v1/generate-iac`, `GET /api/v1/generate-iac/{job_id}`.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use atg_models::api::{GenerateIacRequest, ImportStrategy, JobStatusResponse};
use atg_models::{JobKind, TenantId};

use super::submit::{only_tenant, status_of, submit};
use crate::auth::{Allowed, Operate, Read, permit_tenant};
use crate::body;
use crate::error::ApiError;
use crate::openapi::{BodyRefusals, JobAnswers, JobHeaders, Refusals};
use crate::state::AppState;

/// Turns a tenant's graph into infrastructure code.
#[utoipa::path(
    operation_id = "startGenerateIac",
    tag = "jobs",
    request_body = GenerateIacRequest,
    params(JobHeaders),
    responses(JobAnswers, Refusals, BodyRefusals),
    security(("bearer_key" = []))
)]
#[post("/api/v1/generate-iac")]
pub(crate) async fn start(
    state: web::Data<AppState>,
    allowed: Allowed<Operate>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let mut params: GenerateIacRequest = body::read(&state, &request, payload).await?;
    let tenant = match &params.tenant_id {
        Some(text) => {
            // Any text is taken: a tenant that is not stored fails the job, not the request.
            if let Ok(tenant) = text.parse::<TenantId>() {
                permit_tenant(&state, &allowed.principal, tenant)?;
            }
            text.clone()
        }
        None => only_tenant(&state, &allowed.principal).await?.to_string(),
    };
    if let Some(target) = reads_target(&params) {
        permit_tenant(&state, &allowed.principal, target)?;
    }
    params.tenant_id = Some(tenant.clone());
    submit(
        &state,
        &request,
        &allowed.principal,
        JobKind::GenerateIac,
        tenant,
        &params,
    )
    .await
}

/// The tenant whose graph is read too: selective imports look at what the target holds.
fn reads_target(params: &GenerateIacRequest) -> Option<TenantId> {
    let selective = params.auto_import_existing && params.import_strategy == ImportStrategy::Selective;
    params.target_tenant_id.filter(|_| selective)
}

/// Where a generation stands.
#[utoipa::path(
    operation_id = "getGenerateIac",
    tag = "jobs",
    params(("job_id" = String, Path, description = "As the POST answered")),
    responses((status = 200, description = "Where it stands", body = JobStatusResponse), (status = 404, description = "No such generation", body = atg_models::api::ErrorResponse), Refusals),
    security(("bearer_key" = []))
)]
#[get("/api/v1/generate-iac/{job_id}")]
pub(crate) async fn status(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<web::Json<JobStatusResponse>, ApiError> {
    status_of(&state, &allowed.principal, JobKind::GenerateIac, &job_id)
        .await
        .map(web::Json)
}
