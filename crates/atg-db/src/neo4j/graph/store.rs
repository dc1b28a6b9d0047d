//! The trait, method by method: each hands its work to a transaction or to a read.

use std::sync::Arc;

use async_trait::async_trait;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Node, PartitionKey, PlannedCollection,
    ScanEnd, ScanHandle, ScanRecord, ScanStart,
};
use atg_models::{JobId, NodeId, TenantId};
use futures_util::stream::BoxStream;

use crate::graph_rules::{prepare, ready, too_large};
use crate::graph_store::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, Swept,
    TenantSummary,
};
use crate::neo4j::driver::{Driver, reread, transaction};
use crate::neo4j::graph::scan::Closing;
use crate::neo4j::graph::streams::Reading;
use crate::neo4j::graph::{
    apply, changes, counts, delete, export, forget, ledger, read, rederive, scan, streams, sweep, tenants, walk,
};
use crate::{StoreError, limits};

/// The graph that several servers share.
#[derive(Debug)]
pub struct Neo4jGraph {
    driver: Arc<Driver>,
}

impl Neo4jGraph {
    pub(crate) const fn new(driver: Arc<Driver>) -> Self {
        Self { driver }
    }
}

#[async_trait]
impl GraphStore for Neo4jGraph {
    async fn begin_scan(&self, start: ScanStart) -> Result<ScanHandle, StoreError> {
        Ok(transaction!(self.driver, "opening a scan", |tx| scan::begin(
            tx, &start
        )))
    }

    async fn plan(&self, scan: ScanHandle, collections: Vec<PlannedCollection>) -> Result<(), StoreError> {
        transaction!(self.driver, "planning a scan", |tx| ledger::plan(
            tx,
            &scan,
            &collections
        ));
        Ok(())
    }

    async fn ledger(&self, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError> {
        reread(|| ledger::read(&self.driver, scan_id)).await
    }

    async fn apply(
        &self,
        scan: ScanHandle,
        batch: GraphBatch,
        progress: LedgerProgress,
    ) -> Result<Applied, StoreError> {
        const DOING: &str = "storing a page";
        let page = blocking(DOING, move || ready(&scan, batch, progress, |said| said)).await??;
        Ok(transaction!(self.driver, DOING, |tx| apply::apply(tx, &scan, &page)))
    }

    async fn settle(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        state: CollectionState,
    ) -> Result<(), StoreError> {
        transaction!(self.driver, "settling a collection", |tx| ledger::settle(
            tx, &scan, collection, &state
        ));
        Ok(())
    }

    async fn restart_partition(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        partition: &PartitionKey,
    ) -> Result<(), StoreError> {
        transaction!(self.driver, "starting a partition again", |tx| ledger::restart(
            tx, &scan, collection, partition
        ));
        Ok(())
    }

    async fn sweep(&self, scan: ScanHandle, collection: &CollectionKey) -> Result<Swept, StoreError> {
        let mut total = Swept::default();
        loop {
            let step = transaction!(self.driver, "sweeping a collection", |tx| sweep::sweep_some(
                tx, &scan, collection
            ));
            total.nodes += step.swept.nodes;
            total.listed += step.swept.listed;
            if step.done {
                return Ok(total);
            }
        }
    }

    async fn finish_scan(&self, scan: ScanHandle, end: ScanEnd) -> Result<ScanRecord, StoreError> {
        const DOING: &str = "closing a scan";
        let known = self.scan(scan.scan_id).await?;
        let ended = known.as_ref().is_some_and(|record| record.end.is_some());
        let now = end.ended_at;
        let closing = if ended {
            Closing::of_ended(end)
        } else {
            self.closing(&scan, end).await?
        };
        let record = transaction!(self.driver, DOING, |tx| scan::finish(tx, &scan, &closing));
        loop {
            let done = transaction!(self.driver, DOING, |tx| forget::forget_some(tx, &scan, now));
            if done {
                return Ok(record);
            }
        }
    }

    async fn scan(&self, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError> {
        reread(|| scan::record(&self.driver, scan_id)).await
    }

    async fn last_scan(&self, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError> {
        reread(|| scan::last(&self.driver, tenant)).await
    }

    async fn node(&self, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError> {
        reread(|| read::one(&self.driver, tenant, id)).await
    }

    async fn find(
        &self,
        tenant: TenantId,
        filter: NodeFilter,
        after: Option<NodeId>,
        limit: u32,
        bodies: bool,
    ) -> Result<Page<Node>, StoreError> {
        reread(|| read::find(&self.driver, tenant, &filter, after.as_ref(), limit, bodies)).await
    }

    async fn neighbourhood(
        &self,
        tenant: TenantId,
        id: &NodeId,
        depth: u32,
        budget: u32,
    ) -> Result<Neighbourhood, StoreError> {
        reread(|| walk::neighbourhood(&self.driver, tenant, id, depth, budget)).await
    }

    async fn shortest_path(
        &self,
        tenant: TenantId,
        from: &NodeId,
        to: &NodeId,
        budget: u32,
    ) -> Result<(Option<Vec<Hop>>, bool), StoreError> {
        reread(|| walk::shortest_path(&self.driver, tenant, from, to, budget)).await
    }

    async fn counts(&self, tenant: TenantId) -> Result<Counts, StoreError> {
        reread(|| counts::counts(&self.driver, tenant)).await
    }

    async fn snapshot(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError> {
        streams::nodes(&self.driver, tenant).await
    }

    async fn edges(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError> {
        streams::edges(&self.driver, tenant).await
    }

    async fn export(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError> {
        export::lines(&self.driver, tenant).await
    }

    async fn digest(&self, tenant: TenantId) -> Result<String, StoreError> {
        reread(|| export::digest(&self.driver, tenant)).await
    }

    async fn changes(&self, scan_id: JobId, after: Option<NodeId>, limit: u32) -> Result<Vec<Change>, StoreError> {
        reread(|| changes::changes(&self.driver, scan_id, after.as_ref(), limit)).await
    }

    async fn rederive(&self, scan: ScanHandle, derive: Derive) -> Result<u64, StoreError> {
        const DOING: &str = "deriving edges again";
        let mut total = 0;
        let mut after = None;
        loop {
            let nodes = read::observed(&self.driver, scan.tenant_id, after.as_ref(), rederive::CHUNK_NODES).await?;
            let Some(last) = nodes.last() else {
                return Ok(total);
            };
            after = Some(last.id.clone());
            total += u64::try_from(nodes.len()).unwrap_or(u64::MAX);
            let derive = Arc::clone(&derive);
            let derived = blocking(DOING, move || {
                nodes
                    .iter()
                    .map(|node| prepare(derive(node)))
                    .collect::<Result<Vec<_>, _>>()
            });
            let derived = derived.await??;
            transaction!(self.driver, DOING, |tx| rederive::rederive_some(tx, &scan, &derived));
        }
    }

    async fn tenants(&self) -> Result<Vec<TenantSummary>, StoreError> {
        reread(|| tenants::summaries(&self.driver)).await
    }

    async fn delete_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        const DOING: &str = "removing a tenant";
        transaction!(self.driver, DOING, |tx| delete::close_scans(tx, tenant));
        let mut total = 0;
        loop {
            let (removed, done) = transaction!(self.driver, DOING, |tx| delete::delete_some(tx, tenant));
            total += removed;
            if done {
                return Ok(total);
            }
        }
    }

    async fn cache_get(&self, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        reread(|| tenants::cache_get(&self.driver, tenant, key)).await
    }

    async fn cache_put(&self, tenant: TenantId, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        too_large("cached value", value.len(), limits::CACHE_VALUE_BYTES)?;
        transaction!(self.driver, "writing the cache", |tx| tenants::cache_put(
            tx, tenant, key, &value
        ));
        Ok(())
    }

    async fn health(&self) -> Health {
        if self.driver.answers().await {
            Health::Connected
        } else {
            Health::Disconnected
        }
    }
}

impl Neo4jGraph {
    /// Counts and digests the tenant in one state.
    async fn closing(&self, scan: &ScanHandle, end: ScanEnd) -> Result<Closing, StoreError> {
        let tenant = scan.tenant_id;
        let reading = Reading::begin(&self.driver, "closing a scan", tenant).await?;
        Ok(Closing {
            end,
            counts: reread(|| counts::counts(&self.driver, tenant)).await?,
            seen: counts::seen(&self.driver, tenant, scan.generation).await?,
            digest: export::digest_in(&reading).await?,
            // Compared under the lock.
            revision: reading.revision().cloned(),
        })
    }
}

/// Work that takes its time, off the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let stopped = |_| StoreError::Unavailable {
        doing,
        source: "the store has stopped".into(),
    };
    tokio::task::spawn_blocking(work).await.map_err(stopped)
}
