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

/// What [`migrate`] would do. Writes nothing.
///
/// # Errors
/// The server does not answer, or a newer version has written the database ([`StoreError::TooNew`]).
pub async fn pending_migrations(config: &Neo4jConfig) -> Result<Vec<Migration>, StoreError> {
    migrations::pending(&driver::Driver::new(config)?).await
}

/// Brings the database to the schema of this version, and answers what was done for that.
///
/// # Errors
/// As [`pending_migrations`].
pub async fn migrate(config: &Neo4jConfig) -> Result<Vec<Migration>, StoreError> {
    migrations::migrate(&driver::Driver::new(config)?).await
}
