//! What can go wrong between a client and the server.

use std::time::Duration;

use atg_models::api::ErrorBody;

use crate::limits;

/// A request that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused it.
    #[error("{} ({})", .body.message, .body.code.as_str())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        body: ErrorBody,
        /// For the server's log.
        request_id: Option<String>,
        /// Seconds after which to try again.
        retry_after: Option<u64>,
    },
    /// The server cannot be reached.
    #[error("the server at {url} cannot be reached")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A connection that stood has broken, or brought nothing.
    #[error("the connection to {url} was cut")]
    Cut {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something answered that is not an atg server, or a newer one.
    #[error("{url} answered something that is not understood: {problem}")]
    NotUnderstood {
        /// Where.
        url: String,
        /// What.
        problem: String,
    },
    /// What was downloaded is not what the server published.
    #[error("the download is damaged: its SHA-256 is {found}, the server published {published}")]
    Damaged {
        /// Of the bytes.
        found: String,
        /// Of the artifact.
        published: String,
    },
    /// A file could not be written.
    #[error("{path} cannot be written")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address or the key cannot be used.
    #[error("{0}")]
    Settings(String),
}

impl ClientError {
    /// How long the server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => retry_after.map(Duration::from_secs),
            Self::Unreachable { .. }
            | Self::Cut { .. }
            | Self::NotUnderstood { .. }
            | Self::Damaged { .. }
            | Self::File { .. }
            | Self::Settings(_) => None,
        }
    }

    /// Whether the same request may succeed a little later. What the server asks to wait for longer than
    /// [`limits::RETRY_WAIT_MAX`] is for the caller to decide.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Cut { .. } => true,
            Self::Refused { status, .. } => {
                let is_soon = self.retry_after().is_none_or(|asked| asked <= limits::RETRY_WAIT_MAX);
                matches!(status, 429 | 502 | 503 | 504) && is_soon
            }
            Self::NotUnderstood { .. } | Self::Damaged { .. } | Self::File { .. } | Self::Settings(_) => false,
        }
    }
}
