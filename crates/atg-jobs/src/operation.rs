//! What an operation is to the engine: a kind, limits, and one function.

use std::sync::Arc;

use async_trait::async_trait;
use atg_db::{ArtifactStore, StoreError};
use atg_models::job::{ArtifactInfo, JobError, LogLevel, OnCrash, Progress, TenantUse};
use atg_models::limits::{ATTEMPT_DEADLINE, ATTEMPTS_MAX};
use atg_models::{Clock, Fence, JobId, JobKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::Duration;
use tokio_util::sync::CancellationToken;

/// The bounds that one kind of job runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationLimits {
    /// How long one attempt may take.
    pub deadline: Duration,
    /// How often it may be tried.
    pub max_attempts: u32,
}

impl Default for OperationLimits {
    fn default() -> Self {
        Self {
            deadline: ATTEMPT_DEADLINE,
            max_attempts: ATTEMPTS_MAX,
        }
    }
}

/// How an attempt ended without a result.
#[derive(Debug)]
pub enum OperationError {
    /// Trying again may help.
    Retryable(JobError),
    /// Trying again is of no use.
    Fatal(JobError),
    /// The token was cancelled and the operation stopped. The engine knows why it was.
    Stopped,
    /// The store failed: a retryable error is tried again, the others are defects.
    Store(StoreError),
}

/// An operation's outcome and what it published.
#[derive(Debug)]
pub struct Finished<O> {
    /// Becomes the job's `result`.
    pub outcome: O,
    /// Published under the job's id before the job is finished.
    pub artifact: Option<ArtifactInfo>,
}

/// One kind of work. The engine knows it by its kind only.
#[async_trait]
pub trait Operation: Send + Sync + 'static {
    /// What it is.
    const KIND: JobKind;
    /// The validated request.
    type Params: DeserializeOwned + Serialize + Send + Sync + 'static;
    /// What it answers.
    type Outcome: Serialize + Send + 'static;

    /// Its bounds.
    fn limits(&self) -> OperationLimits {
        OperationLimits::default()
    }

    /// Whether it may be run again from its last checkpoint.
    fn on_crash(&self) -> OnCrash;

    /// How it uses its tenant's graph.
    fn tenant_use(&self) -> TenantUse;

    /// Does the work. Must be idempotent from its last checkpoint, look at the token within a second,
    /// and send nothing outside after it was cancelled.
    async fn run(
        &self,
        context: &dyn OperationContext,
        params: Self::Params,
    ) -> Result<Finished<Self::Outcome>, OperationError>;
}

/// What the engine gives an operation.
#[async_trait]
pub trait OperationContext: Send + Sync {
    /// The job.
    fn job_id(&self) -> JobId;

    /// Of this attempt; writes to the graph carry it.
    fn fence(&self) -> Fence;

    /// Cancelled when the job is to stop: on request, at its deadline, or at shutdown.
    fn cancelled(&self) -> CancellationToken;

    /// The time.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Where artifacts go.
    fn artifacts(&self) -> Arc<dyn ArtifactStore>;

    /// Says how far the work is. Coalesced: cheap to call often; never blocks.
    fn progress(&self, progress: Progress);

    /// Adds a line to the job's log. Never blocks; lines beyond a bound are dropped and counted.
    fn log(&self, level: LogLevel, message: String);

    /// What the last attempt kept.
    async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps something for the next attempt, at most 64 KiB.
    async fn keep(&self, checkpoint: Vec<u8>) -> Result<(), StoreError>;
}
