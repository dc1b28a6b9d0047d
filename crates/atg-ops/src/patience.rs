//! Waits for a store that does not answer: the job goes on when it is back.

use std::future::Future;
use std::sync::Arc;

use atg_db::StoreError;
use atg_jobs::OperationError;
use atg_models::Clock;
use time::Duration;

use crate::limits::{STORE_WAIT_FIRST, STORE_WAIT_MAX};

/// Waits longer each time. The job's deadline and its token bound it.
pub(crate) struct Patience {
    clock: Arc<dyn Clock>,
    wait: Duration,
}

impl Patience {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            wait: STORE_WAIT_FIRST,
        }
    }

    /// Waits after `error` when trying again may help, else hands it on.
    pub(crate) async fn after(&mut self, error: StoreError) -> Result<(), OperationError> {
        if !error.is_retryable() {
            return Err(OperationError::Store(error));
        }
        if self.wait == STORE_WAIT_FIRST {
            tracing::warn!(error = chain(&error), "a job waits for its store");
        }
        self.clock.sleep_until(self.clock.now() + self.wait).await;
        self.wait = Duration::min(self.wait * 2, STORE_WAIT_MAX);
        Ok(())
    }
}

/// An error with its cause, which says what to do.
fn chain(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// Calls the store until it answers.
pub(crate) async fn patiently<T, F>(clock: Arc<dyn Clock>, mut call: impl FnMut() -> F) -> Result<T, OperationError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut patience = Patience::new(clock);
    loop {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => patience.after(error).await?,
        }
    }
}
