//! What a job store decides, whatever it stores in: the rules that both backends apply inside their transactions.
//!
//! The state machine of `atg-models` decides every change; here is what a change brings with it.

use atg_models::job::{
    Event, EventBody, JobError, JobRecord, JobState, LogLevel, MachineState, NewJob, OnCrash, Policy, Refused, apply,
};
use atg_models::{Fence, JobId, Seq, limits};
use serde_json::Value;
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_store::Transition;

/// The rules that a job runs under.
fn policy(on_crash: OnCrash) -> Policy {
    Policy {
        lease: limits::LEASE,
        max_attempts: limits::ATTEMPTS_MAX,
        backoff_base: limits::BACKOFF_BASE,
        backoff_max: limits::BACKOFF_MAX,
        on_crash,
    }
}

/// A job that was just submitted.
pub(crate) fn record(new: NewJob) -> JobRecord {
    let NewJob {
        id,
        tenant,
        tenant_use,
        on_crash,
        key_prefix,
        params,
        created_at,
    } = new;
    JobRecord {
        id,
        tenant,
        tenant_use,
        on_crash,
        key_prefix,
        params,
        machine: MachineState::new(created_at),
        progress: None,
        result: None,
        artifact: None,
        created_at,
        started_at: None,
        updated_at: created_at,
        completed_at: None,
    }
}

/// Lets the state machine decide.
pub(crate) fn change(job: &mut JobRecord, event: &Event, now: OffsetDateTime) -> Result<(), Refused> {
    job.machine = apply(&job.machine, event, now, &policy(job.on_crash))?;
    job.updated_at = now;
    if job.machine.state == JobState::Running {
        job.started_at = job.started_at.or(Some(now));
    }
    Ok(())
}

/// Takes in what belongs to a change that was made, and answers the events to write. A log ends with the error,
/// if there is one, and the completion.
pub(crate) fn conclude(job: &mut JobRecord, with: Transition, now: OffsetDateTime) -> Vec<EventBody> {
    let Transition {
        result,
        artifact,
        mut events,
    } = with;
    job.result = result.or(job.result.take());
    job.artifact = artifact.or(job.artifact.take());
    let state = job.machine.state;
    if state.is_terminal() {
        job.completed_at = Some(now);
        if let (JobState::Failed, Some(error)) = (state, &job.machine.error) {
            events.push(EventBody::Error(JobError::clone(error)));
        }
        let result = job.result.clone().unwrap_or(Value::Null);
        events.push(EventBody::Completion { state, result });
    }
    events
}

/// Refuses a worker that does not hold the job.
pub(crate) fn held_by(machine: &MachineState, fence: Fence) -> Result<(), Refused> {
    match machine.state {
        JobState::Running | JobState::Cancelling if machine.fence == fence => Ok(()),
        JobState::Queued | JobState::Running | JobState::Cancelling => Err(Refused::StaleFence),
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => Err(Refused::Finished),
    }
}

/// The last progress that was said becomes the job's. Whether there was one.
pub(crate) fn take_progress(job: &mut JobRecord, events: &[EventBody], now: OffsetDateTime) -> bool {
    let said = events.iter().rev().find_map(|event| match event {
        EventBody::Progress(progress) => Some(progress),
        EventBody::Log { .. } | EventBody::Error(_) | EventBody::Completion { .. } => None,
    });
    if let Some(progress) = said {
        job.progress = Some(progress.clone());
        job.updated_at = now;
    }
    said.is_some()
}

/// The last sequence that a log no longer keeps when it ends with `last`.
pub(crate) const fn dropped(last: Seq) -> Seq {
    Seq::new(last.get().saturating_sub(limits::EVENT_LOG_TAIL_ROWS))
}

/// What was asked for behind `after` and is no longer held, when `first` is the first that is.
pub(crate) fn gap(after: Seq, first: Option<Seq>) -> Option<(Seq, Seq)> {
    let wanted = after.next();
    first
        .filter(|first| *first > wanted)
        .map(|first| (wanted, Seq::new(first.get() - 1)))
}

/// What a job that is held back says in its log.
pub(crate) fn waits_for(blocker: JobId) -> EventBody {
    EventBody::Log {
        level: LogLevel::Info,
        message: format!("waits for {blocker}, which uses the same tenant"),
    }
}

/// Refuses a checkpoint that is too large.
pub(crate) fn check_size_of_checkpoint(value: &[u8]) -> Result<(), StoreError> {
    if value.len() <= limits::CHECKPOINT_MAX_BYTES {
        return Ok(());
    }
    Err(StoreError::TooLarge {
        what: "checkpoint",
        limit: u64::try_from(limits::CHECKPOINT_MAX_BYTES).unwrap_or(u64::MAX),
    })
}

/// The word that stands for what becomes of a job when its worker is gone.
pub(crate) const fn to_word(on_crash: OnCrash) -> &'static str {
    match on_crash {
        OnCrash::Rerun => "rerun",
        OnCrash::Interrupt => "interrupt",
    }
}

/// The counterpart of [`to_word`].
pub(crate) fn from_word(word: &str) -> Option<OnCrash> {
    [OnCrash::Rerun, OnCrash::Interrupt]
        .into_iter()
        .find(|on_crash| to_word(*on_crash) == word)
}
