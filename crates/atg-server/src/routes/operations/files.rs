//! `GET /api/v1/operations/{job_id}/files/{path}`.

use actix_web::{HttpRequest, HttpResponse, get, web};
use atg_db::StoreError;
use atg_ops::unpack;
use percent_encoding::percent_decode_str;

use super::artifact::{opened, published};
use crate::auth::{Allowed, Read};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::ranged::{PartialContent, Representation, answer};
use crate::state::AppState;

/// One of the files that a job has generated.
#[utoipa::path(
    operation_id = "getOperationFile",
    tag = "operations",
    params(
        ("job_id" = String, Path, description = "Of any kind of job"),
        ("path" = String, Path, description = "As `filename` of the job's result says; slashes stand as they are"),
        PartialContent
    ),
    responses(
        (status = 200, description = "The file, with its own media type", content_type = "*/*", body = Vec<u8>, headers(
            ("ETag" = String, description = "SHA-256 of the file"),
            ("Accept-Ranges" = String, description = "`bytes`"),
            ("Content-Disposition" = String, description = "The name to keep it under"),
        )),
        (status = 206, description = "The part that `Range` asks for", content_type = "*/*", body = Vec<u8>, headers(
            ("ETag" = String, description = "SHA-256 of the whole"),
            ("Content-Range" = String, description = "Which bytes these are, and of how many"),
        )),
        PartialContent,
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}/files/{path:.*}")]
pub(crate) async fn file(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let found = published(&state, &allowed.principal, &path.0).await?;
    let wanted = path_in_archive(request.uri().path()).ok_or_else(|| ApiError::not_found("file"))?;
    // Only what the job has listed can be had, by its exact name: no path leads anywhere else.
    let listed = found.info.files.iter().find(|file| file.path == wanted);
    let listed = listed.ok_or_else(|| ApiError::not_found("file"))?;
    let content = Representation {
        sha256: &listed.sha256,
        size_bytes: listed.size_bytes,
        content_type: &listed.content_type,
        file_name: wanted.rsplit('/').next().unwrap_or_default(),
    };
    let (name, zip_bytes) = (found.name, found.info.size_bytes);
    answer(&request, content, async |range| {
        let entry = unpack::find(state.artifacts.as_ref(), name, zip_bytes, &wanted).await;
        let entry = entry.and_then(|entry| {
            entry
                .filter(|entry| entry.size_bytes() == listed.size_bytes)
                .ok_or_else(|| StoreError::Corrupt {
                    doing: "reading an artifact",
                    problem: format!("{} does not hold {wanted:?} as its job says", name.job),
                })
        });
        match entry {
            Ok(entry) => opened(unpack::open(state.artifacts.as_ref(), name, &entry, range).await),
            Err(error) => opened(Err(error)),
        }
    })
    .await
}

/// What stands behind `/files/`, decoded once. The router's own decoding keeps some escapes.
fn path_in_archive(path: &str) -> Option<String> {
    /// `/api/v1/operations/{job_id}/files/` has this many slashes.
    const SLASHES: usize = 6;
    let encoded = path.splitn(SLASHES + 1, '/').nth(SLASHES)?;
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::path_in_archive;

    #[test]
    fn a_path_is_decoded_once() {
        let decoded = |rest: &str| path_in_archive(&format!("/api/v1/operations/iac-1/files/{rest}"));
        for (rest, path) in [
            ("main.tf", "main.tf"),
            ("modules/net%20work/a.tf", "modules/net work/a.tf"),
            ("a%2Fb.tf", "a/b.tf"),
            ("100%25.tf", "100%.tf"),
            ("%252e%252e/x", "%2e%2e/x"),
            ("%2e%2e/x", "../x"),
            ("gr%C3%BCn.tf", "grün.tf"),
        ] {
            assert_eq!(decoded(rest).as_deref(), Some(path), "{rest}");
        }
        assert_eq!(decoded("%ff"), None);
        assert_eq!(path_in_archive("/api/v1/operations/iac-1/files"), None);
    }
}
