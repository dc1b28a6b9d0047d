//! Jobs in Neo4j, safe between any number of servers.
//!
//! Whoever changes a job takes its write lock first and reads it after that; `atg_models::job::apply` decides.
//! Submissions and claims take the lock of the one `JobQueue` node before that of any job, because they count
//! and compare several. What moves of a job stands in one property: the server lets a reader see a change of
//! several properties half done.

mod claim;
mod events;
mod insert;
mod list;
mod moved;
mod purge;
mod row;
mod store;
mod transition;
mod unsettled;

pub use store::Neo4jJobs;

pub(super) use moved::{Fixed, RELEASE, fix, queue, read_moved, write_moved};
