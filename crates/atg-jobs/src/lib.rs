//! The job engine: claim, lease, run, cancel, recover, stream. Knows no operation by name.
//!
//! Relies on a [`atg_db::JobStore`] for every state and on the pure machine of `atg-models` for
//! every change. Must never: hold a job's state in memory only, or end with an operation.

mod attempt;
mod driver;
mod engine;
mod hub;
mod journal;
pub mod limits;
mod news;
mod operation;
mod pages;
mod plan;
mod reader;
mod registry;
mod scribe;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use engine::{Engine, Parts, Settings, ShutdownReport};
pub use hub::{Hub, Listener};
pub use operation::{Finished, Operation, OperationContext, OperationError, OperationLimits};
pub use pages::SharedEvent;
pub use reader::{EventReader, Item};
pub use registry::Registry;
