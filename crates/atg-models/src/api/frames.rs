//! What readers of a job's progress get, frame by frame: WebSocket, event stream and long poll alike.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::error_code::ErrorCode;
use crate::ids::{JobId, Seq};
use crate::job::{EventBody, JobError, JobEvent, JobRecord, JobState, LogLevel, Progress};

/// How a reader wants its frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameOptions {
    /// `?detail=1`: progress carries its phase and counters.
    pub detail: bool,
    /// The reader resumes by cursor: every frame carries its sequence.
    pub seq: bool,
}

/// A frame, with its sequence for readers that resume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventFrame {
    /// Its position in the job's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub seq: Option<Seq>,
    /// What it says.
    #[serde(flatten)]
    pub frame: Frame,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Frame {
    /// How far the job is.
    Progress(ProgressFrame),
    /// A line of its log.
    Log(LogFrame),
    /// Why it failed.
    Error(ErrorFrame),
    /// It ended; the last frame.
    Completion(CompletionFrame),
    /// Sequences that the log no longer holds.
    Gap(GapFrame),
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgressFrame {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// 0 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100, example = 45.5))]
    pub progress: f64,
    /// For people.
    pub message: String,
    /// When it was written.
    #[serde(with = "crate::time_text")]
    pub timestamp: OffsetDateTime,
    /// With `?detail=1` only.
    #[serde(flatten)]
    // As all of its fields or none: one that is null is not what is meant.
    #[cfg_attr(feature = "openapi", schema(value_type = ProgressDetail))]
    pub detail: Option<ProgressDetail>,
}

/// What `?detail=1` adds. In the document none of it is required: the schema of a frame includes this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgressDetail {
    /// The step it is in.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub phase: String,
    /// 0 to 100, the same as `progress`.
    #[cfg_attr(feature = "openapi", schema(required = false))]
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

/// A line of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogFrame {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "INFO"))]
    pub level: LogLevel,
    /// What happened.
    pub message: String,
    /// When it was written.
    #[serde(with = "crate::time_text")]
    pub timestamp: OffsetDateTime,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorFrame {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// From the table of codes.
    pub error_code: ErrorCode,
    /// For people.
    pub error_message: String,
    /// For programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub details: Option<Value>,
    /// When it was written.
    #[serde(with = "crate::time_text")]
    pub timestamp: OffsetDateTime,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum CompletionStatus {
    /// Well.
    Completed,
    /// With an error.
    Failed,
    /// On request.
    Cancelled,
}

impl CompletionStatus {
    /// How a state ends a job; `None` when it does not.
    pub const fn of(state: JobState) -> Option<Self> {
        match state {
            JobState::Succeeded => Some(Self::Completed),
            JobState::Failed => Some(Self::Failed),
            JobState::Cancelled => Some(Self::Cancelled),
            JobState::Queued | JobState::Running | JobState::Cancelling => None,
        }
    }
}

/// A job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompletionFrame {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// How.
    pub status: CompletionStatus,
    /// The operation's outcome; null when it has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Value,
    /// When it was written.
    #[serde(with = "crate::time_text")]
    pub timestamp: OffsetDateTime,
}

/// Sequences that the log no longer holds; only for readers that resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapFrame {
    /// The job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// The first that is missing.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub from: Seq,
    /// The last that is missing.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub to: Seq,
    /// When it was noticed.
    #[serde(with = "crate::time_text")]
    pub timestamp: OffsetDateTime,
}

/// A page of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsResponse {
    /// In order, each with its sequence.
    pub events: Vec<EventFrame>,
    /// The cursor of the next page.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub next: Seq,
    /// Whether nothing more will come.
    pub complete: bool,
    /// Sequences that were asked for and are no longer held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<EventGap>,
}

/// Sequences that the log no longer holds, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventGap {
    /// The first.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub from: Seq,
    /// The last.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub to: Seq,
}

impl EventFrame {
    /// The frame of an event of the log; `None` for a completion whose state ends nothing, which no
    /// store writes.
    pub fn of(job_id: JobId, event: &JobEvent, options: FrameOptions) -> Option<Self> {
        let timestamp = event.at;
        let frame = match &event.body {
            EventBody::Progress(progress) => Frame::Progress(progress_frame(job_id, progress, timestamp, options)),
            EventBody::Log { level, message } => Frame::Log(LogFrame {
                job_id,
                level: *level,
                message: message.clone(),
                timestamp,
            }),
            EventBody::Error(error) => Frame::Error(error_frame(job_id, error, timestamp)),
            EventBody::Completion { state, result } => Frame::Completion(CompletionFrame {
                job_id,
                status: CompletionStatus::of(*state)?,
                result: result.clone(),
                timestamp,
            }),
        };
        Some(Self {
            seq: options.seq.then_some(event.seq),
            frame,
        })
    }

    /// A gap, for a reader that resumes.
    pub const fn gap(job_id: JobId, from: Seq, to: Seq, timestamp: OffsetDateTime) -> Self {
        Self {
            seq: None,
            frame: Frame::Gap(GapFrame {
                job_id,
                from,
                to,
                timestamp,
            }),
        }
    }

    /// The present state of a job, with which a stream without a cursor starts.
    pub fn of_state(job: &JobRecord, options: FrameOptions) -> Self {
        let waiting = Progress {
            phase: "queued".to_owned(),
            message: "waiting for a worker".to_owned(),
            ..Progress::default()
        };
        let progress = job.progress.as_ref().unwrap_or(&waiting);
        Self {
            seq: None,
            frame: Frame::Progress(progress_frame(job.id, progress, job.updated_at, options)),
        }
    }

    /// What a reader gets of a job that has ended: the error, if it failed, and the completion.
    /// Empty while it has not.
    pub fn of_end(job: &JobRecord) -> Vec<Self> {
        let Some(status) = CompletionStatus::of(job.machine.state) else {
            return Vec::new();
        };
        let timestamp = job.completed_at.unwrap_or(job.updated_at);
        let error = match (&job.machine.error, status) {
            (Some(error), CompletionStatus::Failed) => Some(Frame::Error(error_frame(job.id, error, timestamp))),
            (None, CompletionStatus::Failed) | (_, CompletionStatus::Completed | CompletionStatus::Cancelled) => None,
        };
        let completion = Frame::Completion(CompletionFrame {
            job_id: job.id,
            status,
            result: job.result.clone().unwrap_or(Value::Null),
            timestamp,
        });
        error
            .into_iter()
            .chain([completion])
            .map(|frame| Self { seq: None, frame })
            .collect()
    }
}

fn progress_frame(
    job_id: JobId,
    progress: &Progress,
    timestamp: OffsetDateTime,
    options: FrameOptions,
) -> ProgressFrame {
    let Progress {
        phase,
        message,
        percent,
        current_subscription,
        total_subscriptions,
        resources_discovered,
    } = progress;
    let percent = percent.clamp(0.0, 100.0);
    let detail = || ProgressDetail {
        phase: phase.clone(),
        percent,
        current_subscription: current_subscription.clone(),
        total_subscriptions: *total_subscriptions,
        resources_discovered: *resources_discovered,
    };
    ProgressFrame {
        job_id,
        progress: percent,
        message: message.clone(),
        timestamp,
        detail: options.detail.then(detail),
    }
}

fn error_frame(job_id: JobId, error: &JobError, timestamp: OffsetDateTime) -> ErrorFrame {
    ErrorFrame {
        job_id,
        error_code: error.code,
        error_message: error.message.clone(),
        details: error.details.clone(),
        timestamp,
    }
}
