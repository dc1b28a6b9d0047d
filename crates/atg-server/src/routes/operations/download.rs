//! `GET /api/v1/operations/{job_id}/download`.

use actix_web::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, get, web};
use atg_models::{ErrorCode, JobId};
use futures_util::TryStreamExt as _;

use crate::auth::{Allowed, Read};
use crate::error::{ApiError, chain};
use crate::openapi::Refusals;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// The files that a job has generated, as a zip.
#[utoipa::path(
    tag = "operations",
    params(("job_id" = String, Path, description = "Of any kind of job")),
    responses(
        (status = 200, description = "The zip", content_type = "application/zip", body = Vec<u8>),
        (status = 404, description = "No such job, or it published nothing", body = atg_models::api::ErrorResponse),
        (status = 409, description = "It has not ended yet", body = atg_models::api::ErrorResponse),
        (status = 410, description = "The files' time has passed", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}/download")]
pub(crate) async fn download(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    job_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let job = visible_job(&state, &allowed.principal, &job_id).await?;
    if !job.machine.state.is_terminal() {
        return Err(ApiError::new(ErrorCode::JobNotFinished, "the job has not ended yet"));
    }
    let artifact = job
        .artifact
        .as_ref()
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "this job has published no files"))?;
    let Some(size) = state.artifacts.size(job.id).await? else {
        return Err(ApiError::new(
            ErrorCode::ArtifactExpired,
            "the files of this job have expired, run it again",
        ));
    };
    let bytes = state.artifacts.open(job.id, None).await?;
    let body = bytes.map_err(|error| {
        tracing::error!(error = chain(&error), "a download broke off");
        actix_web::error::ErrorInternalServerError("the download broke off")
    });
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file_name(job.id)),
        ))
        .insert_header((ETAG, format!("\"{}\"", artifact.sha256)))
        .insert_header((ACCEPT_RANGES, "none"))
        .no_chunking(size)
        .streaming(body))
}

fn file_name(job: JobId) -> String {
    format!("{job}.zip")
}
