//! `scan`: reads a tenant into the graph, page by page, and accounts for what it read.
//!
//! Relies on a [`atg_azure::TenantReader`] for pages and on the ledger in the [`GraphStore`] for everything that
//! must outlive the process. Must never: write before the tenant is proved to be the right one, or
//! remove anything of a collection that was not read whole.

mod board;
mod decide;
mod drive;
mod limit;
mod parents;
mod read;
mod tally;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use atg_azure::Azure;
use atg_db::GraphStore;
use atg_jobs::{Finished, Operation, OperationContext, OperationError, OperationLimits};
use atg_models::JobKind;
use atg_models::api::{ScanRequest, ScanResult};
use atg_models::graph::{Gap, LedgerEntry};
use atg_models::job::{OnCrash, TenantUse};
use atg_models::limits::{ATTEMPT_DEADLINE, ATTEMPTS_MAX};

/// What a ledger says was not read.
pub(crate) fn gaps_of(ledger: &[LedgerEntry]) -> Vec<Gap> {
    decide::verdict(ledger).1
}

/// The operation.
pub struct ScanOperation {
    graph: Arc<dyn GraphStore>,
    azure: Arc<dyn Azure>,
}

impl ScanOperation {
    /// Reads `azure` into `graph`.
    pub fn new(graph: Arc<dyn GraphStore>, azure: Arc<dyn Azure>) -> Self {
        Self { graph, azure }
    }
}

#[async_trait]
impl Operation for ScanOperation {
    const KIND: JobKind = JobKind::Scan;
    type Params = ScanRequest;
    type Outcome = ScanResult;

    fn limits(&self) -> OperationLimits {
        OperationLimits {
            deadline: ATTEMPT_DEADLINE,
            max_attempts: ATTEMPTS_MAX,
        }
    }

    /// The ledger says where to go on.
    fn on_crash(&self) -> OnCrash {
        OnCrash::Rerun
    }

    fn tenant_use(&self) -> TenantUse {
        TenantUse::Exclusive
    }

    async fn run(
        &self,
        context: &dyn OperationContext,
        params: ScanRequest,
    ) -> Result<Finished<ScanResult>, OperationError> {
        let cancelled = context.cancelled();
        let scan = drive::scan(context, &self.graph, self.azure.as_ref(), &params);
        // Nothing of a scan has to be put in order when it stops: a page is stored or it is not.
        let outcome = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(OperationError::Stopped),
            outcome = scan => outcome?,
        };
        Ok(Finished {
            outcome,
            artifact: None,
        })
    }
}
