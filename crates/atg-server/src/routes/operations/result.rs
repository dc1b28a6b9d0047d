//! `GET /api/v1/operations/{job_id}/result`.

use actix_web::{get, web};
use atg_models::ErrorCode;
use atg_models::api::JobResultResponse;

use crate::auth::{Allowed, Read};
use crate::error::ApiError;
use crate::links;
use crate::openapi::Refusals;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// What came of a job, however it ended.
#[utoipa::path(
    operation_id = "getOperationResult",
    tag = "operations",
    params(("job_id" = String, Path, description = "Of any kind of job")),
    responses(
        (status = 200, description = "What came of it", body = JobResultResponse),
        (status = 404, description = "No such job", body = atg_models::api::ErrorResponse),
        (status = 409, description = "It has not ended yet", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}/result")]
pub(crate) async fn result(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<web::Json<JobResultResponse>, ApiError> {
    let job = visible_job(&state, &allowed.principal, &job_id).await?;
    if !job.machine.state.is_terminal() {
        return Err(ApiError::new(ErrorCode::JobNotFinished, "the job has not ended yet"));
    }
    Ok(web::Json(JobResultResponse::of(&job, &links::public_base(&state))))
}
