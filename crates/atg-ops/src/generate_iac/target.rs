//! What is known of the tenant that code is written for, when it is not the one that is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use atg_db::{GraphStore, NodeFilter};
use atg_jobs::{OperationContext, OperationError};
use atg_models::TenantId;
use atg_models::api::{GenerateIacRequest, ImportStrategy};
use atg_models::limits::NODE_PAGE_MAX_ROWS;

use crate::patience::patiently;

/// The ids that the graph holds of the target, where selective imports ask for them. `None`: the target is the tenant
/// itself, or nothing is stored of it.
pub(super) async fn known(
    context: &dyn OperationContext,
    graph: &Arc<dyn GraphStore>,
    request: &GenerateIacRequest,
    source: TenantId,
) -> Result<Option<BTreeSet<String>>, OperationError> {
    let selective = request.auto_import_existing && request.import_strategy == ImportStrategy::Selective;
    let (Some(target), Some(subscription)) = (request.target_tenant_id, request.target_subscription) else {
        return Ok(None);
    };
    if !selective || target == source {
        return Ok(None);
    }
    let filter = NodeFilter {
        subscription_id: Some(subscription.to_string()),
        observed: Some(true),
        ..NodeFilter::default()
    };
    let mut ids = BTreeSet::new();
    let mut after = None;
    loop {
        let page = patiently(context.clock(), || {
            graph.find(target, filter.clone(), after.clone(), NODE_PAGE_MAX_ROWS, false)
        })
        .await?;
        ids.extend(page.items.iter().map(|node| node.id.as_str().to_owned()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok((!ids.is_empty()).then_some(ids))
}
