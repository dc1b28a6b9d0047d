//! The real store, counted and made to fail; artifacts that are only counted.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atg_db::sqlite::SqliteJobs;
use atg_db::{
    ArtifactStore, ByteStream, Claimed, EventPage, Health, Inserted, JobPage, JobStore, News, ScanQuota, StoreError,
    Transition,
};
use atg_models::job::{ArtifactName, Event, EventBody, JobFilter, JobRecord, NewJob, WorkerId};
use atg_models::{Fence, JobId, Seq};
use time::OffsetDateTime;

pub(super) struct WatchedJobs {
    inner: Arc<SqliteJobs>,
    /// Every call answers “unavailable”.
    pub(super) down: AtomicBool,
    /// Renewals that were accepted.
    pub(super) renewals: AtomicUsize,
    /// Writes to logs while jobs ran.
    pub(super) appends: AtomicUsize,
    /// Reads of logs.
    pub(super) reads: AtomicUsize,
    /// So many of the next writes to logs are done and answered with an error.
    pub(super) lost_appends: AtomicUsize,
    /// So many of the next writes to logs are refused as if the file was damaged.
    pub(super) broken_appends: AtomicUsize,
    /// So many of the next claims that take a job are answered with an error.
    pub(super) lost_claims: AtomicUsize,
}

impl WatchedJobs {
    pub(super) fn new(inner: Arc<SqliteJobs>) -> Self {
        Self {
            inner,
            down: AtomicBool::new(false),
            renewals: AtomicUsize::new(0),
            appends: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            lost_appends: AtomicUsize::new(0),
            broken_appends: AtomicUsize::new(0),
            lost_claims: AtomicUsize::new(0),
        }
    }

    fn up(&self) -> Result<&SqliteJobs, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                doing: "being down",
                source: "down".into(),
            });
        }
        Ok(&self.inner)
    }
}

/// Loses an answer while there are some to be lost.
fn answer(lost: &AtomicUsize) -> Result<(), StoreError> {
    match lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err(StoreError::Unavailable {
            doing: "losing an answer",
            source: "lost".into(),
        }),
        Err(_) => Ok(()),
    }
}

#[async_trait]
impl JobStore for WatchedJobs {
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        self.up()?.insert(job, idempotency).await
    }

    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError> {
        self.up()?.scans(key_prefix, now).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.up()?.get(id).await
    }

    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
        self.up()?.list(filter, limit, offset).await
    }

    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        let claimed = self.up()?.claim(worker, now).await?;
        if claimed.is_some() {
            answer(&self.lost_claims)?;
        }
        Ok(claimed)
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        let renewal = matches!(event, Event::Renewed { .. });
        let record = self.up()?.transition(id, event, with, now).await?;
        self.renewals.fetch_add(usize::from(renewal), Ordering::SeqCst);
        Ok(record)
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        if answer(&self.broken_appends).is_err() {
            return Err(StoreError::Corrupt {
                doing: "being damaged",
                problem: "on purpose".to_owned(),
            });
        }
        let last = self.up()?.append(id, fence, events, now).await?;
        answer(&self.lost_appends)?;
        Ok(last)
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.up()?.events(id, after, limit).await
    }

    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
        self.up()?.news(ids).await
    }

    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.up()?.expired(now, limit).await
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        self.up()?.held().await
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.up()?.next_due().await
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.up()?.checkpoint_get(id).await
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        self.up()?.checkpoint_put(id, fence, value).await
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        self.up()?.purge(finished_before, idempotency_before, limit).await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }
}

/// Keeps no bytes, only what was asked of it.
#[derive(Default)]
pub(super) struct NoArtifacts {
    pub(super) deleted: Mutex<Vec<JobId>>,
    pub(super) sweeps: AtomicUsize,
}

#[async_trait]
impl ArtifactStore for NoArtifacts {
    async fn put(&self, _name: ArtifactName, _bytes: ByteStream, _cap_bytes: u64) -> Result<(String, u64), StoreError> {
        panic!("no engine test publishes")
    }

    async fn size(&self, _name: ArtifactName) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn open(&self, _name: ArtifactName, _range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        Err(StoreError::NotFound { what: "artifact" })
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        self.deleted.lock().unwrap().push(id);
        Ok(())
    }

    async fn sweep(&self, _before: OffsetDateTime) -> Result<u64, StoreError> {
        self.sweeps.fetch_add(1, Ordering::SeqCst);
        Ok(0)
    }
}
