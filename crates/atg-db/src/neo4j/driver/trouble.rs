//! What goes wrong on the way to the server and back, by what can be done about it.

use std::time::Duration;

use neo4rs::{Error, Neo4jClientErrorKind, Neo4jErrorKind};

use super::advice::{self, advised};
use crate::StoreError;

/// Inside a transaction, until the boundary says what was being done.
pub(crate) type Outcome<T> = Result<T, Trouble>;

pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error on its way out of a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It was not carried out: the server is away, full, or does not let us in.
    #[error("refused: {0}")]
    Refused(Cause),
    /// The server gave it up for a passing reason (deadlock, lock not free in time): all of it again.
    #[error("given up: {0}")]
    Transient(Cause),
    /// No answer, or half of one: it may have been carried out.
    #[error("end unknown: {0}")]
    Unknown(Cause),
    /// No answer in time: as unknown, and whoever tries again may wait as long again.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// A unique key is taken.
    #[error("a unique key is taken: {0}")]
    Taken(Cause),
    /// The statement, or what it found, is not what this version expects.
    #[error("{0}")]
    Unreadable(String),
    /// Said already.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Trouble {
    /// Whether the same transaction may end well in a moment.
    pub(crate) const fn may_pass_soon(&self) -> bool {
        matches!(self, Self::Transient(_) | Self::Unknown(_) | Self::Silent(_))
    }

    /// Adds what the store was doing.
    pub(crate) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Refused(source) | Self::Transient(source) | Self::Unknown(source) => {
                StoreError::Unavailable { doing, source }
            }
            silent @ Self::Silent(_) => StoreError::Unavailable {
                doing,
                source: silent.to_string().into(),
            },
            Self::Taken(cause) => StoreError::Corrupt {
                doing,
                problem: cause.to_string(),
            },
            Self::Unreadable(problem) => StoreError::Corrupt { doing, problem },
        }
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Codes of the server that say neither `TransientError` nor what they mean for us.
const GIVEN_UP: &[&str] = &[
    // Somebody removed the node while its lock was waited for.
    "Neo.ClientError.Statement.EntityNotFound",
    "Neo.ClientError.Transaction.LockClientStopped",
    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.Terminated",
];
/// Codes of the server that do not say that somebody can mend this: the statement was right, and not carried out.
const REFUSED: &[&str] = &["Neo.ClientError.General.WriteOnReadOnlyAccessDatabase"];
/// What the server calls the memory that one transaction may take. The same one takes as much the next time.
const OWN_MEMORY: &str = "db.memory.transaction.max";
const TAKEN: &str = "Neo.ClientError.Schema.ConstraintValidationFailed";

impl From<Error> for Trouble {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the driver's list of errors is open")]
    fn from(error: Error) -> Self {
        match &error {
            Error::Neo4j(said) => match said.kind() {
                Neo4jErrorKind::Transient if said.message().contains(OWN_MEMORY) => Self::Refused(advised(error)),
                Neo4jErrorKind::Transient => Self::Transient(advised(error)),
                _ if REFUSED.contains(&said.code()) => Self::Refused(advised(error)),
                _ if GIVEN_UP.contains(&said.code()) => Self::Transient(advised(error)),
                _ if said.code() == TAKEN => Self::Taken(advised(error)),
                Neo4jErrorKind::Client(
                    Neo4jClientErrorKind::Security(_)
                    | Neo4jClientErrorKind::FatalDiscovery
                    // The database takes no writes, or this server does not lead it.
                    | Neo4jClientErrorKind::SessionExpired,
                )
                // A full disk and the like: the server says that it could not.
                | Neo4jErrorKind::Database
                | Neo4jErrorKind::Unknown => Self::Refused(advised(error)),
                Neo4jErrorKind::Client(_) => Self::Unreadable(error.to_string()),
            },
            Error::IOError { detail } if is_refusal(detail) => Self::Refused(advised(error)),
            Error::AuthenticationError(_)
            | Error::UrlParseError(_)
            | Error::UnsupportedScheme(_)
            | Error::InvalidDnsName(_)
            | Error::InvalidConfig
            | Error::UnsupportedVersion(..)
            | Error::ProtocolMismatch(_)
            | Error::RoutingTableError(_)
            | Error::RoutingTableRefreshFailed(_)
            | Error::ServerUnavailableError(_)
            | Error::RequestIgnoredError
            | Error::ConnectionError => Self::Refused(advised(error)),
            // The others: half an answer, or one that is not Bolt. Whatever it was an answer to may have been done.
            _ => Self::Unknown(advised(error)),
        }
    }
}

/// Whether no connection came about, so that nothing can have been carried out.
fn is_refusal(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    let refused = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::AddrNotAvailable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotFound
    );
    refused || advice::is_unknown_host(error) || advice::certificate_problem(error).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_io(kind: std::io::ErrorKind) -> Trouble {
        Trouble::from(Error::IOError {
            detail: std::io::Error::from(kind),
        })
    }

    #[test]
    fn a_lost_connection_is_unknown_and_a_refused_one_is_not() {
        assert!(matches!(of_io(std::io::ErrorKind::UnexpectedEof), Trouble::Unknown(_)));
        assert!(matches!(Trouble::from(Error::ConnectionTimedOut), Trouble::Unknown(_)));
        assert!(matches!(
            Trouble::from(Error::IncompleteBoltExchange),
            Trouble::Unknown(_)
        ));
        assert!(matches!(
            of_io(std::io::ErrorKind::ConnectionRefused),
            Trouble::Refused(_)
        ));
    }

    #[test]
    fn what_is_not_bolt_says_nothing_about_the_data() {
        let errors = [
            Error::ConversionError,
            Error::UnknownMessage("unknown message 48".to_owned()),
            Error::InvalidTypeMarker("invalid string marker".to_owned()),
        ];
        for error in errors {
            assert!(matches!(Trouble::from(error), Trouble::Unknown(_)));
        }
    }

    #[test]
    fn every_trouble_on_the_way_is_one_to_try_again_after() {
        for trouble in [
            of_io(std::io::ErrorKind::UnexpectedEof),
            of_io(std::io::ErrorKind::ConnectionRefused),
            Trouble::from(Error::AuthenticationError("wrong password".to_owned())),
            Trouble::Silent(Duration::from_secs(1)),
        ] {
            assert!(trouble.while_doing("testing").is_retryable());
        }
    }
}
