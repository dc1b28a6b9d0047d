//! Exit codes that tell the kinds of failure apart, and what is said with each.

use std::process::ExitCode;

use atg_client::ClientError;
use atg_models::api::{JobResultResponse, JobStatusResponse};
use atg_models::{ErrorCode, JobId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::out;

/// What shells report of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;
/// The job goes on behind `--wait`.
const STILL_RUNNING: u8 = 10;

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
    document: Document,
}

/// What `--json` prints of a failure: one document in every case.
#[derive(Debug)]
enum Document {
    /// The failure itself.
    Failure,
    /// What the server said.
    Said(Box<Value>),
    /// It is printed already.
    Printed,
}

impl Failure {
    /// Anything that has no code of its own.
    pub(crate) fn other(message: &str) -> Self {
        Self {
            code: 1,
            message: message.to_owned(),
            hint: None,
            document: Document::Failure,
        }
    }

    /// The command line cannot be obeyed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
            hint: None,
            document: Document::Failure,
        }
    }

    /// The job failed.
    pub(crate) fn job(result: &JobResultResponse) -> Self {
        let message = result.error.as_ref().map_or_else(
            || "the job failed".to_owned(),
            |error| format!("the job failed: {} ({})", error.message, error.code.as_str()),
        );
        Self {
            code: 3,
            message,
            hint: None,
            document: said(result),
        }
    }

    /// The job was cancelled.
    pub(crate) fn cancelled(result: &JobResultResponse) -> Self {
        Self {
            code: 4,
            message: "the job was cancelled".to_owned(),
            hint: None,
            document: said(result),
        }
    }

    /// Ctrl-C while a job was followed.
    pub(crate) fn interrupted(job: JobId) -> Self {
        Self {
            code: INTERRUPTED,
            message: "no longer following; the job goes on".to_owned(),
            hint: Some(format!(
                "come back with `atg watch {job}`, stop it with `atg cancel {job}`"
            )),
            document: said(&json!({
                "job_id": job,
                "error": { "message": "no longer following; the job goes on", "exit_code": INTERRUPTED },
            })),
        }
    }

    /// The job has not ended within `--wait`.
    pub(crate) fn still_running(job: &JobStatusResponse) -> Self {
        Self {
            code: STILL_RUNNING,
            message: format!("{} has not ended yet; it goes on", job.job_id),
            hint: Some(format!("come back with `atg watch {}`", job.job_id)),
            document: said(job),
        }
    }

    /// Ctrl-C while files were fetched.
    pub(crate) fn download_interrupted(job: JobId) -> Self {
        Self {
            code: INTERRUPTED,
            message: "the download was broken off".to_owned(),
            hint: Some(format!("`atg download {job}` goes on from what is in the .part file")),
            document: Document::Failure,
        }
    }

    /// The same failure of a job that goes on without the program.
    pub(crate) fn while_following(mut self, job: JobId) -> Self {
        let back = format!("the job may go on: come back with `atg watch {job}`");
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}\nhint: {back}"),
            None => back,
        });
        self
    }

    /// The scan is partial.
    pub(crate) fn partial() -> Self {
        Self {
            code: 9,
            message: "the scan could not read everything; what is missing is listed above".to_owned(),
            hint: Some("nothing was removed on account of what was not read".to_owned()),
            document: Document::Printed,
        }
    }

    /// The same failure after the document was printed.
    pub(crate) fn after_document(mut self) -> Self {
        self.document = Document::Printed;
        self
    }

    /// Says why, and gives the code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            match &self.document {
                Document::Failure => {
                    out::json(&json!({ "error": { "message": self.message, "exit_code": self.code } }));
                }
                Document::Said(document) => out::json(document),
                Document::Printed => {}
            }
        }
        out::error(&self.message);
        if let Some(hint) = &self.hint {
            out::hint(hint);
        }
        ExitCode::from(self.code)
    }
}

/// An answer of the server as the document.
fn said<T: Serialize>(answer: &T) -> Document {
    serde_json::to_value(answer).map_or(Document::Failure, |value| Document::Said(Box::new(value)))
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        let (code, hint) = match &error {
            ClientError::Refused {
                status,
                request_id,
                body,
                ..
            } => match status {
                401 => (
                    5,
                    Some("set ATG_API_KEY, or give --api-key; `atg keys` says where keys come from".to_owned()),
                ),
                403 => (5, None),
                410 if body.code == ErrorCode::ArtifactExpired => (
                    6,
                    Some(
                        "results are kept for a time that the server sets (ATG_ARTIFACT_TTL); start the job again"
                            .to_owned(),
                    ),
                ),
                404 | 410 => (6, None),
                429 | 503 if error.retry_after().is_some() => {
                    let seconds = error.retry_after().unwrap_or_default().as_secs();
                    (8, Some(format!("try again in {}", span(seconds))))
                }
                500.. => (
                    1,
                    request_id
                        .as_ref()
                        .map(|id| format!("the server's log knows more, under request {id}")),
                ),
                _ => (8, None),
            },
            ClientError::Unreachable { .. } => (
                7,
                Some("is the server running? set ATG_SERVICE_URL, or give --server".to_owned()),
            ),
            ClientError::Cut { .. } => (7, Some("try again".to_owned())),
            ClientError::NotUnderstood { .. } => (7, Some("is this the address of an atg server?".to_owned())),
            ClientError::Damaged { .. } => (1, Some("try again".to_owned())),
            ClientError::File { .. } => (1, None),
            ClientError::Settings(_) => (2, None),
        };
        let document = match &error {
            ClientError::Refused { body, .. } => said(&json!({ "error": body })),
            ClientError::Unreachable { .. }
            | ClientError::Cut { .. }
            | ClientError::NotUnderstood { .. }
            | ClientError::Damaged { .. }
            | ClientError::File { .. }
            | ClientError::Settings(_) => Document::Failure,
        };
        Self {
            code,
            message,
            hint,
            document,
        }
    }
}

/// A time for people: 42 s, 12 min, 3 h 5 min.
fn span(seconds: u64) -> String {
    // Rounded up: whoever comes back then does not come too early.
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0..120, _) => format!("{seconds} s"),
        (_, 0..120) => format!("{minutes} min"),
        (_, _) => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn times_are_rounded_up() {
        assert_eq!(
            [1, 119, 121, 3_600, 11_100].map(span),
            ["1 s", "119 s", "3 min", "60 min", "3 h 5 min"]
        );
    }
}
