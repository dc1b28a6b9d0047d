//! The trait, method by method.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_models::job::{Event, EventBody, JobFilter, JobRecord, NewJob, WorkerId};
use atg_models::{Fence, JobId, Seq};
use time::OffsetDateTime;

use crate::job_rules;
use crate::job_store::{Claimed, EventPage, Inserted, JobLimits, JobPage, JobStore, News, ScanQuota, Transition};
use crate::neo4j::driver::{Driver, Statement, Value, reread, transaction};
use crate::neo4j::jobs::row::lock_known;
use crate::neo4j::jobs::unsettled::{Call, Unsettled, Written};
use crate::neo4j::jobs::{claim, events, insert, list, purge, transition};
use crate::{Health, StoreError};

/// The jobs that servers share.
#[derive(Debug)]
pub struct Neo4jJobs {
    driver: Arc<Driver>,
    limits: JobLimits,
    unsettled: Unsettled,
    /// Jobs of a purge that did not come to its end: removed or not.
    half_purged: Mutex<Vec<JobId>>,
}

impl Neo4jJobs {
    pub(crate) fn new(driver: Arc<Driver>, limits: JobLimits) -> Self {
        Self {
            driver,
            limits,
            unsettled: Unsettled::default(),
            half_purged: Mutex::default(),
        }
    }

    /// The mark of the same call before, if its end is not known; else a new one.
    fn mark_for(&self, call: &Call) -> String {
        self.unsettled.mark_of(call).unwrap_or_else(|| self.driver.mark())
    }

    async fn renew(&self, id: JobId, event: &Event, now: OffsetDateTime) -> Result<JobRecord, StoreError> {
        Ok(transaction!(self.driver, "renewing a lease", |tx| {
            transition::transition(tx, id, event, Transition::default(), &[], now)
        }))
    }

    async fn change(
        &self,
        mark: &str,
        id: JobId,
        event: &Event,
        with: &Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        let written = transition::fence_of(event)
            .map(|fence| self.unsettled.written(id, fence, &with.events))
            .unwrap_or_default();
        Ok(transaction!(
            self.driver,
            "changing a job's state",
            mark.to_owned(),
            |tx| { transition::transition(tx, id, event, with.clone(), &written, now) }
        ))
    }

    async fn write(
        &self,
        mark: &str,
        id: JobId,
        fence: Fence,
        new: &[EventBody],
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        let written: Vec<Written> = self.unsettled.written(id, fence, new);
        Ok(transaction!(
            self.driver,
            "writing a job's log",
            mark.to_owned(),
            |tx| { events::append(tx, id, fence, new, &written, now) }
        ))
    }

    async fn take(&self, mark: &str, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<JobRecord>, StoreError> {
        Ok(transaction!(self.driver, "claiming a job", mark.to_owned(), |tx| {
            claim::claim(tx, worker, now)
        }))
    }
}

#[async_trait]
impl JobStore for Neo4jJobs {
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        let limits = self.limits;
        Ok(transaction!(self.driver, "adding a job", |tx| {
            insert::insert(tx, job.clone(), idempotency.as_ref(), limits)
        }))
    }

    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError> {
        let doing = "counting scans";
        let limit = self.limits.scans_per_hour;
        let rows = self
            .driver
            .read(doing, insert::count_scans(key_prefix, limit, now))
            .await?;
        insert::quota(rows.first(), limit).map_err(|trouble| trouble.while_doing(doing))
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        reread(|| list::get(&self.driver, id)).await
    }

    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
        reread(|| list::list(&self.driver, &filter, limit, offset)).await
    }

    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        let call = Call::Claim(worker.clone());
        let before = self.unsettled.mark_of(&call);
        if before.is_none() && !reread(|| claim::is_of_use(&self.driver, now)).await? {
            return Ok(None);
        }
        let mark = before.unwrap_or_else(|| self.driver.mark());
        let claimed = self.take(&mark, worker, now).await;
        self.unsettled.end(call, mark, &claimed);
        Ok(claimed?.map(|job| Claimed { job }))
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        if transition::is_renewal(&event) && with == Transition::default() {
            return self.renew(id, &event, now).await;
        }
        let call = Call::change(id, &event, &with);
        let mark = self.mark_for(&call);
        let changed = self.change(&mark, id, &event, &with, now).await;
        self.unsettled.end(call, mark, &changed);
        changed
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        let call = Call::append(id, fence, &events);
        let mark = self.mark_for(&call);
        let end = self.write(&mark, id, fence, &events, now).await;
        self.unsettled.end(call, mark, &end);
        end
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        reread(|| events::page(&self.driver, id, after, limit)).await
    }

    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
        reread(|| list::news(&self.driver, ids)).await
    }

    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
        reread(|| list::expired(&self.driver, now, limit)).await
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        reread(|| list::held(&self.driver)).await
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        reread(|| list::next_due(&self.driver)).await
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        reread(|| list::checkpoint(&self.driver, id)).await
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        job_rules::check_size_of_checkpoint(&value)?;
        transaction!(self.driver, "writing a checkpoint", |tx| async {
            let stored = lock_known(tx, id).await?;
            job_rules::held_by(&stored.job.machine, fence).map_err(StoreError::Refused)?;
            let put = Statement::new("MATCH (j:Job {id: $id}) SET j.checkpoint = $value")
                .with("id", id.to_string())
                .with("value", Value::Bytes(value.clone()));
            tx.run(put).await.map(drop)
        });
        Ok(())
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        purge::forget_keys(&self.driver, idempotency_before).await?;
        let found = reread(|| purge::find(&self.driver, finished_before, limit)).await?;
        let half_purged = || self.half_purged.lock().unwrap_or_else(PoisonError::into_inner);
        // Of these, an earlier call may have removed some and not said so.
        let mut ids = half_purged().clone();
        ids.extend(found.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
        ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        half_purged().clone_from(&ids);
        for id in &ids {
            purge::remove(&self.driver, *id).await?;
        }
        half_purged().clear();
        Ok(ids)
    }

    async fn health(&self) -> Health {
        if self.driver.answers().await {
            Health::Connected
        } else {
            Health::Disconnected
        }
    }
}
