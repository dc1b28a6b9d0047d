//! A graph that fails on purpose.

use std::sync::Arc;

use async_trait::async_trait;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Node, PartitionKey, PlannedCollection,
    ScanEnd, ScanHandle, ScanRecord, ScanStart,
};
use atg_models::{JobId, NodeId, TenantId};
use futures_util::stream::BoxStream;

use crate::faults::{FaultPoint, Faults};
use crate::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, StoreError,
    Swept, TenantSummary,
};

/// A graph store whose writes fail when they are told to.
pub struct FaultyGraphStore {
    inner: Arc<dyn GraphStore>,
    faults: Faults,
}

impl FaultyGraphStore {
    /// Over another store.
    pub fn new(inner: Arc<dyn GraphStore>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl GraphStore for FaultyGraphStore {
    async fn begin_scan(&self, start: ScanStart) -> Result<ScanHandle, StoreError> {
        let work = self.inner.begin_scan(start);
        self.faults.around(FaultPoint::BeginScan, work).await
    }

    async fn plan(&self, scan: ScanHandle, collections: Vec<PlannedCollection>) -> Result<(), StoreError> {
        let work = self.inner.plan(scan, collections);
        self.faults.around(FaultPoint::PlanScan, work).await
    }

    async fn ledger(&self, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError> {
        self.inner.ledger(scan_id).await
    }

    async fn apply(
        &self,
        scan: ScanHandle,
        batch: GraphBatch,
        progress: LedgerProgress,
    ) -> Result<Applied, StoreError> {
        let work = self.inner.apply(scan, batch, progress);
        self.faults.around(FaultPoint::ApplyPage, work).await
    }

    async fn settle(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        state: CollectionState,
    ) -> Result<(), StoreError> {
        let work = self.inner.settle(scan, collection, state);
        self.faults.around(FaultPoint::SettleCollection, work).await
    }

    async fn restart_partition(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        partition: &PartitionKey,
    ) -> Result<(), StoreError> {
        let work = self.inner.restart_partition(scan, collection, partition);
        self.faults.around(FaultPoint::RestartPartition, work).await
    }

    async fn sweep(&self, scan: ScanHandle, collection: &CollectionKey) -> Result<Swept, StoreError> {
        let work = self.inner.sweep(scan, collection);
        self.faults.around(FaultPoint::SweepCollection, work).await
    }

    async fn finish_scan(&self, scan: ScanHandle, end: ScanEnd) -> Result<ScanRecord, StoreError> {
        let work = self.inner.finish_scan(scan, end);
        self.faults.around(FaultPoint::FinishScan, work).await
    }

    async fn scan(&self, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError> {
        self.inner.scan(scan_id).await
    }

    async fn last_scan(&self, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError> {
        self.inner.last_scan(tenant).await
    }

    async fn node(&self, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError> {
        self.inner.node(tenant, id).await
    }

    async fn find(
        &self,
        tenant: TenantId,
        filter: NodeFilter,
        after: Option<NodeId>,
        limit: u32,
        bodies: bool,
    ) -> Result<Page<Node>, StoreError> {
        self.inner.find(tenant, filter, after, limit, bodies).await
    }

    async fn neighbourhood(
        &self,
        tenant: TenantId,
        id: &NodeId,
        depth: u32,
        budget: u32,
    ) -> Result<Neighbourhood, StoreError> {
        self.inner.neighbourhood(tenant, id, depth, budget).await
    }

    async fn shortest_path(
        &self,
        tenant: TenantId,
        from: &NodeId,
        to: &NodeId,
        budget: u32,
    ) -> Result<(Option<Vec<Hop>>, bool), StoreError> {
        self.inner.shortest_path(tenant, from, to, budget).await
    }

    async fn counts(&self, tenant: TenantId) -> Result<Counts, StoreError> {
        self.inner.counts(tenant).await
    }

    async fn snapshot(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError> {
        self.inner.snapshot(tenant).await
    }

    async fn edges(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError> {
        self.inner.edges(tenant).await
    }

    async fn export(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError> {
        self.inner.export(tenant).await
    }

    async fn digest(&self, tenant: TenantId) -> Result<String, StoreError> {
        self.inner.digest(tenant).await
    }

    async fn changes(&self, scan_id: JobId, after: Option<NodeId>, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.inner.changes(scan_id, after, limit).await
    }

    async fn rederive(&self, scan: ScanHandle, derive: Derive) -> Result<u64, StoreError> {
        let work = self.inner.rederive(scan, derive);
        self.faults.around(FaultPoint::RederiveEdges, work).await
    }

    async fn tenants(&self) -> Result<Vec<TenantSummary>, StoreError> {
        self.inner.tenants().await
    }

    async fn delete_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let work = self.inner.delete_tenant(tenant);
        self.faults.around(FaultPoint::DeleteTenant, work).await
    }

    async fn cache_get(&self, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.cache_get(tenant, key).await
    }

    async fn cache_put(&self, tenant: TenantId, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        let work = self.inner.cache_put(tenant, key, value);
        self.faults.around(FaultPoint::PutCache, work).await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }
}
