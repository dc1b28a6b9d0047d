//! Jobs that fail on purpose.

use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::{Event, EventBody, JobFilter, JobRecord, NewJob, WorkerId};
use atg_models::{Fence, JobId, Seq};
use time::OffsetDateTime;

use crate::faults::{FaultPoint, Faults};
use crate::{Claimed, EventPage, Health, Inserted, JobPage, JobStore, News, ScanQuota, StoreError, Transition};

/// A job store whose writes fail when they are told to.
pub struct FaultyJobStore {
    inner: Arc<dyn JobStore>,
    faults: Faults,
}

impl FaultyJobStore {
    /// Over another store.
    pub fn new(inner: Arc<dyn JobStore>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

/// The place of a state change.
fn point(event: &Event) -> FaultPoint {
    match event {
        Event::Claimed { .. } => FaultPoint::ClaimJob,
        Event::Renewed { .. } => FaultPoint::RenewLease,
        Event::CancelRequested => FaultPoint::CancelJob,
        Event::LeaseExpired | Event::OwnerGone => FaultPoint::ReleaseJob,
        Event::Succeeded { .. }
        | Event::FailedRetryable { .. }
        | Event::FailedFatal { .. }
        | Event::Stopped { .. }
        | Event::Yielded { .. } => FaultPoint::EndAttempt,
    }
}

#[async_trait]
impl JobStore for FaultyJobStore {
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        let work = self.inner.insert(job, idempotency);
        self.faults.around(FaultPoint::InsertJob, work).await
    }

    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError> {
        self.inner.scans(key_prefix, now).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.inner.get(id).await
    }

    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
        self.inner.list(filter, limit, offset).await
    }

    /// Only a claim that takes a job counts: most find none.
    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        let due = self.inner.next_due().await?;
        if due.is_none_or(|due| due > now) {
            return self.inner.claim(worker, now).await;
        }
        let work = self.inner.claim(worker, now);
        self.faults.around(FaultPoint::ClaimJob, work).await
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        let point = point(&event);
        let work = self.inner.transition(id, event, with, now);
        self.faults.around(point, work).await
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        let work = self.inner.append(id, fence, events, now);
        self.faults.around(FaultPoint::AppendEvents, work).await
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.inner.events(id, after, limit).await
    }

    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
        self.inner.news(ids).await
    }

    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.inner.expired(now, limit).await
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        self.inner.held().await
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.inner.next_due().await
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.checkpoint_get(id).await
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        let work = self.inner.checkpoint_put(id, fence, value);
        self.faults.around(FaultPoint::PutCheckpoint, work).await
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        let work = self.inner.purge(finished_before, idempotency_before, limit);
        self.faults.around(FaultPoint::PurgeJobs, work).await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }
}
