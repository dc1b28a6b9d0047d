//! Which way to the log comes next when one does not get through: a decision, without a connection.

use std::fmt;

use crate::error::ClientError;
use crate::limits;

/// A way to a job's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A WebSocket.
    Socket,
    /// An event stream (SSE).
    Stream,
    /// Pages, each waiting for news.
    Poll,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket => "WebSocket",
            Self::Stream => "event stream",
            Self::Poll => "long poll",
        })
    }
}

/// A way did not get through, and the next one was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The one that did not get through.
    pub from: Via,
    /// The one that is tried from now on.
    pub to: Via,
    /// What happened.
    pub why: String,
}

/// The way to try after this error, when it is another one. `mute` counts the connections in a row that
/// were answered and brought no sign of life.
pub(super) fn after(via: Via, error: &ClientError, mute: u32) -> Option<Via> {
    if !is_not_spoken(error) && mute < limits::MUTE_MAX {
        return None;
    }
    match via {
        Via::Socket => Some(Via::Stream),
        Via::Stream => Some(Via::Poll),
        Via::Poll => None,
    }
}

/// Whether something between here and the server does not let this way through: it answers for itself, or
/// the server saw a handshake without its upgrade.
fn is_not_spoken(error: &ClientError) -> bool {
    match error {
        ClientError::NotUnderstood { .. } | ClientError::Refused { status: 426, .. } => true,
        ClientError::Refused { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Cut { .. }
        | ClientError::Damaged { .. }
        | ClientError::File { .. }
        | ClientError::Settings(_) => false,
    }
}

/// Whether there was somebody who answered, or kept the connection without a word: a server that is not
/// there says nothing about the way to it.
pub(super) fn was_answered(error: &ClientError) -> bool {
    match error {
        ClientError::Cut { .. } | ClientError::NotUnderstood { .. } => true,
        ClientError::Refused { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Damaged { .. }
        | ClientError::File { .. }
        | ClientError::Settings(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use atg_models::ErrorCode;
    use atg_models::api::ErrorBody;

    use super::*;

    fn refused(status: u16, code: ErrorCode) -> ClientError {
        ClientError::Refused {
            status,
            body: ErrorBody {
                code,
                message: String::new(),
                details: None,
            },
            request_id: None,
            retry_after: None,
        }
    }

    #[test]
    fn a_way_that_is_not_let_through_is_left_at_once() {
        let html = ClientError::NotUnderstood {
            url: String::new(),
            problem: String::new(),
        };
        for error in [html, refused(426, ErrorCode::UpgradeRequired)] {
            assert_eq!(after(Via::Socket, &error, 0), Some(Via::Stream));
            assert_eq!(after(Via::Stream, &error, 0), Some(Via::Poll));
            assert_eq!(after(Via::Poll, &error, 0), None);
        }
    }

    #[test]
    fn what_the_server_refuses_is_refused_on_every_way() {
        let error = refused(404, ErrorCode::NotFound);
        assert_eq!(after(Via::Socket, &error, 0), None);
        assert!(!was_answered(&error));
    }

    #[test]
    fn connections_without_a_word_are_left_after_a_few() {
        let error = ClientError::Cut {
            url: String::new(),
            source: "cut".into(),
        };
        assert!(was_answered(&error));
        assert_eq!(after(Via::Socket, &error, limits::MUTE_MAX - 1), None);
        assert_eq!(after(Via::Socket, &error, limits::MUTE_MAX), Some(Via::Stream));
        let away = ClientError::Unreachable {
            url: String::new(),
            source: "away".into(),
        };
        assert!(!was_answered(&away));
    }
}
