//! The job engine: claim, lease, run, cancel, recover, stream. Knows no operation by name.

mod operation;

pub use operation::{Finished, Operation, OperationContext, OperationError, OperationLimits};
