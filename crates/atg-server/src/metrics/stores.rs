//! Calls to the stores, and the jobs whose end passes through one.

use std::sync::Arc;

use atg_db::{StoreCall, StoreError, StoreObserver};
use atg_models::api::JobStatus;
use atg_models::job::JobRecord;
use time::Duration;

use super::{Meters, Metric};

/// Counts what `next` sees as well.
pub(crate) struct MeteredStores {
    pub(super) meters: Arc<Meters>,
    pub(super) next: Arc<dyn StoreObserver>,
}

impl Meters {
    /// An observer of the stores that counts, and lets `next` see the same.
    pub(crate) fn observing(self: &Arc<Self>, next: Arc<dyn StoreObserver>) -> Arc<dyn StoreObserver> {
        Arc::new(MeteredStores {
            meters: Arc::clone(self),
            next,
        })
    }
}

impl StoreObserver for MeteredStores {
    fn begins(&self, call: StoreCall) -> Result<(), StoreError> {
        self.next.begins(call)
    }

    fn ended(&self, call: StoreCall, took: Duration, error: Option<&StoreError>) {
        let outcome = match error {
            None => "ok",
            Some(error) if error.is_retryable() => "unavailable",
            Some(_) => "refused",
        };
        let labels = [call.store, call.name, outcome];
        self.meters.took(Metric::StoreSeconds, &labels, took);
        self.next.ended(call, took, error);
    }

    fn changed(&self, job: &JobRecord) {
        let status = JobStatus::from(job.machine.state);
        if status.is_terminal() {
            let kind = job.id.kind().as_str();
            self.meters.add(Metric::JobsEnded, &[kind, status.as_str()], 1);
            if let (Some(started_at), Some(completed_at)) = (job.started_at, job.completed_at) {
                self.meters.took(Metric::JobSeconds, &[kind], completed_at - started_at);
            }
        }
        self.next.changed(job);
    }
}
