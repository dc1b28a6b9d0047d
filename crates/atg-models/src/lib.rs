//! Ids, limits, error codes, wire types, graph values and the pure job state machine of atg.
//!
//! This crate has no async, does no I/O and knows no framework, so that any Rust tool
//! that talks to atg, or works on its graph, can depend on it. Time and randomness are
//! arguments ([`Clock`], [`IdGen`]).

pub mod api;
pub mod arm_id;
pub mod canonical;
pub mod clock;
#[cfg(test)]
mod dependencies;
pub mod environment;
pub mod error_code;
pub mod graph;
pub mod ids;
pub mod job;
pub mod limits;
pub mod secrets;
pub mod time_text;

pub use arm_id::{ArmId, ArmIdError, ArmType};
pub use clock::{Clock, IdGen};
pub use environment::Environment;
pub use error_code::ErrorCode;
pub use ids::{Fence, Generation, JobId, JobKind, NodeId, Seq, SubscriptionId, TenantId};
