//! The backend for more than one server: graph, jobs and keys in one Neo4j.
//!
//! Relies on read-committed isolation and nothing more: whoever decides from what it has read takes the
//! write lock of the node that decides first (`SET x._lock = …`), and reads after it. Must never splice a
//! value into a statement: texts are fixed, and labels and relationship types come from closed enums.

#[cfg(any(test, feature = "contract"))]
mod by_hand;
mod config;
mod driver;
mod graph;
mod jobs;
mod keys;
mod limits;
mod migrations;
mod moving;
mod replicas;
mod schema;
mod stores;
#[cfg(test)]
mod tests;

use crate::StoreError;

#[cfg(any(test, feature = "contract"))]
pub use by_hand::{ByHand, Portion};
pub use config::Neo4jConfig;
pub use graph::Neo4jGraph;
pub use jobs::Neo4jJobs;
pub use keys::Neo4jKeys;
pub use migrations::Migration;
pub use moving::{Neo4jSource, Neo4jTarget};
pub use replicas::Neo4jReplicas;
pub use stores::Stores;

/// How the driver says that the other side went in the middle of a word.
const CLOSED: &str = "early eof";

/// What [`migrate`] would do. Writes nothing.
///
/// # Errors
/// The server does not answer, or a newer version has written the database ([`StoreError::TooNew`]).
pub async fn pending_migrations(config: &Neo4jConfig) -> Result<Vec<Migration>, StoreError> {
    let driver = driver::Driver::new(config)?;
    let pending = migrations::pending(&driver).await;
    match pending {
        Ok(pending) => Ok(pending),
        Err(error) => Err(explained(error, config).await),
    }
}

/// Brings the database to the schema of this version, and answers what was done for that.
///
/// # Errors
/// As [`pending_migrations`].
pub async fn migrate(config: &Neo4jConfig) -> Result<Vec<Migration>, StoreError> {
    let driver = driver::Driver::new(config)?;
    let done = migrations::migrate(&driver).await;
    match done {
        Ok(done) => Ok(done),
        Err(error) => Err(explained(error, config).await),
    }
}

/// The first contact went wrong: why, where the error itself does not say it.
async fn explained(error: StoreError, config: &Neo4jConfig) -> StoreError {
    let error = match config.uri.strip_prefix("neo4j") {
        Some(rest) if error.is_retryable() => of_one_server(rest, config).await.unwrap_or(error),
        Some(_) | None => error,
    };
    let is_plain = ["bolt://", "neo4j://"]
        .iter()
        .any(|plain| config.uri.starts_with(plain));
    let StoreError::Unavailable { doing, source } = error else {
        return error;
    };
    if !is_plain || !source.to_string().ends_with(CLOSED) {
        return StoreError::Unavailable { doing, source };
    }
    let source = format!("{source} (a server that asks for TLS closes like this: use bolt+s:// or neo4j+s://)");
    StoreError::Unavailable {
        doing,
        source: source.into(),
    }
}

/// A cluster's client says that no server was named to it; the server of the address says why.
async fn of_one_server(rest: &str, config: &Neo4jConfig) -> Option<StoreError> {
    let direct = Neo4jConfig {
        uri: format!("bolt{rest}"),
        ..config.clone()
    };
    let asked = async { migrations::pending(&driver::Driver::new(&direct)?).await };
    asked.await.err()
}
