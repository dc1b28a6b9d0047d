//! The job state machine: total, pure, without a wildcard arm.
//!
//! Every event of a worker carries the fence that its claim was given. A process that stalled
//! and wakes up late carries an old one, and can neither finish nor fail somebody else's attempt.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::error_code::ErrorCode;
use crate::ids::Fence;
use crate::job::JobError;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for a worker, or for its time.
    Queued,
    /// A worker holds its lease.
    Running,
    /// A worker holds its lease and was asked to stop.
    Cancelling,
    /// Ended well.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl JobState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word of the stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this word of the stores.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing more will happen.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Cancelling => false,
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
        }
    }

    /// Whether a worker holds it.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling)
    }
}

/// A worker's name: unique per process and start.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What becomes of a job whose worker is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnCrash {
    /// It runs again from its last checkpoint.
    Rerun,
    /// It ends as failed with `INTERRUPTED`.
    Interrupt,
}

/// The rules that one kind of job runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long a claim or a renewal holds.
    pub lease: Duration,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// The first wait after a retryable failure; it doubles with each further one.
    pub backoff_base: Duration,
    /// The longest such wait.
    pub backoff_max: Duration,
    /// What becomes of it when its worker is gone.
    pub on_crash: OnCrash,
}

/// What the machine knows of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// Where it stands.
    pub state: JobState,
    /// How often it was claimed, attempts that yielded left out.
    pub attempt: u32,
    /// Of the last claim.
    pub fence: Fence,
    /// Who holds it.
    pub owner: Option<WorkerId>,
    /// Until when.
    #[serde(with = "crate::time_text::option")]
    pub lease_until: Option<OffsetDateTime>,
    /// Not to be claimed before.
    #[serde(with = "crate::time_text")]
    pub due: OffsetDateTime,
    /// Why it failed, or was tried again.
    pub error: Option<JobError>,
}

impl MachineState {
    /// A job that was just submitted.
    pub const fn new(due: OffsetDateTime) -> Self {
        Self {
            state: JobState::Queued,
            attempt: 0,
            fence: Fence::ZERO,
            owner: None,
            lease_until: None,
            due,
            error: None,
        }
    }
}

/// What happens to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker takes it.
    Claimed {
        /// Who.
        owner: WorkerId,
    },
    /// Its worker is alive.
    Renewed {
        /// Of its claim.
        fence: Fence,
    },
    /// A client wants it to stop.
    CancelRequested,
    /// Its worker finished.
    Succeeded {
        /// Of its claim.
        fence: Fence,
    },
    /// Its worker could not go on; trying again may help.
    FailedRetryable {
        /// Of its claim.
        fence: Fence,
        /// Why.
        error: JobError,
    },
    /// Its worker could not go on; trying again is of no use.
    FailedFatal {
        /// Of its claim.
        fence: Fence,
        /// Why.
        error: JobError,
    },
    /// Its worker stopped because it was asked to.
    Stopped {
        /// Of its claim.
        fence: Fence,
    },
    /// Its worker gives it back because the process shuts down.
    Yielded {
        /// Of its claim.
        fence: Fence,
    },
    /// Nobody renewed its lease in time.
    LeaseExpired,
    /// Its worker is known to be dead, lease or not.
    OwnerGone,
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The job is finished.
    #[error("the job is finished")]
    Finished,
    /// The event carries the fence of another claim.
    #[error("another worker has claimed the job since")]
    StaleFence,
    /// The job may not be claimed yet.
    #[error("the job is not due yet")]
    NotDue,
    /// The lease still holds.
    #[error("the lease has not expired")]
    LeaseHolds,
    /// The event does not fit the state.
    #[error("the event does not fit the job's state")]
    WrongState,
}

/// Applies `event` to `state` at `now`.
///
/// # Errors
/// [`Refused`] when the event may not happen; nothing has changed then.
pub fn apply(
    state: &MachineState,
    event: &Event,
    now: OffsetDateTime,
    policy: &Policy,
) -> Result<MachineState, Refused> {
    match state.state {
        JobState::Queued => queued(state, event, now, policy),
        JobState::Running => running(state, event, now, policy),
        JobState::Cancelling => cancelling(state, event, now, policy),
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => Err(Refused::Finished),
    }
}

fn queued(state: &MachineState, event: &Event, now: OffsetDateTime, policy: &Policy) -> Result<MachineState, Refused> {
    match event {
        Event::Claimed { owner } if now >= state.due => Ok(MachineState {
            state: JobState::Running,
            attempt: state.attempt.saturating_add(1),
            fence: state.fence.next(),
            owner: Some(owner.clone()),
            lease_until: Some(now + policy.lease),
            due: state.due,
            error: None,
        }),
        Event::Claimed { .. } => Err(Refused::NotDue),
        Event::CancelRequested => Ok(ended(state, JobState::Cancelled, None)),
        Event::Renewed { .. }
        | Event::Succeeded { .. }
        | Event::FailedRetryable { .. }
        | Event::FailedFatal { .. }
        | Event::Stopped { .. }
        | Event::Yielded { .. } => Err(Refused::StaleFence),
        Event::LeaseExpired | Event::OwnerGone => Err(Refused::WrongState),
    }
}

fn running(state: &MachineState, event: &Event, now: OffsetDateTime, policy: &Policy) -> Result<MachineState, Refused> {
    match event {
        Event::Claimed { .. } => Err(Refused::WrongState),
        Event::Renewed { fence } => {
            held_by(state, *fence)?;
            Ok(renewed(state, now, policy))
        }
        Event::CancelRequested => Ok(MachineState {
            state: JobState::Cancelling,
            ..state.clone()
        }),
        Event::Succeeded { fence } => {
            held_by(state, *fence)?;
            Ok(ended(state, JobState::Succeeded, None))
        }
        Event::FailedRetryable { fence, error } => {
            held_by(state, *fence)?;
            if state.attempt >= policy.max_attempts {
                return Ok(ended(state, JobState::Failed, Some(exhausted(policy, Some(error)))));
            }
            Ok(requeued(
                state,
                now + backoff(state.attempt, policy),
                Some(error.clone()),
            ))
        }
        Event::FailedFatal { fence, error } => {
            held_by(state, *fence)?;
            Ok(ended(state, JobState::Failed, Some(error.clone())))
        }
        Event::Stopped { fence } => {
            held_by(state, *fence)?;
            Err(Refused::WrongState)
        }
        Event::Yielded { fence } => {
            held_by(state, *fence)?;
            Ok(match policy.on_crash {
                OnCrash::Rerun => {
                    let attempt = state.attempt.saturating_sub(1);
                    MachineState {
                        attempt,
                        ..requeued(state, now, None)
                    }
                }
                OnCrash::Interrupt => ended(state, JobState::Failed, Some(interrupted())),
            })
        }
        Event::LeaseExpired => {
            lease_is_over(state, now)?;
            Ok(abandoned(state, now, policy))
        }
        Event::OwnerGone => Ok(abandoned(state, now, policy)),
    }
}

fn cancelling(
    state: &MachineState,
    event: &Event,
    now: OffsetDateTime,
    policy: &Policy,
) -> Result<MachineState, Refused> {
    match event {
        Event::Claimed { .. } => Err(Refused::WrongState),
        Event::Renewed { fence } => {
            held_by(state, *fence)?;
            Ok(renewed(state, now, policy))
        }
        Event::CancelRequested => Ok(state.clone()),
        // Work that finished first wins.
        Event::Succeeded { fence } => {
            held_by(state, *fence)?;
            Ok(ended(state, JobState::Succeeded, None))
        }
        Event::FailedRetryable { fence, error: _ }
        | Event::FailedFatal { fence, error: _ }
        | Event::Stopped { fence }
        | Event::Yielded { fence } => {
            held_by(state, *fence)?;
            Ok(ended(state, JobState::Cancelled, None))
        }
        Event::LeaseExpired => {
            lease_is_over(state, now)?;
            Ok(ended(state, JobState::Cancelled, None))
        }
        Event::OwnerGone => Ok(ended(state, JobState::Cancelled, None)),
    }
}

fn held_by(state: &MachineState, fence: Fence) -> Result<(), Refused> {
    if state.fence == fence {
        Ok(())
    } else {
        Err(Refused::StaleFence)
    }
}

fn lease_is_over(state: &MachineState, now: OffsetDateTime) -> Result<(), Refused> {
    match state.lease_until {
        Some(until) if now < until => Err(Refused::LeaseHolds),
        Some(_) | None => Ok(()),
    }
}

fn renewed(state: &MachineState, now: OffsetDateTime, policy: &Policy) -> MachineState {
    MachineState {
        lease_until: Some(now + policy.lease),
        ..state.clone()
    }
}

fn requeued(state: &MachineState, due: OffsetDateTime, error: Option<JobError>) -> MachineState {
    MachineState {
        state: JobState::Queued,
        owner: None,
        lease_until: None,
        due,
        error,
        ..state.clone()
    }
}

fn ended(state: &MachineState, end: JobState, error: Option<JobError>) -> MachineState {
    MachineState {
        state: end,
        owner: None,
        lease_until: None,
        error,
        ..state.clone()
    }
}

/// A worker that vanished counts as an attempt: a job that kills its process must not do so for ever.
fn abandoned(state: &MachineState, now: OffsetDateTime, policy: &Policy) -> MachineState {
    match policy.on_crash {
        OnCrash::Interrupt => ended(state, JobState::Failed, Some(interrupted())),
        OnCrash::Rerun if state.attempt >= policy.max_attempts => {
            ended(state, JobState::Failed, Some(exhausted(policy, None)))
        }
        OnCrash::Rerun => requeued(state, now, None),
    }
}

fn backoff(attempt: u32, policy: &Policy) -> Duration {
    const MAX_DOUBLINGS: u32 = 16;
    let factor = 1_i32 << attempt.saturating_sub(1).min(MAX_DOUBLINGS);
    (policy.backoff_base * factor).min(policy.backoff_max)
}

fn interrupted() -> JobError {
    JobError::new(
        ErrorCode::Interrupted,
        "the server stopped while the job ran, and this kind of job is not run again",
    )
}

fn exhausted(policy: &Policy, last: Option<&JobError>) -> JobError {
    let attempts = policy.max_attempts;
    let message = match last {
        Some(error) => format!(
            "gave up after {attempts} attempts; the last failed with: {}",
            error.message
        ),
        None => format!("gave up after {attempts} attempts; the last ended with its server"),
    };
    JobError::new(ErrorCode::AttemptsExhausted, message)
}
