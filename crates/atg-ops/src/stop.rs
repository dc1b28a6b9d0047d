//! Stopping when the job is to stop.

use atg_jobs::{OperationContext, OperationError};

/// What comes of `work`, unless the job is to stop before: the work is then dropped where it stands, so it has to
/// leave nothing half done between two of its waits.
pub(crate) async fn unless_stopped<T>(
    context: &dyn OperationContext,
    work: impl Future<Output = Result<T, OperationError>> + Send,
) -> Result<T, OperationError> {
    let cancelled = context.cancelled();
    tokio::select! {
        biased;
        () = cancelled.cancelled() => Err(OperationError::Stopped),
        ended = work => ended,
    }
}
