//! Moving all that is kept from one store to another, through one file.
//!
//! A source hands out [`Record`]s, the same from every backend, and a target takes them in; the file between them is
//! JSON lines. What has come over is proved by reading the target as if it were to be moved: equal stores give equal
//! parts, byte for byte. A target is empty before, and carries a mark until all is proved: no server starts on half of it.

mod artifacts;
mod error;
mod export;
mod import;
mod line;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod write;

use async_trait::async_trait;
use atg_models::TenantId;

pub use error::MoveError;
pub use export::{Export, Exported};
pub use import::{Checked, Import, Imported, Step, check};
pub use line::{ArtifactHead, FORMAT, Header, Manifest, Part, PartEnd};
pub use record::{
    Hex, MovedAssertion, MovedCache, MovedChange, MovedContent, MovedEdge, MovedEvent, MovedIdempotency, MovedJob,
    MovedKey, MovedLedger, MovedLookup, MovedMark, MovedNames, MovedNode, MovedPartition, MovedScan, MovedState,
    MovedTenant, Record,
};

pub(crate) use record::not_null;

use crate::StoreError;

/// Takes records as they come.
pub type Take<'t> = &'t mut (dyn FnMut(Record) -> Result<(), MoveError> + Send + 't);

/// Hands out what a store keeps. Blocks its thread while it works: for a command, not for a server.
#[async_trait]
pub trait MoveSource: Send + Sync {
    /// Which sort of store it is.
    fn store(&self) -> &'static str;

    /// Fixes what is handed out, as far as the store can; answers the tenants, by id. Comes first, and again for
    /// another try.
    async fn begin(&self) -> Result<Vec<TenantId>, MoveError>;

    /// The jobs with their logs.
    async fn jobs(&self, take: Take<'_>) -> Result<(), MoveError>;

    /// The stored API keys.
    async fn keys(&self, take: Take<'_>) -> Result<(), MoveError>;

    /// A tenant's graph, scans and caches, as one state. Answers [`crate::GraphStore::digest`] of that state.
    async fn tenant(&self, tenant: TenantId, take: Take<'_>) -> Result<String, MoveError>;
}

/// How an import began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The store was empty.
    New,
    /// What an import that did not end had left was removed.
    Again,
}

/// Takes in what another store handed out.
#[async_trait]
pub trait MoveTarget: Send + Sync {
    /// Whether an import may begin: the store is empty, but for what an import has left that did not end.
    async fn look(&self) -> Result<(), MoveError>;

    /// Marks the store, so that no server starts on it, and removes what an import has left that did not end. Refuses a
    /// store that is not empty.
    async fn begin(&self) -> Result<Begun, MoveError>;

    /// Writes records of a part, in their order.
    async fn write(&self, part: Part, records: Vec<Record>) -> Result<(), StoreError>;

    /// What was written, as it would be moved on.
    async fn written(&self) -> Result<Box<dyn MoveSource>, StoreError>;

    /// Takes the mark away.
    async fn end(&self) -> Result<(), StoreError>;
}
