//! A store in memory that can be made to fail: the engine's tests need both.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use atg_db::{
    ArtifactStore, ByteStream, Claimed, EventPage, Health, Inserted, JobPage, JobStore, StoreError, Transition,
};
use atg_models::job::{
    Active, Event, EventBody, JobEvent, JobFilter, JobRecord, JobState, MachineState, NewJob, Policy, Waiting,
    WorkerId, admit, apply,
};
use atg_models::{Fence, JobId, Seq};
use time::{Duration, OffsetDateTime};

#[derive(Default)]
pub(super) struct MemoryStore {
    jobs: Mutex<BTreeMap<JobId, Row>>,
    /// Every call answers “unavailable”.
    pub(super) down: AtomicBool,
    /// Renewals that were accepted.
    pub(super) renewals: AtomicUsize,
    /// Writes to logs while jobs ran.
    pub(super) appends: AtomicUsize,
}

struct Row {
    record: JobRecord,
    events: Vec<JobEvent>,
    checkpoint: Option<Vec<u8>>,
}

impl Row {
    fn push(&mut self, body: EventBody, at: OffsetDateTime) {
        let seq = position(self.events.len() + 1);
        if let EventBody::Progress(progress) = &body {
            self.record.progress = Some(progress.clone());
        }
        self.events.push(JobEvent { seq, at, body });
    }

    fn policy(&self) -> Policy {
        Policy {
            lease: Duration::seconds(30),
            max_attempts: 5,
            backoff_base: Duration::SECOND,
            backoff_max: Duration::MINUTE,
            on_crash: self.record.on_crash,
        }
    }

    fn change(&mut self, event: &Event, with: Transition, now: OffsetDateTime) -> Result<JobRecord, StoreError> {
        self.record.machine = apply(&self.record.machine, event, now, &self.policy())?;
        for body in with.events {
            self.push(body, now);
        }
        let state = self.record.machine.state;
        if with.result.is_some() {
            self.record.result = with.result;
            self.record.artifact = with.artifact;
        }
        if state.is_terminal() {
            if let Some(error) = self.record.machine.error.clone() {
                self.push(EventBody::Error(error), now);
            }
            self.record.completed_at = Some(now);
            let result = self.record.result.clone().unwrap_or_default();
            self.push(EventBody::Completion { state, result }, now);
        }
        Ok(self.record.clone())
    }
}

impl MemoryStore {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<JobId, Row>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                doing: "being down",
                source: "down".into(),
            });
        }
        act(&mut self.jobs.lock().unwrap())
    }

    fn row<T>(&self, id: JobId, act: impl FnOnce(&mut Row) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|jobs| act(jobs.get_mut(&id).ok_or(StoreError::NotFound { what: "job" })?))
    }
}

fn position(count: usize) -> Seq {
    Seq::new(u64::try_from(count).unwrap())
}

fn fenced(row: &Row, fence: Fence) -> Result<(), StoreError> {
    if row.record.machine.state.is_held() && row.record.machine.fence == fence {
        Ok(())
    } else {
        Err(StoreError::Fenced { what: "job" })
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn insert(&self, job: NewJob, _idempotency: Option<(String, [u8; 32])>) -> Result<Inserted, StoreError> {
        self.with(|jobs| {
            let record = JobRecord {
                id: job.id,
                tenant: job.tenant,
                tenant_use: job.tenant_use,
                on_crash: job.on_crash,
                key_prefix: job.key_prefix,
                params: job.params,
                machine: MachineState::new(job.created_at),
                progress: None,
                result: None,
                artifact: None,
                created_at: job.created_at,
                started_at: None,
                updated_at: job.created_at,
                completed_at: None,
            };
            jobs.insert(
                job.id,
                Row {
                    record: record.clone(),
                    events: Vec::new(),
                    checkpoint: None,
                },
            );
            Ok(Inserted::New(record))
        })
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.with(|jobs| Ok(jobs.get(&id).map(|row| row.record.clone())))
    }

    async fn list(&self, _filter: JobFilter, _limit: u32, _offset: u32) -> Result<JobPage, StoreError> {
        panic!("no engine test lists")
    }

    async fn claim(&self, worker: &WorkerId, now: OffsetDateTime) -> Result<Option<Claimed>, StoreError> {
        self.with(|jobs| {
            let mut waiting: Vec<&JobRecord> = jobs
                .values()
                .map(|row| &row.record)
                .filter(|job| job.machine.state == JobState::Queued && job.machine.due <= now)
                .collect();
            waiting.sort_by_key(|job| (job.created_at, job.id.uuid()));
            let waiting: Vec<_> = waiting
                .iter()
                .map(|job| Waiting {
                    id: job.id,
                    tenant: job.tenant_id(),
                    tenant_use: job.tenant_use,
                })
                .collect();
            let active: Vec<_> = jobs
                .values()
                .map(|row| &row.record)
                .filter(|job| job.machine.state.is_held())
                .map(|job| Active {
                    id: job.id,
                    tenant: job.tenant_id(),
                    tenant_use: job.tenant_use,
                })
                .collect();
            let (Some(id), _) = admit(&waiting, &active) else {
                return Ok(None);
            };
            let owner = worker.clone();
            let job = jobs
                .get_mut(&id)
                .unwrap()
                .change(&Event::Claimed { owner }, Transition::default(), now)?;
            Ok(Some(Claimed { job }))
        })
    }

    async fn transition(
        &self,
        id: JobId,
        event: Event,
        with: Transition,
        now: OffsetDateTime,
    ) -> Result<JobRecord, StoreError> {
        let record = self.row(id, |row| row.change(&event, with, now))?;
        if matches!(event, Event::Renewed { .. }) {
            self.renewals.fetch_add(1, Ordering::SeqCst);
        }
        Ok(record)
    }

    async fn append(
        &self,
        id: JobId,
        fence: Fence,
        events: Vec<EventBody>,
        now: OffsetDateTime,
    ) -> Result<Seq, StoreError> {
        self.row(id, |row| {
            fenced(row, fence)?;
            self.appends.fetch_add(1, Ordering::SeqCst);
            for body in events {
                row.push(body, now);
            }
            Ok(position(row.events.len()))
        })
    }

    async fn events(&self, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.row(id, |row| {
            Ok(EventPage {
                events: row
                    .events
                    .iter()
                    .filter(|event| event.seq > after)
                    .take(usize::try_from(limit).unwrap())
                    .cloned()
                    .collect(),
                gap: None,
                last: position(row.events.len()),
                complete: row.record.machine.state.is_terminal(),
            })
        })
    }

    async fn expired(&self, now: OffsetDateTime, _limit: u32) -> Result<Vec<JobId>, StoreError> {
        self.with(|jobs| {
            Ok(jobs
                .values()
                .map(|row| &row.record)
                .filter(|job| job.machine.lease_until.is_some_and(|until| until <= now))
                .map(|job| job.id)
                .collect())
        })
    }

    async fn held(&self) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
        self.with(|jobs| {
            Ok(jobs
                .values()
                .filter_map(|row| Some((row.record.id, row.record.machine.owner.clone()?)))
                .collect())
        })
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.with(|jobs| {
            Ok(jobs
                .values()
                .filter_map(|row| match row.record.machine.state {
                    JobState::Queued => Some(row.record.machine.due),
                    JobState::Running | JobState::Cancelling => row.record.machine.lease_until,
                    JobState::Succeeded | JobState::Failed | JobState::Cancelled => None,
                })
                .min())
        })
    }

    async fn checkpoint_get(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.row(id, |row| Ok(row.checkpoint.clone()))
    }

    async fn checkpoint_put(&self, id: JobId, fence: Fence, value: Vec<u8>) -> Result<(), StoreError> {
        self.row(id, |row| {
            fenced(row, fence)?;
            row.checkpoint = Some(value);
            Ok(())
        })
    }

    async fn purge(
        &self,
        finished_before: OffsetDateTime,
        _idempotency_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<JobId>, StoreError> {
        self.with(|jobs| {
            let old: Vec<_> = jobs
                .values()
                .filter(|row| row.record.completed_at.is_some_and(|at| at < finished_before))
                .map(|row| row.record.id)
                .take(usize::try_from(limit).unwrap())
                .collect();
            for id in &old {
                jobs.remove(id);
            }
            Ok(old)
        })
    }

    async fn health(&self) -> Health {
        Health::Connected
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
    async fn put(&self, _id: JobId, _bytes: ByteStream, _cap_bytes: u64) -> Result<(String, u64), StoreError> {
        panic!("no engine test publishes")
    }

    async fn size(&self, _id: JobId) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn open(&self, _id: JobId, _range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
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
