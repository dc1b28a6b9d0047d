//! The event log of a job: what readers of its progress get, by sequence.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::ids::Seq;
use crate::job::{JobError, JobState};

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The step it is in (`resources`, `directory`, `emit`, …).
    pub phase: String,
    /// For people.
    pub message: String,
    /// 0 to 100; never falls within an attempt.
    pub percent: f64,
    /// The subscription that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_subscription: Option<String>,
    /// How many subscriptions there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_subscriptions: Option<u64>,
    /// Resources so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources_discovered: Option<u64>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// For those who look closely.
    Debug,
    /// What happens.
    Info,
    /// Something was left out or tried again.
    Warning,
    /// Something failed.
    Error,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum EventBody {
    /// How far the job is.
    Progress(Progress),
    /// A line of its log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// What happened.
        message: String,
    },
    /// Why it failed.
    Error(JobError),
    /// It ended. The last event of a log.
    Completion {
        /// `Succeeded`, `Failed` or `Cancelled`.
        state: JobState,
        /// The operation's outcome.
        result: Value,
    },
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobEvent {
    /// Its position; the first has 1.
    pub seq: Seq,
    /// When it was written.
    #[serde(with = "crate::time_text")]
    pub at: OffsetDateTime,
    /// What it says.
    pub body: EventBody,
}
