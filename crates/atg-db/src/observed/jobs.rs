//! A job store whose calls are seen.

use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::{Event, EventBody, JobFilter, JobRecord, NewJob, WorkerId};
use atg_models::{Clock, Fence, JobId, Seq};
use time::OffsetDateTime;

use super::{StoreObserver, Watch};
use crate::{Claimed, EventPage, Inserted, JobPage, JobStore, News, ScanQuota, StoreError, Transition};

/// A job store whose calls are seen.
pub struct ObservedJobs {
    inner: Arc<dyn JobStore>,
    watch: Watch,
}

impl ObservedJobs {
    /// Shows the calls to `inner`.
    pub fn new(inner: Arc<dyn JobStore>, observer: Arc<dyn StoreObserver>, clock: Arc<dyn Clock>) -> Self {
        let store = "jobs";
        Self {
            inner,
            watch: Watch { store, observer, clock },
        }
    }
}

#[async_trait]
impl JobStore for ObservedJobs {
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        self.watch.call("insert", self.inner.insert(job, idempotency)).await
    }

    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError> {
        self.watch.call("scans", self.inner.scans(key_prefix, now)).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.watch.call("get", self.inner.get(id)).await
    }

    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
        self.watch.call("list", self.inner.list(filter, limit, offset)).await
    }

    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        self.watch.call("claim", self.inner.claim(worker, now)).await
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        let changed = self.inner.transition(id, event, with, now);
        let record = self.watch.call("transition", changed).await?;
        self.watch.observer.changed(&record);
        Ok(record)
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        self.watch
            .call("append", self.inner.append(id, fence, events, now))
            .await
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.watch.call("events", self.inner.events(id, after, limit)).await
    }

    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
        self.watch.call("news", self.inner.news(ids)).await
    }

    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.watch.call("expired", self.inner.expired(now, limit)).await
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        self.watch.call("held", self.inner.held()).await
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.watch.call("next_due", self.inner.next_due()).await
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.watch.call("checkpoint_get", self.inner.checkpoint_get(id)).await
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        self.watch
            .call("checkpoint_put", self.inner.checkpoint_put(id, fence, value))
            .await
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        self.watch
            .call("purge", self.inner.purge(finished_before, idempotency_before, limit))
            .await
    }

    async fn health(&self) -> crate::Health {
        self.watch.health(self.inner.health()).await
    }
}
