//! The storage traits of atg and their backends.
//!
//! Relies on `atg-models` for every value that crosses a trait. No other crate knows SQL, Cypher
//! or `object_store`. Each trait has one behaviour suite (feature `contract`) that every backend passes.

mod artifact_store;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
#[cfg(any(test, feature = "faults"))]
pub mod faults;
mod graph_store;
mod job_store;
mod key_store;
mod limits;
mod object_artifacts;
mod observed;
pub mod sqlite;

pub use artifact_store::{ArtifactStore, ByteStream};
pub use error::StoreError;
pub use graph_store::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, Swept,
    TenantSummary,
};
pub use job_store::{Bound, Claimed, EventPage, Inserted, JobLimits, JobPage, JobStore, ScanQuota, Transition};
pub use key_store::{KeyPut, KeyStore};
pub use object_artifacts::ObjectArtifacts;
pub use observed::{ObservedArtifacts, ObservedGraph, ObservedJobs, StoreCall, StoreObserver, Unobserved};
