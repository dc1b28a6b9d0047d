//! `GET /api/v1/operations/{job_id}/download`.

use actix_web::{HttpRequest, HttpResponse, get, web};

use super::artifact::{opened, published};
use crate::auth::{Allowed, Read};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::ranged::{PartialContent, Representation, answer};
use crate::state::AppState;

/// The files that a job has generated, as a zip.
#[utoipa::path(
    operation_id = "downloadOperation",
    tag = "operations",
    params(("job_id" = String, Path, description = "Of any kind of job"), PartialContent),
    responses(
        (status = 200, description = "The zip", content_type = "application/zip", body = Vec<u8>, headers(
            ("ETag" = String, description = "SHA-256 of the zip"),
            ("Accept-Ranges" = String, description = "`bytes`"),
            ("Content-Disposition" = String, description = "The name to keep it under"),
        )),
        (status = 206, description = "The part that `Range` asks for", content_type = "application/zip", body = Vec<u8>, headers(
            ("ETag" = String, description = "SHA-256 of the whole"),
            ("Content-Range" = String, description = "Which bytes these are, and of how many"),
        )),
        PartialContent,
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}/download")]
pub(crate) async fn download(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    request: HttpRequest,
    job_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let found = published(&state, &allowed.principal, &job_id).await?;
    let file_name = format!("{}.zip", found.name.job);
    let content = Representation {
        sha256: &found.info.sha256,
        size_bytes: found.info.size_bytes,
        content_type: "application/zip",
        file_name: &file_name,
    };
    answer(&request, content, async |range| {
        opened(state.artifacts.open(found.name, Some(range)).await)
    })
    .await
}
