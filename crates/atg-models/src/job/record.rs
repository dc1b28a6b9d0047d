//! A job as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::error_code::ErrorCode;
use crate::ids::{Fence, JobId, JobKind, TenantId};
use crate::job::{JobState, MachineState, OnCrash, Progress, TenantUse};

/// Why a job failed: for clients, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// From the table.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// For programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl JobError {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
        }
    }
}

/// A file inside an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactFile {
    /// Path inside the zip.
    pub path: String,
    /// Uncompressed.
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// Media type.
    pub content_type: String,
}

/// Under which an attempt publishes: its own, so that one that has lost its lease cannot replace what its successor
/// has published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArtifactName {
    /// Whose artifact it is.
    pub job: JobId,
    /// The lease of the attempt.
    pub lease: Fence,
}

/// A published artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactInfo {
    /// The lease of the attempt that published it. Artifacts had their job's name alone before.
    #[serde(default)]
    pub lease: Fence,
    /// Of the zip.
    pub size_bytes: u64,
    /// Of the zip, lower-case hex.
    pub sha256: String,
    /// What it holds.
    pub files: Vec<ArtifactFile>,
}

impl ArtifactInfo {
    /// Under which a job's artifact is kept.
    pub fn name(&self, job: JobId) -> ArtifactName {
        let lease = self.lease;
        ArtifactName { job, lease }
    }
}

/// What a job is submitted with.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Made by an [`crate::IdGen`].
    pub id: JobId,
    /// As the request named it; not always a UUID.
    pub tenant: String,
    /// How it uses that tenant's graph.
    pub tenant_use: TenantUse,
    /// What becomes of it when its worker is gone.
    pub on_crash: OnCrash,
    /// The public prefix of the key that submitted it.
    pub key_prefix: String,
    /// The validated request.
    pub params: Value,
    /// When.
    pub created_at: OffsetDateTime,
}

/// A job as it is read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// As the request named it.
    pub tenant: String,
    /// How it uses that tenant's graph.
    pub tenant_use: TenantUse,
    /// What becomes of it when its worker is gone.
    pub on_crash: OnCrash,
    /// The public prefix of the key that submitted it.
    pub key_prefix: String,
    /// The validated request.
    pub params: Value,
    /// Where it stands.
    #[serde(flatten)]
    pub machine: MachineState,
    /// The last that its worker said.
    pub progress: Option<Progress>,
    /// The operation's outcome, once it has one.
    pub result: Option<Value>,
    /// What it published.
    pub artifact: Option<ArtifactInfo>,
    /// When it was submitted.
    #[serde(with = "crate::time_text")]
    pub created_at: OffsetDateTime,
    /// When it was first claimed.
    #[serde(with = "crate::time_text::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "crate::time_text")]
    pub updated_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "crate::time_text::option")]
    pub completed_at: Option<OffsetDateTime>,
}

impl JobRecord {
    /// The tenant, when it is a UUID.
    pub fn tenant_id(&self) -> Option<TenantId> {
        self.tenant.parse().ok()
    }
}

/// Which jobs a list shows. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In one of these states; empty = any.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Of one of these tenants, or of no tenant's id and submitted by `key_prefix`; `None` = any tenant.
    pub tenants: Option<Vec<TenantId>>,
    /// Submitted by this key; beside `tenants`, see there.
    pub key_prefix: Option<String>,
}
