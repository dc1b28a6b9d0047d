//! Exit codes that tell the kinds of failure apart, and what is said with each.

use std::process::ExitCode;

use atg_client::ClientError;
use atg_models::api::ErrorBody;

use crate::out;

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Anything that has no code of its own.
    pub(crate) fn other(message: &str) -> Self {
        Self {
            code: 1,
            message: message.to_owned(),
            hint: None,
        }
    }

    /// The command line cannot be obeyed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
            hint: None,
        }
    }

    /// The job failed.
    pub(crate) fn job(error: Option<&ErrorBody>) -> Self {
        let message = error.map_or_else(
            || "the job failed".to_owned(),
            |error| format!("the job failed: {} ({})", error.message, error.code.as_str()),
        );
        Self {
            code: 3,
            message,
            hint: None,
        }
    }

    /// The job was cancelled.
    pub(crate) fn cancelled() -> Self {
        Self {
            code: 4,
            message: "the job was cancelled".to_owned(),
            hint: None,
        }
    }

    /// The scan is partial.
    pub(crate) fn partial() -> Self {
        Self {
            code: 9,
            message: "the scan could not read everything; what is missing is listed above".to_owned(),
            hint: Some("nothing was removed on account of what was not read".to_owned()),
        }
    }

    /// Says why, and gives the code.
    pub(crate) fn report(&self) -> ExitCode {
        out::error(&self.message);
        if let Some(hint) = &self.hint {
            out::hint(hint);
        }
        ExitCode::from(self.code)
    }
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
            ClientError::Refused { status, request_id, .. } => match status {
                401 => (5, Some("set ATG_API_KEY, or give --api-key".to_owned())),
                403 => (5, None),
                404 | 410 => (6, None),
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
            ClientError::NotUnderstood { .. } => (7, Some("is this the address of an atg server?".to_owned())),
            ClientError::Damaged { .. } => (1, Some("try again".to_owned())),
            ClientError::File { .. } => (1, None),
            ClientError::Settings(_) => (2, None),
        };
        Self { code, message, hint }
    }
}
