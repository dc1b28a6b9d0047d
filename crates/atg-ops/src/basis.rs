//! Which tenant is meant, which scan of it a result rests on, and how far that scan came.

use std::sync::Arc;

use atg_db::GraphStore;
use atg_jobs::{OperationContext, OperationError};
use atg_models::api::BasedOnScan;
use atg_models::graph::{BasedOn, ScanRecord, Verdict};
use atg_models::job::JobError;
use atg_models::{ErrorCode, TenantId};

use crate::patience::patiently;
use crate::scan::gaps_of;

/// The tenant that is meant: the one that is named, else the only one that is stored.
pub(crate) async fn tenant(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    named: Option<&str>,
) -> Result<TenantId, OperationError> {
    let not_found = |message| Err(OperationError::Fatal(JobError::new(ErrorCode::TenantNotFound, message)));
    let stored = patiently(context.clock(), || graph.tenants()).await?;
    let Some(named) = named else {
        return match stored.as_slice() {
            [only] => Ok(only.tenant_id),
            [] => not_found("nothing is stored of any tenant: scan one first".to_owned()),
            [..] => not_found("several tenants are stored: name one".to_owned()),
        };
    };
    let known = named
        .parse()
        .ok()
        .filter(|tenant| stored.iter().any(|summary| summary.tenant_id == *tenant));
    match known {
        Some(tenant) => Ok(tenant),
        None => not_found(format!("nothing is stored of tenant {named}: scan it first")),
    }
}

/// The tenant's last scan. One that did not end is partial, and its ledger says what it lacks.
pub(crate) async fn of(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    tenant: TenantId,
) -> Result<BasedOnScan, OperationError> {
    let Some(record) = patiently(context.clock(), || graph.last_scan(tenant)).await? else {
        let message = format!("nothing is stored of tenant {tenant}: scan it first");
        return Err(OperationError::Fatal(JobError::new(ErrorCode::TenantNotFound, message)));
    };
    let ScanRecord {
        scan_id,
        tenant_id: _,
        generation: _,
        principal: _,
        filters: _,
        started_at,
        version: _,
        end,
        graph_digest,
    } = record;
    let graph_digest = match graph_digest {
        Some(digest) => digest,
        None => patiently(context.clock(), || graph.digest(tenant)).await?,
    };
    let ended_at = end.as_ref().map(|end| end.ended_at);
    let (verdict, gaps, not_planned) = if let Some(end) = end {
        (end.verdict, end.gaps, end.not_planned)
    } else {
        let ledger = patiently(context.clock(), || graph.ledger(scan_id)).await?;
        (Verdict::Partial, gaps_of(&ledger), Vec::new())
    };
    Ok(BasedOnScan {
        based_on: BasedOn {
            tenant_id: tenant,
            graph_digest,
            verdict,
            gaps,
            not_planned,
        },
        scan_id: Some(scan_id),
        started_at: Some(started_at),
        ended_at,
    })
}
