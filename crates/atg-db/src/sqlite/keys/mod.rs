//! API keys in SQLite, in a file of their own that is not under the folder's lock: the commands change it
//! beside a running server.
//!
//! The file is small and changes rarely, so it has a rollback journal instead of a write-ahead log: there is
//! one file, and a change that was reported is on the disk.

mod row;
mod schema;
mod store;
#[cfg(test)]
mod tests;

pub use store::SqliteKeys;

pub(super) use schema::STEPS;
