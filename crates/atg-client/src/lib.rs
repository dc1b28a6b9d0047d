//! A typed async client of the atg server.
//!
//! Relies on the wire types of `atg-models`. Requests that change nothing are tried again when the
//! server cannot be reached; a broken progress stream resumes by itself, without a gap or a repetition.

mod api;
mod download;
mod error;
mod limits;
mod watch;

pub use api::{Client, JobPage};
pub use download::Downloaded;
pub use error::ClientError;
pub use watch::Watch;
