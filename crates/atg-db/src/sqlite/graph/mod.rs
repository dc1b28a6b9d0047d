//! The graph in SQLite.
//!
//! Relies on one writer: a page is one transaction, so the order of pages is the only order there is,
//! and nothing that is stored depends on it. Must never: read a fence in another transaction than
//! the write that it guards.

mod apply;
mod assert;
mod changes;
mod counts;
mod edit;
mod export;
mod forget;
mod ledger;
mod lookups;
mod observe;
mod prepare;
mod read;
mod rederive;
mod scan;
mod schema;
mod store;
mod sweep;
mod tenants;
mod walk;
mod walk_all;

pub use store::SqliteGraph;

// For moving it.
pub(super) use export::digest;
pub(super) use prepare::{Packer, unpack};
pub(super) use scan::{tenant_row, verdict_word};
pub(super) use schema::{BY_BODY, BY_LOOKUP, GONE, OBSERVED, STEPS, STUB};
