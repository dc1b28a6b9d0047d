//! Jobs and their event logs.

use async_trait::async_trait;
use atg_models::job::{ArtifactInfo, Event, EventBody, JobEvent, JobFilter, JobRecord, JobState, NewJob, WorkerId};
use atg_models::{Fence, JobId, Seq};
use serde_json::Value;
use time::OffsetDateTime;

use crate::StoreError;

/// Whether a submission made a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It did.
    New(JobRecord),
    /// The same idempotency key and body made this one before.
    Replayed(JobRecord),
    /// The same idempotency key came with another body.
    Mismatch,
    /// A bound is reached.
    Full(Bound),
}

/// A bound that a submission met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Jobs that wait, of all keys.
    Queue {
        /// How many are allowed.
        limit: u64,
    },
    /// Jobs of the key that wait or run.
    JobsOfKey {
        /// How many are allowed.
        limit: u64,
    },
    /// Scans of the key within [`atg_models::limits::SCANS_WINDOW`].
    ScansOfKey {
        /// How many are allowed.
        limit: u64,
        /// When one more is.
        free_at: OffsetDateTime,
    },
}

/// What a key has used of its scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanQuota {
    /// How many are allowed within [`atg_models::limits::SCANS_WINDOW`].
    pub limit: u64,
    /// How many were taken on.
    pub used: u64,
    /// When the oldest of them counts no longer.
    pub next_at: Option<OffsetDateTime>,
    /// When one more is allowed; `None` when it is now.
    pub free_at: Option<OffsetDateTime>,
}

/// How many jobs a key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimits {
    /// That wait or run.
    pub per_key: u32,
    /// Scans within [`atg_models::limits::SCANS_WINDOW`].
    pub scans_per_hour: u32,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            per_key: atg_models::limits::JOBS_PER_KEY_DEFAULT,
            scans_per_hour: atg_models::limits::SCANS_PER_HOUR_DEFAULT,
        }
    }
}

/// A job that a worker may run now.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The job, with the attempt, fence and lease of this claim.
    pub job: JobRecord,
}

/// What goes into the store together with a state change, in one transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transition {
    /// The operation's outcome.
    pub result: Option<Value>,
    /// What it published.
    pub artifact: Option<ArtifactInfo>,
    /// Last events of its log, before the completion that the store writes itself whenever the new
    /// state is terminal (and the error before it, when it failed).
    pub events: Vec<EventBody>,
}

/// A page of a job's log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// In order.
    pub events: Vec<JobEvent>,
    /// Sequences that were asked for and are no longer held: from, to, both included.
    pub gap: Option<(Seq, Seq)>,
    /// The log's last sequence.
    pub last: Seq,
    /// Whether the last event of the log is the job's completion.
    pub complete: bool,
}

/// A page of a list of jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// Newest first.
    pub jobs: Vec<JobRecord>,
    /// How many there are in all.
    pub total: u64,
}

/// How far a job is: what a server asks that waits for others' news of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// Which job.
    pub id: JobId,
    /// The last sequence of its log.
    pub last: Seq,
    /// Where it stands.
    pub state: JobState,
}

/// Keeps jobs. The state machine of `atg-models` decides every change; the store applies it in one
/// transaction with what belongs to it.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Adds a job. `idempotency` is the client's key and the digest of its body; it is remembered for
    /// [`atg_models::limits::IDEMPOTENCY_TTL`]. What it made before is answered whatever bound is reached.
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError>;

    /// What a key has used of its scans: the jobs themselves are counted, so a restart gives none back.
    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError>;

    /// One job.
    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError>;

    /// Jobs, newest first.
    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError>;

    /// Claims the oldest due job that may run beside the running ones; chooses, admits by tenant
    /// and leases in one transaction. For jobs that are held back it records which job they wait for
    /// as a log line, once.
    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError>;

    /// Applies an event of the state machine, with what belongs to it.
    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError>;

    /// Adds to a running job's log. Refused when the fence is not the job's. Events beyond the
    /// bounded tail are dropped from its start. A progress event also becomes the job's progress.
    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError>;

    /// Events after a sequence.
    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError>;

    /// How far each of these jobs is, in any order; those that are not there are left out. One query,
    /// whatever their number: a server asks for all jobs that are watched on it, several times a second.
    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError>;

    /// Jobs whose lease has passed.
    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError>;

    /// Jobs that a worker holds, whoever it is. For the recovery at start.
    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError>;

    /// When the next job becomes due or the next lease passes.
    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError>;

    /// An operation's checkpoint, `None` before the first.
    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Replaces it; at most 64 KiB, refused when the fence is not the job's.
    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError>;

    /// Removes jobs that ended before `finished_before` with their logs, and idempotency rows made
    /// before `idempotency_before`. Answers the removed jobs, at most `limit`.
    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Whether the store answers.
    async fn health(&self) -> crate::Health;
}
