//! The loop around the plan: gather the view, act, sleep until something happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use atg_db::{StoreError, Transition};
use atg_models::job::{Event, JobRecord, JobState};
use atg_models::{Fence, JobId};
use futures_util::FutureExt as _;
use time::{Duration, OffsetDateTime};

use crate::attempt::{self, Attempt, StopReason, chain};
use crate::engine::Inner;
use crate::limits::{EXPIRED_JOBS, STORE_RETRY_FIRST, STORE_RETRY_MAX};
use crate::plan::{Action, AttemptView, View, next_wake, plan};
use atg_models::limits::{IDEMPOTENCY_TTL, LEASE_RENEWAL, PURGE_BATCH_JOBS, SCANS_WINDOW, SWEEPER_INTERVAL};

/// A job whose kind nobody knows ends at once; this only fills the field.
const NO_OPERATION_DEADLINE: Duration = Duration::MINUTE;

/// Runs until the engine has drained, or was ended hard.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut driver = Driver {
        recovered: !inner.settings.sole_owner,
        store_down_until: None,
        store_wait: STORE_RETRY_FIRST,
        purge_at: inner.clock.now(),
        inner,
    };
    loop {
        if AssertUnwindSafe(driver.drive()).catch_unwind().await.is_ok() {
            return;
        }
        tracing::error!("the engine's loop panicked and goes on");
        driver.store_failed();
    }
}

struct Driver {
    inner: Arc<Inner>,
    /// Whether no job is known to be held by nobody.
    recovered: bool,
    store_down_until: Option<OffsetDateTime>,
    store_wait: Duration,
    purge_at: OffsetDateTime,
}

impl Driver {
    async fn drive(&mut self) {
        loop {
            let planned_at = self.turns().await;
            if self.inner.hard.is_cancelled()
                || (self.inner.draining.is_cancelled() && self.inner.attempts().is_empty())
            {
                return;
            }
            let view = self.view().await;
            let wake_at = next_wake(&view, planned_at);
            tokio::select! {
                () = self.inner.wake.notified() => {}
                () = self.inner.clock.sleep_until(wake_at) => {}
                () = self.inner.hard.cancelled() => {}
            }
        }
    }

    /// Does all that is due until nothing is, and answers the moment for which that holds.
    async fn turns(&mut self) -> OffsetDateTime {
        loop {
            let now = self.inner.clock.now();
            if !self.turn(now).await {
                return now;
            }
        }
    }

    /// Does what is due at `now`; answers whether that made something else due.
    async fn turn(&mut self, now: OffsetDateTime) -> bool {
        let view = self.view().await;
        let capacity = self.inner.settings.max_concurrent_ops;
        let mut again = false;
        for action in plan(&view, capacity, now) {
            match self.act(action).await {
                Ok(more) => {
                    again |= more;
                    self.store_down_until = None;
                    self.store_wait = STORE_RETRY_FIRST;
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the engine waits for its store");
                    self.store_failed();
                    return false;
                }
            }
        }
        again
    }

    async fn view(&mut self) -> View {
        let now = self.inner.clock.now();
        let may_ask = self.store_down_until.is_none_or(|until| now >= until);
        let mut next_due = None;
        if may_ask {
            match self.inner.jobs.next_due().await {
                Ok(due) => {
                    next_due = due;
                    self.store_down_until = None;
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the engine waits for its store");
                    self.store_failed();
                }
            }
        }
        View {
            recovered: self.recovered,
            draining: self.inner.draining.is_cancelled(),
            store_down_until: self.store_down_until,
            purge_at: self.purge_at,
            next_due,
            attempts: self
                .inner
                .attempts()
                .iter()
                .map(|attempt| attempt_view(attempt))
                .collect(),
        }
    }

    fn store_failed(&mut self) {
        self.store_down_until = Some(self.inner.clock.now() + self.store_wait);
        self.store_wait = Duration::min(self.store_wait * 2, STORE_RETRY_MAX);
    }

    async fn act(&mut self, action: Action) -> Result<bool, StoreError> {
        match action {
            Action::StopLate(id, fence) => {
                if let Some(attempt) = self.inner.attempt(id, fence) {
                    attempt.stop(StopReason::Deadline);
                }
                Ok(false)
            }
            Action::Renew(id, fence) => self.renew(id, fence).await,
            Action::Recover => self.recover().await,
            Action::ReleaseExpired => self.release_expired().await,
            Action::Claim(free) => {
                let claimed = self.claim(free).await;
                // The store may have given a job away that nobody here knows of.
                self.recovered &= claimed.is_ok();
                claimed
            }
            Action::Purge => self.purge().await,
        }
    }

    async fn renew(&self, id: JobId, fence: Fence) -> Result<bool, StoreError> {
        let Some(attempt) = self.inner.attempt(id, fence) else {
            return Ok(false);
        };
        let now = self.inner.clock.now();
        let renewed = self
            .inner
            .jobs
            .transition(id, Event::Renewed { fence }, Transition::default(), now)
            .await;
        match renewed {
            Ok(record) => {
                // A cancel may have come in through another replica.
                if record.machine.state == JobState::Cancelling {
                    attempt.stop(StopReason::Cancel);
                }
            }
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                tracing::warn!(job = %id, error = %chain(&error), "a lease was not renewed");
                attempt.stop(StopReason::Lost);
            }
        }
        attempt.renewed(now + LEASE_RENEWAL);
        Ok(false)
    }

    /// Releases jobs that nobody works on: those of earlier processes, which the sole owner of a store
    /// knows to be dead, and those of a claim of this process whose answer was lost.
    async fn recover(&mut self) -> Result<bool, StoreError> {
        // Asked before the store: only this loop begins attempts, and one that ends meanwhile refuses its release.
        let running: Vec<JobId> = self.inner.attempts().iter().map(|attempt| attempt.id).collect();
        let held = self.inner.jobs.held().await?;
        let settings = &self.inner.settings;
        let orphans = held.iter().filter(|(id, owner)| {
            if *owner == settings.worker {
                !running.contains(id)
            } else {
                settings.sole_owner
            }
        });
        let mut released: u64 = 0;
        for (id, _) in orphans {
            self.release(*id, Event::OwnerGone).await?;
            released += 1;
        }
        self.recovered = true;
        if released > 0 {
            tracing::info!(jobs = released, "jobs that nobody worked on were released");
        }
        Ok(true)
    }

    async fn release_expired(&self) -> Result<bool, StoreError> {
        let expired = self.inner.jobs.expired(self.inner.clock.now(), EXPIRED_JOBS).await?;
        for id in &expired {
            self.release(*id, Event::LeaseExpired).await?;
        }
        Ok(!expired.is_empty())
    }

    /// A job that somebody else has changed since is left alone.
    async fn release(&self, id: JobId, event: Event) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        match self.inner.jobs.transition(id, event, Transition::default(), now).await {
            Ok(record) => tracing::warn!(job = %id, state = record.machine.state.as_str(), "a job lost its worker"),
            Err(StoreError::Refused(_) | StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        self.inner.hub.stir(id);
        Ok(())
    }

    async fn claim(&self, free: usize) -> Result<bool, StoreError> {
        for _ in 0..free {
            let _cancels_wait = self.inner.claiming.lock().await;
            if self.inner.draining.is_cancelled() {
                return Ok(false);
            }
            let now = self.inner.clock.now();
            let Some(claimed) = self.inner.jobs.claim(&self.inner.settings.worker, now).await? else {
                return Ok(false);
            };
            self.begin(claimed.job, now);
        }
        Ok(false)
    }

    fn begin(&self, job: JobRecord, now: OffsetDateTime) {
        let id = job.id;
        tracing::info!(job = %id, attempt = job.machine.attempt, "an attempt begins");
        let operation = self.inner.registry.get(id.kind());
        let deadline = operation
            .as_ref()
            .map_or(NO_OPERATION_DEADLINE, |operation| operation.limits().deadline);
        let attempt = Arc::new(Attempt::new(&job, now + LEASE_RENEWAL, now + deadline));
        self.inner.enter(&attempt);
        let run = attempt::run(Arc::clone(&self.inner), attempt, job, operation);
        self.inner.tasks.spawn(run);
        self.inner.hub.stir(id);
    }

    async fn purge(&mut self) -> Result<bool, StoreError> {
        let now = self.inner.clock.now();
        let settings = &self.inner.settings;
        // A scan counts against its key's limit for so long.
        let kept_for = settings.job_ttl.max(SCANS_WINDOW);
        let removed = self
            .inner
            .jobs
            .purge(now - kept_for, now - IDEMPOTENCY_TTL, PURGE_BATCH_JOBS)
            .await?;
        for id in &removed {
            if let Err(error) = self.inner.artifacts.delete(*id).await {
                tracing::warn!(job = %id, error = %chain(&error), "an artifact was not removed");
            }
        }
        let full = u32::try_from(removed.len()).is_ok_and(|count| count >= PURGE_BATCH_JOBS);
        if full {
            return Ok(true);
        }
        if let Err(error) = self.inner.artifacts.sweep(now - settings.artifact_ttl).await {
            tracing::warn!(error = %chain(&error), "old artifacts were not removed");
        }
        self.purge_at = now + SWEEPER_INTERVAL;
        Ok(false)
    }
}

fn attempt_view(attempt: &Attempt) -> AttemptView {
    AttemptView {
        id: attempt.id,
        fence: attempt.fence,
        renew_at: attempt.renew_at(),
        deadline: attempt.deadline,
        stopping: attempt.stop_reason().is_some(),
    }
}
