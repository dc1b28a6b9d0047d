//! The trait, method by method.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::{Event, EventBody, JobFilter, JobRecord, NewJob, WorkerId};
use atg_models::{Fence, JobId, Seq};
use rusqlite::{OptionalExtension as _, params};
use time::OffsetDateTime;

use crate::job_rules;
use crate::job_store::{Claimed, EventPage, Inserted, JobLimits, JobPage, JobStore, News, ScanQuota, Transition};
use crate::limits::READ_TIMEOUT;
use crate::moving::Record;
use crate::sqlite::database::{Database, Plan};
use crate::sqlite::fault::Outcome;
use crate::sqlite::folder::FolderLock;
use crate::sqlite::jobs::{claim, events, insert, list, row, schema, transition};
use crate::{Health, StoreError};

/// The jobs of a server that keeps its data in a folder.
pub struct SqliteJobs {
    database: Database,
    limits: JobLimits,
}

impl SqliteJobs {
    pub(crate) fn open(folder: &Path, lock: Arc<FolderLock>, limits: JobLimits) -> Result<Self, StoreError> {
        let plan = Plan {
            file: "jobs.db",
            steps: schema::STEPS,
        };
        Ok(Self {
            database: Database::open(folder, lock, &plan)?,
            limits,
        })
    }

    /// Takes in what is moved here from another store.
    pub(in crate::sqlite) async fn write_moved(
        &self,
        doing: &'static str,
        records: Vec<Record>,
        write: fn(&rusqlite::Connection, &Record) -> Outcome<()>,
    ) -> Result<(), StoreError> {
        self.database
            .write(doing, move |session| {
                let connection = &session.connection;
                records.iter().try_for_each(|record| write(connection, record))
            })
            .await
    }

    async fn read<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Outcome<T> + Send + 'static,
    {
        self.database.read(doing, READ_TIMEOUT, work).await
    }
}

impl std::fmt::Debug for SqliteJobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteJobs").finish_non_exhaustive()
    }
}

#[async_trait]
impl JobStore for SqliteJobs {
    async fn insert(&self, job: NewJob, idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        let limits = self.limits;
        self.database
            .write("adding a job", move |session| {
                insert::insert(session, job, idempotency.as_ref(), limits)
            })
            .await
    }

    async fn scans(&self, key_prefix: &str, now: OffsetDateTime) -> Result<ScanQuota, StoreError> {
        let (prefix, limit) = (key_prefix.to_owned(), self.limits.scans_per_hour);
        self.read("counting scans", move |connection| {
            insert::scans(connection, &prefix, limit, now)
        })
        .await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.read("reading a job", move |connection| {
            Ok(row::find(connection, id)?.map(|stored| stored.job))
        })
        .await
    }

    async fn list(&self, filter: JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
        self.read("listing jobs", move |connection| {
            list::list(connection, &filter, limit, offset)
        })
        .await
    }

    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        let worker = worker.clone();
        self.database
            .write("claiming a job", move |session| claim::claim(session, &worker, now))
            .await
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        self.database
            .write("changing a job's state", move |session| {
                transition::transition(session, id, &event, with, now)
            })
            .await
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        self.database
            .write("writing a job's log", move |session| {
                events::append(session, id, fence, &events, now)
            })
            .await
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.read("reading a job's log", move |connection| {
            events::page(connection, id, after, limit)
        })
        .await
    }

    async fn news(&self, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.read("looking for news of jobs", move |connection| {
            list::news(connection, &ids)
        })
        .await
    }

    async fn expired(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.read("looking for expired leases", move |connection| {
            list::expired(connection, now, limit)
        })
        .await
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        self.read("listing held jobs", list::held).await
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.read("looking for the next job", list::next_due).await
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("reading a checkpoint", move |connection| {
            let mut find = connection.prepare_cached("SELECT checkpoint FROM job WHERE id = ?1")?;
            let found = find.query_row([id.to_string()], |row| row.get(0)).optional()?;
            found.ok_or_else(|| StoreError::NotFound { what: "job" }.into())
        })
        .await
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        job_rules::check_size_of_checkpoint(&value)?;
        self.database
            .write("writing a checkpoint", move |session| {
                let stored = row::get(&session.connection, id)?;
                events::held_by(&stored, fence)?;
                session
                    .connection
                    .prepare_cached("UPDATE job SET checkpoint = ?2 WHERE k = ?1")?
                    .execute(params![stored.k, value])?;
                Ok(())
            })
            .await
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        self.database
            .write("removing old jobs", move |session| {
                list::purge(session, finished_before, idempotency_before, limit)
            })
            .await
    }

    async fn health(&self) -> Health {
        self.database.health().await
    }
}
