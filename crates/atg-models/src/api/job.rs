//! A job as clients see it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::api::ErrorBody;
use crate::ids::{JobId, JobKind};
use crate::job::{ArtifactFile, JobRecord, JobState, Progress};

/// Where a job stands, in the words of the wire: a job that was asked to stop still shows as
/// `running`, with `cancel_requested`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Waits.
    Queued,
    /// Is worked on.
    Running,
    /// Ended well.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl JobStatus {
    /// All words.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this word.
    pub fn from_wire(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The states that show as this status.
    pub const fn states(self) -> &'static [JobState] {
        match self {
            Self::Queued => &[JobState::Queued],
            Self::Running => &[JobState::Running, JobState::Cancelling],
            Self::Completed => &[JobState::Succeeded],
            Self::Failed => &[JobState::Failed],
            Self::Cancelled => &[JobState::Cancelled],
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Completed | Self::Failed | Self::Cancelled => true,
        }
    }
}

impl From<JobState> for JobStatus {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Queued => Self::Queued,
            JobState::Running | JobState::Cancelling => Self::Running,
            JobState::Succeeded => Self::Completed,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl std::fmt::Display for JobStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a job does, as the wire names it: [`JobKind`] with a serde and a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OperationType {
    /// Reads a tenant.
    Scan,
    /// Generates code.
    GenerateIac,
    /// Writes a specification.
    GenerateSpec,
    /// Makes a tenant.
    CreateTenant,
    /// Draws a graph.
    Visualize,
    /// Writes a threat model.
    ThreatModel,
    /// Answers a question.
    AgentMode,
    /// Removes what is stored.
    RemoveTenant,
}

impl From<JobKind> for OperationType {
    fn from(kind: JobKind) -> Self {
        match kind {
            JobKind::Scan => Self::Scan,
            JobKind::GenerateIac => Self::GenerateIac,
            JobKind::GenerateSpec => Self::GenerateSpec,
            JobKind::CreateTenant => Self::CreateTenant,
            JobKind::Visualize => Self::Visualize,
            JobKind::ThreatModel => Self::ThreatModel,
            JobKind::AgentMode => Self::AgentMode,
            JobKind::RemoveTenant => Self::RemoveTenant,
        }
    }
}

impl From<OperationType> for JobKind {
    fn from(operation: OperationType) -> Self {
        match operation {
            OperationType::Scan => Self::Scan,
            OperationType::GenerateIac => Self::GenerateIac,
            OperationType::GenerateSpec => Self::GenerateSpec,
            OperationType::CreateTenant => Self::CreateTenant,
            OperationType::Visualize => Self::Visualize,
            OperationType::ThreatModel => Self::ThreatModel,
            OperationType::AgentMode => Self::AgentMode,
            OperationType::RemoveTenant => Self::RemoveTenant,
        }
    }
}

/// A job was taken on (202).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobResponse {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "scan-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub job_id: JobId,
    /// `queued`; of a replayed request whatever it is by now.
    #[cfg_attr(feature = "openapi", schema(example = "queued"))]
    pub status: JobStatus,
    /// When it was submitted.
    #[serde(with = "crate::time_text")]
    pub created_at: OffsetDateTime,
    /// Where its progress can be watched.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "wss://atg.example.com/ws/progress/scan-01890a5d-ac96-774b-bcce-b302099a8057")
    )]
    pub websocket_url: String,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobProgress {
    /// The step it is in.
    #[cfg_attr(feature = "openapi", schema(example = "resources"))]
    pub phase: String,
    /// The subscription that is being read.
    pub current_subscription: Option<String>,
    /// How many subscriptions there are.
    pub total_subscriptions: Option<u64>,
    /// Resources so far.
    pub resources_discovered: Option<u64>,
    /// 0 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100, example = 45.5))]
    pub percent_complete: f64,
}

impl From<&Progress> for JobProgress {
    fn from(progress: &Progress) -> Self {
        let Progress {
            phase,
            message: _,
            percent,
            current_subscription,
            total_subscriptions,
            resources_discovered,
        } = progress;
        Self {
            phase: phase.clone(),
            current_subscription: current_subscription.clone(),
            total_subscriptions: *total_subscriptions,
            resources_discovered: *resources_discovered,
            percent_complete: percent.clamp(0.0, 100.0),
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobStatusResponse {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "scan-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub job_id: JobId,
    /// What it does.
    pub operation_type: OperationType,
    /// Where it stands.
    pub status: JobStatus,
    /// The tenant as the request named it; null for a job without one.
    pub tenant_id: Option<String>,
    /// How far it is; null until its worker says so.
    pub progress: Option<JobProgress>,
    /// When it was submitted.
    #[serde(with = "crate::time_text")]
    pub created_at: OffsetDateTime,
    /// When it was first worked on.
    #[serde(with = "crate::time_text::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "crate::time_text")]
    pub updated_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "crate::time_text::option")]
    pub completed_at: Option<OffsetDateTime>,
    /// Which try this is; 0 before the first.
    pub attempt: u32,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// Why it failed, or why it is tried again.
    pub error: Option<ErrorBody>,
}

impl From<&JobRecord> for JobStatusResponse {
    fn from(job: &JobRecord) -> Self {
        Self {
            job_id: job.id,
            operation_type: job.id.kind().into(),
            status: job.machine.state.into(),
            tenant_id: (!job.tenant.is_empty()).then(|| job.tenant.clone()),
            progress: job.progress.as_ref().map(JobProgress::from),
            created_at: job.created_at,
            started_at: job.started_at,
            updated_at: job.updated_at,
            completed_at: job.completed_at,
            attempt: job.machine.attempt,
            cancel_requested: matches!(job.machine.state, JobState::Cancelling | JobState::Cancelled),
            error: job.machine.error.as_ref().map(ErrorBody::from),
        }
    }
}

/// A file that a job has generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GeneratedFile {
    /// The path inside the zip.
    #[cfg_attr(feature = "openapi", schema(example = "rg-web/main.tf"))]
    pub filename: String,
    /// Its bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// Its media type.
    #[cfg_attr(feature = "openapi", schema(example = "text/plain; charset=utf-8"))]
    pub content_type: String,
    /// Where it can be had by itself.
    pub download_url: String,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobResultResponse {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "iac-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub job_id: JobId,
    /// How it ended.
    pub status: JobStatus,
    /// The operation's outcome; null when it has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<Value>,
    /// What its artifact holds.
    pub files: Vec<GeneratedFile>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
}

impl JobResultResponse {
    /// The result of a job; `base_url` (`https://atg.example.com`, or empty for paths) stands before
    /// the addresses of its files.
    pub fn of(job: &JobRecord, base_url: &str) -> Self {
        let files = job.artifact.as_ref().map(|artifact| artifact.files.as_slice());
        let base_url = base_url.trim_end_matches('/');
        Self {
            job_id: job.id,
            status: job.machine.state.into(),
            result: job.result.clone(),
            files: files
                .unwrap_or_default()
                .iter()
                .map(|file| GeneratedFile::of(job.id, file, base_url))
                .collect(),
            error: job.machine.error.as_ref().map(ErrorBody::from),
        }
    }
}

/// Everything is escaped but what RFC 3986 calls unreserved, and the slashes between segments.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl GeneratedFile {
    fn of(job: JobId, file: &ArtifactFile, base_url: &str) -> Self {
        Self {
            filename: file.path.clone(),
            size: file.size_bytes,
            sha256: file.sha256.clone(),
            content_type: file.content_type.clone(),
            download_url: format!(
                "{base_url}/api/v1/operations/{job}/files/{}",
                utf8_percent_encode(&file.path, IN_A_PATH)
            ),
        }
    }
}

/// The answer to a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelResponse {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "scan-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub job_id: JobId,
    /// `cancelled`, or `running` while it has not stopped yet.
    pub status: JobStatus,
    /// There, and true, while the job has not stopped yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested: Option<bool>,
}

impl CancelResponse {
    /// The answer for a job as it stands after the request.
    pub fn of(job: &JobRecord) -> Self {
        let status = JobStatus::from(job.machine.state);
        Self {
            job_id: job.id,
            status,
            cancel_requested: (!status.is_terminal()).then_some(true),
        }
    }
}
