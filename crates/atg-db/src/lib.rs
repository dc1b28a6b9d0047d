//! The storage traits of atg and their backends.
//!
//! Relies on `atg-models` for every value that crosses a trait. No other crate knows SQL, Cypher
//! or `object_store`. Each trait has one behaviour suite (feature `contract`) that every backend passes.

mod artifact_place;
mod artifact_store;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
#[cfg(any(test, feature = "faults"))]
pub mod faults;
mod graph_rules;
mod graph_store;
mod job_rules;
mod job_store;
mod key_store;
mod limits;
pub mod moving;
#[cfg_attr(not(test), allow(dead_code, reason = "the stores on it follow"))]
pub mod neo4j;
mod object_artifacts;
mod observed;
mod replica_store;
pub mod sqlite;
mod stores;

pub use artifact_place::{ArtifactPlace, AzureContainer};
pub use artifact_store::{ArtifactStore, ByteStream};
pub use error::StoreError;
pub use graph_store::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, Swept,
    TenantSummary,
};
pub use job_store::{Bound, Claimed, EventPage, Inserted, JobLimits, JobPage, JobStore, News, ScanQuota, Transition};
pub use key_store::{KeyPut, KeyStore};
pub use object_artifacts::{ObjectArtifacts, PlaceProblem};
pub use observed::{ObservedArtifacts, ObservedGraph, ObservedJobs, StoreCall, StoreObserver, Unobserved};
pub use replica_store::{Back, Grant, KeptTicket, ReplicaStore};
pub use stores::Stores;
