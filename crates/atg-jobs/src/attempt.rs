//! One attempt of a job: runs the operation beside its journal, and turns how it ended into an event.
//!
//! Must never take the process down: a panic is a failed job.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_db::{ArtifactStore, StoreError, Transition};
use atg_models::job::{Event, EventBody, JobError, JobRecord, JobState, LogLevel, MachineState, Progress, WorkerId};
use atg_models::{Clock, ErrorCode, Fence, JobId};
use futures_util::FutureExt as _;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::engine::Inner;
use crate::journal::Journal;
use crate::limits::{STOP_GRACE, STORE_RETRY_FIRST, STORE_RETRY_MAX};
use crate::registry::AnyOperation;
use crate::scribe::write_journal;
use crate::{Finished, OperationContext, OperationError, OperationLimits};

/// Why an attempt was asked to stop. The first reason stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// A client cancelled the job.
    Cancel,
    /// It ran too long.
    Deadline,
    /// The process shuts down.
    Shutdown,
    /// Another attempt holds the job.
    Lost,
}

/// An attempt as the engine holds it.
pub(crate) struct Attempt {
    pub(crate) id: JobId,
    pub(crate) fence: Fence,
    pub(crate) deadline: OffsetDateTime,
    renew_at: Mutex<OffsetDateTime>,
    reason: Mutex<Option<StopReason>>,
    token: CancellationToken,
    journal: Journal,
}

impl Attempt {
    pub(crate) fn new(job: &JobRecord, renew_at: OffsetDateTime, deadline: OffsetDateTime) -> Self {
        Self {
            id: job.id,
            fence: job.machine.fence,
            deadline,
            renew_at: Mutex::new(renew_at),
            reason: Mutex::new(None),
            token: CancellationToken::new(),
            journal: Journal::default(),
        }
    }

    /// Asks the operation to stop.
    pub(crate) fn stop(&self, reason: StopReason) {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        self.token.cancel();
    }

    /// What it says.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn renew_at(&self) -> OffsetDateTime {
        *self.renew_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn renewed(&self, next: OffsetDateTime) {
        *self.renew_at.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

/// How an operation ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    Returned(Result<Finished<Value>, OperationError>),
    /// With a panic.
    Panicked,
    /// It was asked to stop, did not in time, and was dropped.
    Dropped,
}

/// Runs one attempt to its end and writes the end to the store.
pub(crate) async fn run(
    inner: Arc<Inner>,
    attempt: Arc<Attempt>,
    job: JobRecord,
    operation: Option<Arc<dyn AnyOperation>>,
) {
    let attempt_number = job.machine.attempt;
    attempt
        .journal
        .log(LogLevel::Info, begins(&job.machine, &inner.settings.worker));
    let (ended, unwritten, limits) = if let Some(operation) = operation {
        let limits = operation.limits();
        let (ended, unwritten) = supervise(&inner, &attempt, job, operation).await;
        (ended, unwritten, Some(limits))
    } else {
        let message = format!("this server has no operation {}", job.id.kind().as_str());
        let error = JobError::new(ErrorCode::Internal, message);
        (Ended::Returned(Err(OperationError::Fatal(error))), Vec::new(), None)
    };
    log_defects(attempt.id, &ended);
    if let Some((event, mut with)) = conclude(ended, attempt.stop_reason(), attempt.fence, attempt_number, limits) {
        with.events = unwritten;
        with.events.extend(attempt.journal.take());
        if matches!(event, Event::Succeeded { .. }) {
            with.events.push(EventBody::Progress(attempt.journal.last_progress()));
        }
        let end = finish(&inner, &attempt, event, with).await;
        if matches!(end, Some(JobState::Failed | JobState::Cancelled)) {
            withdraw(&inner, attempt.id).await;
        }
    }
    inner.forget(&attempt);
}

/// The first line of an attempt, before all that it says: who held the job, and when, is in the job's own log.
fn begins(machine: &MachineState, worker: &WorkerId) -> String {
    let (attempt, lease) = (machine.attempt, machine.fence.get());
    format!("attempt {attempt} begins at {}, under lease {lease}", worker.0)
}

/// Removes what an attempt had published whose job then failed or was cancelled: nobody may have it.
async fn withdraw(inner: &Inner, job: JobId) {
    if let Err(error) = inner.artifacts.delete(job).await {
        tracing::warn!(%job, error = %chain(&error), "an artifact of no use was not removed: it goes when its time has passed");
    }
}

async fn supervise(
    inner: &Arc<Inner>,
    attempt: &Arc<Attempt>,
    job: JobRecord,
    operation: Arc<dyn AnyOperation>,
) -> (Ended, Vec<EventBody>) {
    let context = Context {
        inner: Arc::clone(inner),
        attempt: Arc::clone(attempt),
    };
    let closing = CancellationToken::new();
    let work = async {
        let work = AssertUnwindSafe(operation.run(&context, job.params)).catch_unwind();
        let ended = tokio::select! {
            biased;
            ended = work => match ended {
                Ok(result) => Ended::Returned(result),
                Err(_) => Ended::Panicked,
            },
            () = out_of_patience(inner, attempt) => Ended::Dropped,
        };
        closing.cancel();
        ended
    };
    tokio::join!(work, write_journal(inner, attempt, &closing))
}

/// Resolves when an operation that was asked to stop is not waited for any longer. At shutdown it
/// has the process's own time to keep a checkpoint.
async fn out_of_patience(inner: &Inner, attempt: &Attempt) {
    let grace = async {
        attempt.token.cancelled().await;
        match attempt.stop_reason() {
            Some(StopReason::Shutdown) => std::future::pending().await,
            Some(StopReason::Cancel | StopReason::Deadline | StopReason::Lost) | None => {
                inner.clock.sleep_until(inner.clock.now() + STOP_GRACE).await;
            }
        }
    };
    tokio::select! {
        () = grace => {}
        () = inner.hard.cancelled() => {}
    }
}

/// The event that an attempt ends with; `None` when the job is no longer its own.
pub(crate) fn conclude(
    ended: Ended,
    reason: Option<StopReason>,
    fence: Fence,
    attempt: u32,
    limits: Option<OperationLimits>,
) -> Option<(Event, Transition)> {
    let fatal = |error| Event::FailedFatal { fence, error };
    let internal = || JobError::new(ErrorCode::Internal, "internal error");
    let event = match ended {
        Ended::Returned(Ok(Finished { outcome, artifact })) => {
            let with = Transition {
                result: Some(outcome),
                artifact,
                events: Vec::new(),
            };
            return Some((Event::Succeeded { fence }, with));
        }
        Ended::Returned(Err(OperationError::Fatal(error))) => fatal(error),
        // An operation that was asked to stop may answer with the error that its stopping made.
        Ended::Dropped
        | Ended::Returned(Err(OperationError::Stopped | OperationError::Retryable(_) | OperationError::Store(_)))
            if reason.is_some() =>
        {
            stopped(reason?, fence, limits)?
        }
        Ended::Panicked | Ended::Dropped | Ended::Returned(Err(OperationError::Stopped)) => fatal(internal()),
        Ended::Returned(Err(OperationError::Retryable(error))) => retryable(error, fence, attempt, limits),
        Ended::Returned(Err(OperationError::Store(error))) => match error {
            StoreError::Unavailable { .. } => {
                let error = JobError::new(ErrorCode::DatabaseUnavailable, "the database is not available");
                retryable(error, fence, attempt, limits)
            }
            // Somebody else writes for this job. If it is still ours, it is tried again.
            StoreError::Fenced { .. } | StoreError::Refused(_) => retryable(internal(), fence, attempt, limits),
            StoreError::NotFound { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Corrupt { .. }
            | StoreError::TooNew { .. }
            | StoreError::HalfImported { .. }
            | StoreError::Locked { .. } => fatal(internal()),
        },
    };
    Some((event, Transition::default()))
}

fn stopped(reason: StopReason, fence: Fence, limits: Option<OperationLimits>) -> Option<Event> {
    match reason {
        StopReason::Cancel => Some(Event::Stopped { fence }),
        StopReason::Shutdown => Some(Event::Yielded { fence }),
        StopReason::Lost => None,
        StopReason::Deadline => {
            let minutes = limits.map_or(0, |limits| limits.deadline.whole_minutes());
            let message = format!("ran longer than the {minutes} minutes that it may take");
            let error = JobError::new(ErrorCode::DeadlineExceeded, message);
            Some(Event::FailedFatal { fence, error })
        }
    }
}

/// The store's policy has a limit of attempts; an operation may have a lower one.
fn retryable(error: JobError, fence: Fence, attempt: u32, limits: Option<OperationLimits>) -> Event {
    match limits {
        Some(limits) if attempt >= limits.max_attempts => {
            let message = format!(
                "gave up after {attempt} attempts; the last failed with: {}",
                error.message
            );
            let error = JobError::new(ErrorCode::AttemptsExhausted, message);
            Event::FailedFatal { fence, error }
        }
        Some(_) | None => Event::FailedRetryable { fence, error },
    }
}

/// Writes the end; waits for a store that does not answer, until the process is ended hard. Answers
/// the state that the job is in then, if it is known.
async fn finish(inner: &Inner, attempt: &Attempt, event: Event, with: Transition) -> Option<JobState> {
    let mut wait = STORE_RETRY_FIRST;
    let mut next = (event, with);
    let state = loop {
        let now = inner.clock.now();
        let (event, with) = next.clone();
        match inner.jobs.transition(attempt.id, event, with, now).await {
            Ok(record) => {
                tracing::info!(job = %attempt.id, state = record.machine.state.as_str(), "an attempt ended");
                break Some(record.machine.state);
            }
            Err(error) if error.is_retryable() => {
                tokio::select! {
                    () = inner.hard.cancelled() => break None,
                    () = inner.clock.sleep_until(now + wait) => {}
                }
                wait = Duration::min(wait * 2, STORE_RETRY_MAX);
            }
            Err(StoreError::Refused(refused)) => {
                // Also when the end was written before, and only the answer was lost.
                tracing::warn!(job = %attempt.id, %refused, "the end of an attempt was refused");
                let record = inner.jobs.get(attempt.id).await.ok().flatten();
                break record.map(|record| record.machine.state);
            }
            Err(error) if matches!(next.0, Event::Succeeded { .. }) => {
                tracing::error!(job = %attempt.id, error = %chain(&error), "a result could not be written");
                let error = JobError::new(ErrorCode::Internal, "internal error");
                let fence = attempt.fence;
                let events = std::mem::take(&mut next.1.events);
                let without_end = events
                    .into_iter()
                    .filter(|event| !matches!(event, EventBody::Progress(said) if said.percent >= 100.0));
                let with = Transition {
                    events: without_end.collect(),
                    ..Transition::default()
                };
                next = (Event::FailedFatal { fence, error }, with);
            }
            Err(error) => {
                tracing::error!(job = %attempt.id, error = %chain(&error), "the end of an attempt could not be written");
                break None;
            }
        }
    };
    inner.hub.stir(attempt.id);
    state
}

/// Clients are told “internal error”; the log says what happened.
fn log_defects(job: JobId, ended: &Ended) {
    match ended {
        Ended::Panicked => tracing::error!(%job, "an operation panicked"),
        Ended::Dropped => tracing::warn!(%job, "an operation did not stop in time and was dropped"),
        Ended::Returned(Err(OperationError::Store(error))) => {
            tracing::error!(%job, error = %chain(error), "an operation failed in its store");
        }
        Ended::Returned(Err(OperationError::Fatal(error) | OperationError::Retryable(error))) => {
            tracing::info!(%job, code = error.code.as_str(), message = error.message, "an operation failed");
        }
        Ended::Returned(Ok(_) | Err(OperationError::Stopped)) => {}
    }
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// What an operation sees of the engine.
struct Context {
    inner: Arc<Inner>,
    attempt: Arc<Attempt>,
}

#[async_trait]
impl OperationContext for Context {
    fn job_id(&self) -> JobId {
        self.attempt.id
    }

    fn fence(&self) -> Fence {
        self.attempt.fence
    }

    fn cancelled(&self) -> CancellationToken {
        self.attempt.token.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    fn artifacts(&self) -> Arc<dyn ArtifactStore> {
        Arc::clone(&self.inner.artifacts)
    }

    fn progress(&self, progress: Progress) {
        self.attempt.journal.progress(progress);
    }

    fn log(&self, level: LogLevel, message: String) {
        self.attempt.journal.log(level, message);
    }

    async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.jobs.checkpoint_get(self.attempt.id).await
    }

    async fn keep(&self, checkpoint: Vec<u8>) -> Result<(), StoreError> {
        self.inner
            .jobs
            .checkpoint_put(self.attempt.id, self.attempt.fence, checkpoint)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    const FENCE: Fence = Fence::new(7);
    const LIMITS: OperationLimits = OperationLimits {
        deadline: Duration::HOUR,
        max_attempts: 3,
    };

    fn end(ended: Ended, reason: Option<StopReason>, attempt: u32) -> Option<String> {
        let (event, _) = conclude(ended, reason, FENCE, attempt, Some(LIMITS))?;
        Some(match &event {
            Event::Succeeded { fence } if *fence == FENCE => "succeeded".to_owned(),
            Event::FailedRetryable { fence, error } if *fence == FENCE => format!("again {}", error.code.as_str()),
            Event::FailedFatal { fence, error } if *fence == FENCE => format!("failed {}", error.code.as_str()),
            Event::Stopped { fence } if *fence == FENCE => "stopped".to_owned(),
            Event::Yielded { fence } if *fence == FENCE => "yielded".to_owned(),
            Event::Claimed { .. }
            | Event::Renewed { .. }
            | Event::CancelRequested
            | Event::Succeeded { .. }
            | Event::FailedRetryable { .. }
            | Event::FailedFatal { .. }
            | Event::Stopped { .. }
            | Event::Yielded { .. }
            | Event::LeaseExpired
            | Event::OwnerGone => panic!("{event:?}"),
        })
    }

    #[test]
    fn every_end_becomes_one_event() {
        use OperationError::{Fatal, Retryable, Stopped, Store};
        use StopReason::{Cancel, Deadline, Lost, Shutdown};
        let done = || {
            Ended::Returned(Ok(Finished {
                outcome: Value::Null,
                artifact: None,
            }))
        };
        let failed = |error| Ended::Returned(Err(error));
        let away = || JobError::new(ErrorCode::AzureUnavailable, "away");
        let down = || StoreError::Unavailable {
            doing: "testing",
            source: "down".into(),
        };
        let cases = [
            (done(), None, 1, "succeeded"),
            (done(), Some(Cancel), 1, "succeeded"),
            (failed(Fatal(away())), None, 1, "failed AZURE_UNAVAILABLE"),
            (failed(Retryable(away())), None, 2, "again AZURE_UNAVAILABLE"),
            (failed(Retryable(away())), None, 3, "failed ATTEMPTS_EXHAUSTED"),
            (failed(Retryable(away())), Some(Shutdown), 3, "yielded"),
            (failed(Stopped), Some(Cancel), 1, "stopped"),
            (failed(Stopped), Some(Shutdown), 1, "yielded"),
            (failed(Stopped), Some(Deadline), 1, "failed DEADLINE_EXCEEDED"),
            (failed(Stopped), None, 1, "failed INTERNAL"),
            (failed(Store(down())), None, 1, "again DATABASE_UNAVAILABLE"),
            (
                failed(Store(StoreError::Fenced { what: "scan" })),
                None,
                1,
                "again INTERNAL",
            ),
            (
                failed(Store(StoreError::NotFound { what: "scan" })),
                None,
                1,
                "failed INTERNAL",
            ),
            (Ended::Panicked, Some(Cancel), 1, "failed INTERNAL"),
            (Ended::Dropped, Some(Cancel), 1, "stopped"),
        ];
        for (at, (ended, reason, attempt, expected)) in cases.into_iter().enumerate() {
            assert_eq!(end(ended, reason, attempt).as_deref(), Some(expected), "case {at}");
        }
        assert_eq!(end(failed(Stopped), Some(Lost), 1), None);
    }
}
