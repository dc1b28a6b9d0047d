//! The secret that a tenant's placeholders are keyed with: made once, kept in the store.

use std::sync::Arc;

use atg_db::GraphStore;
use atg_jobs::{OperationContext, OperationError};
use atg_models::{IdGen, TenantId};
use tokio::sync::Mutex;

use super::names::KEY_BYTES;
use crate::patience::patiently;

/// Where it is kept.
const NAME: &str = "specification.key";

/// Makes and finds the secrets.
pub(super) struct Keys {
    graph: Arc<dyn GraphStore>,
    ids: Arc<dyn IdGen>,
    /// Two specifications at once must not make two secrets.
    making: Mutex<()>,
}

impl Keys {
    pub(super) fn new(graph: Arc<dyn GraphStore>, ids: Arc<dyn IdGen>) -> Self {
        Self {
            graph,
            ids,
            making: Mutex::new(()),
        }
    }

    /// The tenant's secret.
    pub(super) async fn of(
        &self,
        context: &dyn OperationContext,
        tenant: TenantId,
    ) -> Result<[u8; KEY_BYTES], OperationError> {
        let _one_at_a_time = self.making.lock().await;
        if let Some(kept) = self.kept(context, tenant).await? {
            return Ok(kept);
        }
        let mut key = [0; KEY_BYTES];
        let (one, other) = key.split_at_mut(KEY_BYTES / 2);
        one.copy_from_slice(&self.ids.random_u128().to_be_bytes());
        other.copy_from_slice(&self.ids.random_u128().to_be_bytes());
        patiently(context.clock(), || self.graph.cache_put(tenant, NAME, key.to_vec())).await?;
        // Another server of the same store may have been faster or slower: what is kept counts.
        Ok(self.kept(context, tenant).await?.unwrap_or(key))
    }

    async fn kept(
        &self,
        context: &dyn OperationContext,
        tenant: TenantId,
    ) -> Result<Option<[u8; KEY_BYTES]>, OperationError> {
        let kept = patiently(context.clock(), || self.graph.cache_get(tenant, NAME)).await?;
        Ok(kept.and_then(|bytes| bytes.try_into().ok()))
    }
}
