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
use atg_jobs::{Finished, Operation, OperationContext, OperationError};
use atg_models::api::{GenerateSpecRequest, ScanRequest, ScanResult};
use atg_models::graph::{Gap, LedgerEntry};
use atg_models::job::{ArtifactInfo, OnCrash, TenantUse};
use atg_models::{IdGen, JobKind};

use crate::archive;
use crate::generate_spec::{Pace, Specification};
use crate::stop::unless_stopped;

/// What a ledger says was not read.
pub(crate) fn gaps_of(ledger: &[LedgerEntry]) -> Vec<Gap> {
    decide::verdict(ledger).1
}

/// The operation.
pub struct ScanOperation {
    graph: Arc<dyn GraphStore>,
    azure: Arc<dyn Azure>,
    specification: Specification,
}

impl ScanOperation {
    /// Reads `azure` into `graph`. `ids` is for the specification that may be asked for.
    pub fn new(graph: Arc<dyn GraphStore>, azure: Arc<dyn Azure>, ids: Arc<dyn IdGen>) -> Self {
        let specification = Specification::new(Arc::clone(&graph), ids);
        Self {
            graph,
            azure,
            specification,
        }
    }

    /// Writes the specification of what was read. When that fails the scan is no less a scan: its result says so.
    async fn specify(
        &self,
        context: &dyn OperationContext,
        request: &ScanRequest,
        outcome: &mut ScanResult,
    ) -> Result<Option<ArtifactInfo>, OperationError> {
        if !request.generate_spec {
            return Ok(None);
        }
        let wanted = GenerateSpecRequest {
            tenant_id: Some(request.tenant_id),
            ..GenerateSpecRequest::default()
        };
        let pace = Pace::after_scan(outcome.resources_discovered);
        let written = async {
            let (_, files) = self.specification.write(context, &wanted, pace).await?;
            archive::publish(context, files, "ask for it alone, with a limit").await
        };
        match written.await {
            Ok(artifact) => Ok(Some(artifact)),
            Err(OperationError::Fatal(error)) => {
                outcome
                    .notes
                    .push(format!("the specification was not written: {}", error.message));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Operation for ScanOperation {
    const KIND: JobKind = JobKind::Scan;
    type Params = ScanRequest;
    type Outcome = ScanResult;

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
        let scan = async {
            let mut outcome = drive::scan(context, &self.graph, self.azure.as_ref(), &params).await?;
            let artifact = self.specify(context, &params, &mut outcome).await?;
            Ok(Finished { outcome, artifact })
        };
        // Nothing of a scan has to be put in order when it stops: a page is stored or it is not.
        unless_stopped(context, scan).await
    }
}
