//! What goes wrong inside a transaction, until the boundary says what was being done.

use rusqlite::ErrorCode;

use crate::StoreError;

/// An error on its way out of a transaction.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite's.
    Sql(rusqlite::Error),
    /// A row that does not hold what this version writes.
    Row(String),
    /// Said already.
    Store(StoreError),
}

/// Inside a transaction.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Row(error.to_string())
    }
}

impl Fault {
    /// Adds what the store was doing.
    pub(crate) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Row(problem) => StoreError::Corrupt { doing, problem },
            Self::Sql(error) if is_passing(&error) => StoreError::Unavailable {
                doing,
                source: Box::new(error),
            },
            Self::Sql(error) => StoreError::Corrupt {
                doing,
                problem: error.to_string(),
            },
        }
    }
}

/// Whether the error lies with the disk or the moment, not with what the file holds.
fn is_passing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OperationInterrupted
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::ReadOnly
        )
    )
}

/// An error of the file system is always one to try again after.
pub(crate) fn unavailable(doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    move |source| StoreError::Unavailable {
        doing,
        source: Box::new(source),
    }
}

/// A store that has stopped.
pub(crate) fn stopped(doing: &'static str) -> StoreError {
    StoreError::Unavailable {
        doing,
        source: "the store has stopped".into(),
    }
}

/// SQLite's integers are signed; what does not fit is far beyond every bound here.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Counts and sequences are never negative.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// Times are kept as nanoseconds since 1970, which lasts until 2262.
pub(crate) fn nanos(at: time::OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos()).unwrap_or(i64::MAX)
}

/// The counterpart of [`nanos`].
pub(crate) fn moment(nanos: i64) -> Outcome<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)).map_err(|error| Fault::Row(error.to_string()))
}

/// Reads back what this program printed.
pub(crate) fn parsed<T: std::str::FromStr>(text: &str) -> Outcome<T> {
    text.parse()
        .map_err(|_| Fault::Row(format!("unreadable value {text:?}")))
}
