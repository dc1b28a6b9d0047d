//! Graph values: what a scan writes and every other operation reads.
//!
//! Relies on: ids that are canonical already. Must never: hold a secret (bodies are redacted
//! before they become an [`Observation`]) or anything of how a store keeps it.

mod batch;
mod kind;
mod ledger;
mod node;
mod relation;
mod scan;

pub use batch::{Alias, AliasKind, AssertedEdge, EdgeEnd, EndDirection, GraphBatch, ListedEdge, Lookup, Observation};
pub use kind::NodeKind;
pub use ledger::{
    CollectionKey, CollectionState, LedgerEntry, LedgerProgress, Partition, PartitionKey, PlannedCollection,
};
pub use node::{Node, Source};
pub use relation::Relation;
pub use scan::{
    BasedOn, Gap, NotPlanned, ScanCounts, ScanEnd, ScanFilters, ScanHandle, ScanRecord, ScanStart, Verdict,
};
