//! Rows that somebody removes while they are read.
//!
//! The server finds a node first and reads its properties after that, and holds nothing meanwhile: of one that is
//! removed in between, what is left to read is null. Read once more, it is not there at all. What cannot be read
//! time and again is damaged.

use crate::StoreError;
use crate::neo4j::limits::READINGS;

/// Reads, and reads again what cannot be understood.
pub(crate) async fn reread<T, F>(read: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 1..READINGS {
        match read().await {
            Err(StoreError::Corrupt { .. }) => {}
            done => return done,
        }
    }
    read().await
}
