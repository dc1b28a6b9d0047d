//! Requests to Azure, as the readers count them.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_azure::{Azure, AzureError, CallCounts, PageError, PageRead, Parents, ReaderOptions, ScanPlan, TenantReader};
use atg_models::TenantId;
use atg_models::graph::{CollectionKey, PartitionKey, ScanFilters};
use tokio_util::sync::CancellationToken;

use super::{Meters, Metric};

/// Opens readers whose requests are counted.
pub(crate) struct MeteredAzure {
    inner: Arc<dyn Azure>,
    meters: Arc<Meters>,
}

impl MeteredAzure {
    /// Counts the requests of `inner`.
    pub(crate) fn new(inner: Arc<dyn Azure>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[async_trait]
impl Azure for MeteredAzure {
    async fn reader(&self, tenant: TenantId, options: ReaderOptions) -> Result<Arc<dyn TenantReader>, AzureError> {
        Ok(Arc::new(MeteredReader {
            inner: self.inner.reader(tenant, options).await?,
            meters: Arc::clone(&self.meters),
            counted: Mutex::default(),
        }))
    }
}

struct MeteredReader {
    inner: Arc<dyn TenantReader>,
    meters: Arc<Meters>,
    /// What of the reader's counts is in the metrics.
    counted: Mutex<CallCounts>,
}

impl MeteredReader {
    fn count(&self) {
        let mut held = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        // A guard lends one field at a time.
        let counted = &mut *held;
        let CallCounts {
            calls,
            throttled,
            errors,
        } = self.inner.calls();
        for (metric, now, before) in [
            (Metric::AzureCalls, calls, &mut counted.calls),
            (Metric::AzureThrottled, throttled, &mut counted.throttled),
            (Metric::AzureErrors, errors, &mut counted.errors),
        ] {
            self.meters.add(metric, &[], now.saturating_sub(*before));
            *before = now;
        }
    }
}

/// A request that was under way when its scan was stopped is counted as well.
impl Drop for MeteredReader {
    fn drop(&mut self) {
        self.count();
    }
}

#[async_trait]
impl TenantReader for MeteredReader {
    fn tenant(&self) -> TenantId {
        self.inner.tenant()
    }

    async fn plan(&self, filters: &ScanFilters, cancelled: &CancellationToken) -> Result<ScanPlan, PageError> {
        let plan = self.inner.plan(filters, cancelled).await;
        self.count();
        plan
    }

    async fn page(
        &self,
        collection: &CollectionKey,
        partition: &PartitionKey,
        cursor: Option<&str>,
        parents: &dyn Parents,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError> {
        let page = self.inner.page(collection, partition, cursor, parents, cancelled).await;
        self.count();
        page
    }

    fn calls(&self) -> CallCounts {
        self.inner.calls()
    }
}
