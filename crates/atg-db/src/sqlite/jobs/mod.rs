//! Jobs in SQLite, in a file of their own: rebuilding the graph never touches them.
//!
//! Each state change is one transaction around `atg_models::job::apply`, which decides it.

mod claim;
mod events;
mod insert;
mod list;
mod row;
mod schema;
mod store;
mod transition;

pub use store::SqliteJobs;

pub(super) use schema::STEPS;
