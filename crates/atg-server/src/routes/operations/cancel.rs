//! `DELETE /api/v1/operations/{job_id}`.

use actix_web::{HttpResponse, delete, web};
use atg_db::StoreError;
use atg_models::api::CancelResponse;
use atg_models::job::Refused;
use atg_models::{ErrorCode, limits};

use crate::auth::{Allowed, Operate};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// Cancels a job: 200 when it has stopped within two seconds, else 202 while it stops.
#[utoipa::path(
    operation_id = "cancelOperation",
    tag = "operations",
    params(("job_id" = String, Path, description = "Of any kind of job")),
    responses(
        (status = 200, description = "It has stopped", body = CancelResponse),
        (status = 202, description = "It was asked to stop", body = CancelResponse),
        (status = 404, description = "No such job", body = atg_models::api::ErrorResponse),
        (status = 409, description = "It has ended already", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[delete("/api/v1/operations/{job_id}")]
pub(crate) async fn cancel(
    state: web::Data<AppState>,
    allowed: Allowed<Operate>,
    job_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let job = visible_job(&state, &allowed.principal, &job_id).await?;
    let finished = || ApiError::new(ErrorCode::JobFinished, "the job has ended already");
    if job.machine.state.is_terminal() {
        return Err(finished());
    }
    match state.engine.cancel(job.id).await {
        Ok(_) => {}
        Err(StoreError::Refused(Refused::Finished)) => return Err(finished()),
        Err(error) => return Err(error.into()),
    }
    let job = state
        .engine
        .wait_terminal(job.id, state.clock.now() + limits::CANCEL_WAIT)
        .await?;
    let answer = CancelResponse::of(&job);
    state.clock.sleep_until(state.clock.now() + limits::ON_THE_WIRE).await;
    Ok(if answer.status.is_terminal() {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::Accepted().json(answer)
    })
}
