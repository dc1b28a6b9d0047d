//! What a finished job has published, as the routes need it that read from it.

use atg_auth::Principal;
use atg_db::{ByteStream, StoreError};
use atg_models::ErrorCode;
use atg_models::job::{ArtifactInfo, ArtifactName, JobRecord};

use crate::error::ApiError;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// A job's artifact, whose bytes are there.
pub(super) struct Published {
    /// Under which it is kept.
    pub(super) name: ArtifactName,
    /// What it holds.
    pub(super) info: ArtifactInfo,
}

/// 409 before the job's end, 404 when it published nothing, 410 when that is past its time.
pub(super) async fn published(state: &AppState, principal: &Principal, id: &str) -> Result<Published, ApiError> {
    let job = visible_job(state, principal, id).await?;
    if !job.machine.state.is_terminal() {
        return Err(ApiError::new(ErrorCode::JobNotFinished, "the job has not ended yet"));
    }
    let is_late = is_late(state, &job);
    let JobRecord { id: job, artifact, .. } = job;
    let info = artifact.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "this job has published no files"))?;
    if is_late {
        return Err(expired());
    }
    let name = info.name(job);
    let size_bytes = state.artifacts.size(name).await?.ok_or_else(expired)?;
    if size_bytes != info.size_bytes {
        return Err(ApiError::internal(&StoreError::Corrupt {
            doing: "looking for an artifact",
            problem: format!("{job} has {size_bytes} bytes instead of {}", info.size_bytes),
        }));
    }
    Ok(Published { name, info })
}

/// The bytes may be there for a while longer, until they are swept.
fn is_late(state: &AppState, job: &JobRecord) -> bool {
    let ended_at = job.completed_at.unwrap_or(job.updated_at);
    ended_at.saturating_add(state.config.artifact_ttl) <= state.clock.now()
}

fn expired() -> ApiError {
    ApiError::new(
        ErrorCode::ArtifactExpired,
        "the files of this job are gone, run it again",
    )
}

/// Bytes that were swept since they were looked for are past their time as well.
pub(super) fn opened(bytes: Result<ByteStream, StoreError>) -> Result<ByteStream, ApiError> {
    bytes.map_err(|error| match error {
        StoreError::NotFound { .. } => expired(),
        StoreError::Unavailable { .. }
        | StoreError::Fenced { .. }
        | StoreError::Refused(_)
        | StoreError::TooLarge { .. }
        | StoreError::Corrupt { .. }
        | StoreError::TooNew { .. }
        | StoreError::HalfImported { .. }
        | StoreError::Locked { .. } => error.into(),
    })
}
