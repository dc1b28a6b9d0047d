//! `GET /api/v1/operations/{job_id}`.

use actix_web::{get, web};
use atg_models::api::JobStatusResponse;

use crate::auth::{Allowed, Read};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// Where a job stands.
#[utoipa::path(
    operation_id = "getOperation",
    tag = "operations",
    params(("job_id" = String, Path, description = "Of any kind of job")),
    responses((status = 200, description = "Where it stands", body = JobStatusResponse), (status = 404, description = "No such job", body = atg_models::api::ErrorResponse), Refusals),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}")]
pub(crate) async fn show(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<web::Json<JobStatusResponse>, ApiError> {
    let job = visible_job(&state, &allowed.principal, &job_id).await?;
    Ok(web::Json(JobStatusResponse::from(&job)))
}
