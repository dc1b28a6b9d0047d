//! A typed async client of the atg server.
//!
//! Relies on the wire types of `atg-models`. Requests that change nothing, and submissions that carry an
//! idempotency key, are tried again when the server cannot be reached; a broken progress stream or download
//! goes on by itself, without a gap or a repetition.

mod api;
mod download;
mod error;
mod limits;
mod submit;
mod watch;

pub use api::{Client, JobPage};
pub use download::Downloaded;
pub use error::ClientError;
pub use submit::Submitted;
pub use watch::{Fallback, Via, Watch};
