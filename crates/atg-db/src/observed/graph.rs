//! A graph store whose calls are seen.

use std::sync::Arc;

use async_trait::async_trait;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Node, PartitionKey, PlannedCollection,
    ScanEnd, ScanHandle, ScanRecord, ScanStart,
};
use atg_models::{Clock, JobId, NodeId, TenantId};
use futures_util::stream::BoxStream;

use super::{StoreObserver, Watch};
use crate::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, StoreError,
    Swept, TenantSummary,
};

/// A graph store whose calls are seen.
pub struct ObservedGraph {
    inner: Arc<dyn GraphStore>,
    watch: Watch,
}

impl ObservedGraph {
    /// Shows the calls to `inner`.
    pub fn new(inner: Arc<dyn GraphStore>, observer: Arc<dyn StoreObserver>, clock: Arc<dyn Clock>) -> Self {
        let store = "graph";
        Self {
            inner,
            watch: Watch { store, observer, clock },
        }
    }
}

#[async_trait]
impl GraphStore for ObservedGraph {
    async fn begin_scan(&self, start: ScanStart) -> Result<ScanHandle, StoreError> {
        self.watch.call("begin_scan", self.inner.begin_scan(start)).await
    }

    async fn plan(&self, scan: ScanHandle, collections: Vec<PlannedCollection>) -> Result<(), StoreError> {
        self.watch.call("plan", self.inner.plan(scan, collections)).await
    }

    async fn ledger(&self, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError> {
        self.watch.call("ledger", self.inner.ledger(scan_id)).await
    }

    async fn apply(
        &self,
        scan: ScanHandle,
        batch: GraphBatch,
        progress: LedgerProgress,
    ) -> Result<Applied, StoreError> {
        self.watch.call("apply", self.inner.apply(scan, batch, progress)).await
    }

    async fn settle(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        state: CollectionState,
    ) -> Result<(), StoreError> {
        self.watch
            .call("settle", self.inner.settle(scan, collection, state))
            .await
    }

    async fn restart_partition(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        partition: &PartitionKey,
    ) -> Result<(), StoreError> {
        self.watch
            .call(
                "restart_partition",
                self.inner.restart_partition(scan, collection, partition),
            )
            .await
    }

    async fn sweep(&self, scan: ScanHandle, collection: &CollectionKey) -> Result<Swept, StoreError> {
        self.watch.call("sweep", self.inner.sweep(scan, collection)).await
    }

    async fn finish_scan(&self, scan: ScanHandle, end: ScanEnd) -> Result<ScanRecord, StoreError> {
        self.watch.call("finish_scan", self.inner.finish_scan(scan, end)).await
    }

    async fn scan(&self, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError> {
        self.watch.call("scan", self.inner.scan(scan_id)).await
    }

    async fn last_scan(&self, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError> {
        self.watch.call("last_scan", self.inner.last_scan(tenant)).await
    }

    async fn node(&self, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError> {
        self.watch.call("node", self.inner.node(tenant, id)).await
    }

    async fn find(
        &self,
        tenant: TenantId,
        filter: NodeFilter,
        after: Option<NodeId>,
        limit: u32,
        bodies: bool,
    ) -> Result<Page<Node>, StoreError> {
        self.watch
            .call("find", self.inner.find(tenant, filter, after, limit, bodies))
            .await
    }

    async fn neighbourhood(
        &self,
        tenant: TenantId,
        id: &NodeId,
        depth: u32,
        budget: u32,
    ) -> Result<Neighbourhood, StoreError> {
        self.watch
            .call("neighbourhood", self.inner.neighbourhood(tenant, id, depth, budget))
            .await
    }

    async fn shortest_path(
        &self,
        tenant: TenantId,
        from: &NodeId,
        to: &NodeId,
        budget: u32,
    ) -> Result<(Option<Vec<Hop>>, bool), StoreError> {
        self.watch
            .call("shortest_path", self.inner.shortest_path(tenant, from, to, budget))
            .await
    }

    async fn counts(&self, tenant: TenantId) -> Result<Counts, StoreError> {
        self.watch.call("counts", self.inner.counts(tenant)).await
    }

    async fn snapshot(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError> {
        self.watch.call("snapshot", self.inner.snapshot(tenant)).await
    }

    async fn edges(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError> {
        self.watch.call("edges", self.inner.edges(tenant)).await
    }

    async fn export(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError> {
        self.watch.call("export", self.inner.export(tenant)).await
    }

    async fn digest(&self, tenant: TenantId) -> Result<String, StoreError> {
        self.watch.call("digest", self.inner.digest(tenant)).await
    }

    async fn changes(&self, scan_id: JobId, after: Option<NodeId>, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.watch
            .call("changes", self.inner.changes(scan_id, after, limit))
            .await
    }

    async fn rederive(&self, scan: ScanHandle, derive: Derive) -> Result<u64, StoreError> {
        self.watch.call("rederive", self.inner.rederive(scan, derive)).await
    }

    async fn tenants(&self) -> Result<Vec<TenantSummary>, StoreError> {
        self.watch.call("tenants", self.inner.tenants()).await
    }

    async fn delete_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        self.watch.call("delete_tenant", self.inner.delete_tenant(tenant)).await
    }

    async fn cache_get(&self, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.watch.call("cache_get", self.inner.cache_get(tenant, key)).await
    }

    async fn cache_put(&self, tenant: TenantId, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.watch
            .call("cache_put", self.inner.cache_put(tenant, key, value))
            .await
    }

    async fn health(&self) -> Health {
        self.watch.health(self.inner.health()).await
    }
}
