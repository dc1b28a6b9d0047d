//! Moving a data folder's stores.
//!
//! What is read is read beside a running server, from one state of each file: jobs first, as a backup does. What is
//! written goes through the stores' own writers into a folder that nobody else holds.

mod graph_read;
mod graph_write;
mod jobs;
mod source;
mod target;

pub use source::SqliteSource;
pub use target::SqliteTarget;

pub(super) use target::{forget_unfinished, is_unfinished};
