//! The graph in Neo4j.
//!
//! Relies on one writer a tenant: every transaction that writes first takes the lock of the tenant's record
//! (`scan::hold`), so what it reads after that stands still until its end. Whoever changes the graph raises
//! the record's `rev` (`scan::changed`); a reader of many pages compares it at its beginning and its end.
//! Must never: read a fence in another transaction than the write that it guards.

mod apply;
mod changes;
mod counts;
mod delete;
mod edge_pages;
mod edit;
mod export;
mod forget;
mod keys;
mod ledger;
mod moved;
mod moved_rows;
mod node_pages;
mod read;
mod rederive;
mod scan;
mod store;
mod streams;
mod sweep;
mod tenants;
#[cfg(test)]
mod tests;
mod walk;

pub use store::Neo4jGraph;

// For moving it.
pub(super) use edit::write_moved;
pub(super) use moved::tenant as read_moved;
#[cfg(test)]
pub(super) use tests::asked;
