//! What a reader asks about nodes that were read earlier in the scan.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_azure::{PageError, Parents};
use atg_db::{GraphStore, NodeFilter, StoreError};
use atg_models::graph::NodeKind;
use atg_models::{NodeId, TenantId};

/// Answers from the store. A failure of the store is kept for the scan: it is no gap in Azure.
pub(super) struct StoredParents {
    graph: Arc<dyn GraphStore>,
    tenant: TenantId,
    failure: Mutex<Option<StoreError>>,
}

impl StoredParents {
    pub(super) fn new(graph: Arc<dyn GraphStore>, tenant: TenantId) -> Self {
        Self {
            graph,
            tenant,
            failure: Mutex::new(None),
        }
    }

    /// The store's failure behind a page that could not be read.
    pub(super) fn take_failure(&self) -> Option<StoreError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl Parents for StoredParents {
    async fn next(&self, kind: NodeKind, after: Option<&NodeId>, limit: u32) -> Result<Vec<NodeId>, PageError> {
        let filter = NodeFilter {
            kind: Some(kind),
            observed: Some(true),
            ..NodeFilter::default()
        };
        match self.graph.find(self.tenant, filter, after.cloned(), limit, false).await {
            Ok(page) => Ok(page.items.into_iter().map(|node| node.id).collect()),
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                let reason = "the graph could not be read".to_owned();
                Err(PageError::Failed { reason })
            }
        }
    }
}
