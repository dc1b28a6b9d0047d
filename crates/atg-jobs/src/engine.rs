//! The engine as its callers see it: submit, cancel, wait, read, shut down.
//!
//! Relies on the store for every state; what it holds in memory are the attempts of this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use atg_db::{ArtifactStore, Inserted, JobStore, StoreError, Transition};
use atg_models::job::{Event, JobRecord, NewJob, WorkerId};
use atg_models::{Clock, Fence, IdGen, JobId, JobKind, Seq};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::{Attempt, StopReason};
use crate::pages::Pages;
use crate::{EventReader, Hub, Registry, driver, news};

/// How an engine runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name: unique per process and start.
    pub worker: WorkerId,
    /// Jobs that run at the same time.
    pub max_concurrent_ops: usize,
    /// Whether no other process uses the store, so that jobs found running at start are orphans. The
    /// lock on the data folder proves it for the embedded store.
    pub sole_owner: bool,
    /// How long artifacts are kept.
    pub artifact_ttl: Duration,
    /// How long finished jobs are kept.
    pub job_ttl: Duration,
}

/// What an engine works with.
#[derive(Clone)]
pub struct Parts {
    /// Where jobs are kept.
    pub jobs: Arc<dyn JobStore>,
    /// Where artifacts are kept.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What can be run.
    pub registry: Registry,
}

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Attempts that were dropped because they did not stop in time.
    pub dropped: usize,
}

/// Runs jobs. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) jobs: Arc<dyn JobStore>,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) hub: Hub,
    pages: Arc<Pages>,
    /// Held while a job is claimed and its attempt entered, so that a cancel misses neither.
    pub(crate) claiming: tokio::sync::Mutex<()>,
    pub(crate) wake: Notify,
    pub(crate) draining: CancellationToken,
    pub(crate) hard: CancellationToken,
    pub(crate) tasks: TaskTracker,
    attempts: Mutex<BTreeMap<(JobId, Fence), Arc<Attempt>>>,
}

impl Engine {
    /// An engine that does nothing yet; see [`Engine::start`].
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let Parts {
            jobs,
            artifacts,
            clock,
            registry,
        } = parts;
        Self(Arc::new(Inner {
            pages: Arc::new(Pages::new(Arc::clone(&jobs))),
            jobs,
            artifacts,
            clock,
            registry,
            settings,
            hub: Hub::default(),
            claiming: tokio::sync::Mutex::new(()),
            wake: Notify::new(),
            draining: CancellationToken::new(),
            hard: CancellationToken::new(),
            tasks: TaskTracker::new(),
            attempts: Mutex::new(BTreeMap::new()),
        }))
    }

    /// Starts to claim and run jobs. Needs a tokio runtime; to be called once.
    pub fn start(&self) {
        self.0.wake.notify_one();
        self.0.tasks.spawn(driver::run(Arc::clone(&self.0)));
        if !self.0.settings.sole_owner {
            self.0.tasks.spawn(news::follow(Arc::clone(&self.0)));
        }
    }

    /// A job of a kind that this engine can run, ready to be submitted; `None` for other kinds.
    pub fn new_job(
        &self,
        kind: JobKind,
        tenant: String,
        key_prefix: String,
        params: Value,
        ids: &dyn IdGen,
    ) -> Option<NewJob> {
        let operation = self.0.registry.get(kind)?;
        let created_at = self.0.clock.now();
        Some(NewJob {
            id: ids.job_id(kind, created_at),
            tenant,
            tenant_use: operation.tenant_use(),
            on_crash: operation.on_crash(),
            key_prefix,
            params,
            created_at,
        })
    }

    /// Stores a job and wakes the engine. `idempotency` is the client's key and the digest of its body.
    pub async fn submit(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        let inserted = self.0.jobs.insert(job, idempotency).await;
        // Also after an error: the job may be stored, and only the answer lost.
        self.0.wake.notify_one();
        inserted
    }

    /// Asks a job to stop and answers its record, in which it may be running still.
    /// [`StoreError::Refused`] when it has ended.
    pub async fn cancel(&self, job: JobId) -> Result<JobRecord, StoreError> {
        let now = self.0.clock.now();
        let record = self
            .0
            .jobs
            .transition(job, Event::CancelRequested, Transition::default(), now)
            .await?;
        {
            let _no_claim_is_under_way = self.0.claiming.lock().await;
            for attempt in self.0.attempts() {
                if attempt.id == job {
                    attempt.stop(StopReason::Cancel);
                }
            }
        }
        self.0.hub.stir(job);
        // A queued job that went may have held others back.
        self.0.wake.notify_one();
        Ok(record)
    }

    /// Waits until a job has ended, at most until `deadline`, and answers it as it is then.
    pub async fn wait_terminal(&self, job: JobId, deadline: OffsetDateTime) -> Result<JobRecord, StoreError> {
        // Behind every event there is only the end to wait for, and all who do share a read of it.
        let behind_all = Seq::new(u64::MAX);
        self.reader(job, behind_all).page(1, deadline).await?;
        let record = self.0.jobs.get(job).await?;
        record.ok_or(StoreError::NotFound { what: "job" })
    }

    /// How many pages of logs readers share at present, and about how many bytes these are.
    pub fn shared_pages(&self) -> (usize, usize) {
        self.0.pages.held()
    }

    /// Reads a job's log from behind `after` on.
    pub fn reader(&self, job: JobId, after: Seq) -> EventReader {
        EventReader::new(
            Arc::clone(&self.0.jobs),
            Arc::clone(&self.0.pages),
            &self.0.hub,
            Arc::clone(&self.0.clock),
            job,
            after,
        )
    }

    /// Where jobs are kept.
    pub fn jobs(&self) -> &Arc<dyn JobStore> {
        &self.0.jobs
    }

    /// Where artifacts are kept.
    pub fn artifacts(&self) -> &Arc<dyn ArtifactStore> {
        &self.0.artifacts
    }

    /// Who is told that logs grow.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// How many attempts run in this process.
    pub fn running(&self) -> usize {
        self.0.attempts().len()
    }

    /// Whether nothing is claimed any more.
    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Claims nothing more, asks the running operations to keep a checkpoint and yield, and waits for
    /// them until `deadline`; then drops them. Their jobs run again at the next start.
    pub async fn shutdown(&self, deadline: OffsetDateTime) -> ShutdownReport {
        self.0.draining.cancel();
        {
            let _no_claim_is_under_way = self.0.claiming.lock().await;
            for attempt in self.0.attempts() {
                attempt.stop(StopReason::Shutdown);
            }
        }
        self.0.tasks.close();
        self.0.wake.notify_one();
        let dropped = tokio::select! {
            () = self.0.tasks.wait() => 0,
            () = self.0.clock.sleep_until(deadline) => self.running(),
        };
        self.0.hard.cancel();
        self.0.tasks.wait().await;
        ShutdownReport { dropped }
    }
}

impl Inner {
    pub(crate) fn attempts(&self) -> Vec<Arc<Attempt>> {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn attempt(&self, id: JobId, fence: Fence) -> Option<Arc<Attempt>> {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(id, fence))
            .cloned()
    }

    pub(crate) fn enter(&self, attempt: &Arc<Attempt>) {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((attempt.id, attempt.fence), Arc::clone(attempt));
    }

    /// Its place is free: the driver may claim another job.
    pub(crate) fn forget(&self, attempt: &Attempt) {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(attempt.id, attempt.fence));
        self.wake.notify_one();
    }
}
