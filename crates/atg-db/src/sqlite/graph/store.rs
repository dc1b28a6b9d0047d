//! The trait, method by method: each hands its work to the writer or to a reader.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Node, PartitionKey, PlannedCollection,
    ScanEnd, ScanHandle, ScanRecord, ScanStart,
};
use atg_models::{JobId, NodeId, TenantId};
use futures_util::stream::BoxStream;

use crate::graph_rules::{ready, too_large};
use crate::graph_store::{
    Applied, Change, Counts, Derive, EdgeRow, GraphStore, Health, Hop, Neighbourhood, NodeFilter, Page, Swept,
    TenantSummary,
};
use crate::sqlite::database::{Database, PageSender, Plan};
use crate::sqlite::fault::{Outcome, int};
use crate::sqlite::folder::FolderLock;
use crate::sqlite::graph::prepare::Packer;
use crate::sqlite::graph::scan::Closing;
use crate::sqlite::graph::{
    apply, changes, counts, export, ledger, read, rederive, scan, schema, sweep, tenants, walk, walk_all,
};
use crate::sqlite::writer::Session;
use crate::{StoreError, limits};

/// The graph of a server that keeps its data in a folder.
pub struct SqliteGraph {
    database: Database,
}

impl SqliteGraph {
    pub(crate) fn open(folder: &Path, lock: Arc<FolderLock>) -> Result<Self, StoreError> {
        let plan = Plan {
            file: "graph.db",
            steps: schema::STEPS,
        };
        Ok(Self {
            database: Database::open(folder, lock, &plan)?,
        })
    }
}

impl std::fmt::Debug for SqliteGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteGraph").finish_non_exhaustive()
    }
}

#[async_trait]
impl GraphStore for SqliteGraph {
    async fn begin_scan(&self, start: ScanStart) -> Result<ScanHandle, StoreError> {
        self.database
            .write("opening a scan", move |session| scan::begin(session, &start))
            .await
    }

    async fn plan(&self, scan: ScanHandle, collections: Vec<PlannedCollection>) -> Result<(), StoreError> {
        self.database
            .write("planning a scan", move |session| {
                ledger::plan(session, &scan, &collections)
            })
            .await
    }

    async fn ledger(&self, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read("reading a ledger", move |connection| ledger::read(connection, scan_id))
            .await
    }

    async fn apply(
        &self,
        scan: ScanHandle,
        batch: GraphBatch,
        progress: LedgerProgress,
    ) -> Result<Applied, StoreError> {
        const DOING: &str = "storing a page";
        let ready = tokio::task::spawn_blocking(move || {
            let mut packer = Packer::default();
            ready(&scan, batch, progress, |said| packer.packed(said))
        })
        .await
        .map_err(|_| crate::sqlite::fault::stopped(DOING))??;
        self.database
            .write(DOING, move |session| apply::apply(session, &scan, &ready))
            .await
    }

    async fn settle(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        state: CollectionState,
    ) -> Result<(), StoreError> {
        let collection = collection.clone();
        self.database
            .write("settling a collection", move |session| {
                ledger::settle(session, &scan, &collection, &state)
            })
            .await
    }

    async fn restart_partition(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        partition: &PartitionKey,
    ) -> Result<(), StoreError> {
        let (collection, partition) = (collection.clone(), partition.clone());
        self.database
            .write("starting a partition again", move |session| {
                ledger::restart(session, &scan, &collection, &partition)
            })
            .await
    }

    async fn sweep(&self, scan: ScanHandle, collection: &CollectionKey) -> Result<Swept, StoreError> {
        let mut total = Swept::default();
        let mut after = 0;
        loop {
            let collection = collection.clone();
            let step = self
                .database
                .write("sweeping a collection", move |session| {
                    sweep::step(session, &scan, &collection, after)
                })
                .await?;
            total.nodes += step.swept.nodes;
            total.listed += step.swept.listed;
            after = step.after;
            if step.done {
                return Ok(total);
            }
        }
    }

    async fn finish_scan(&self, scan: ScanHandle, end: ScanEnd) -> Result<ScanRecord, StoreError> {
        const DOING: &str = "closing a scan";
        let known = self.scan(scan.scan_id).await?;
        let ended = known.as_ref().is_some_and(|record| record.end.is_some());
        let (counts, seen, digest) = if ended {
            (Counts::default(), 0, String::new())
        } else {
            let generation = int(scan.generation.get());
            self.long_read(DOING, move |connection| {
                let counts = counts::counts(connection, scan.tenant_id)?;
                let seen = counts::seen(connection, scan.tenant_id, generation)?;
                Ok((counts, seen, export::digest(connection, scan.tenant_id)?))
            })
            .await?
        };
        let closing = Closing {
            end,
            counts,
            seen,
            digest,
        };
        let now = closing.end.ended_at;
        let record = self
            .database
            .write(DOING, move |session| scan::finish(session, &scan, closing))
            .await?;
        let forget = move |session: &mut Session| scan::forget_some(session, &scan, now);
        while !self.database.write(DOING, forget).await? {}
        Ok(record)
    }

    async fn scan(&self, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError> {
        self.read("reading a scan", move |connection| scan::record(connection, scan_id))
            .await
    }

    async fn last_scan(&self, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError> {
        self.read("reading a scan", move |connection| scan::last(connection, tenant))
            .await
    }

    async fn node(&self, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError> {
        let id = id.clone();
        self.read("reading a node", move |connection| read::one(connection, tenant, &id))
            .await
    }

    async fn find(
        &self,
        tenant: TenantId,
        filter: NodeFilter,
        after: Option<NodeId>,
        limit: u32,
        bodies: bool,
    ) -> Result<Page<Node>, StoreError> {
        self.read("finding nodes", move |connection| {
            read::find(connection, tenant, &filter, after.as_ref(), limit, bodies)
        })
        .await
    }

    async fn neighbourhood(
        &self,
        tenant: TenantId,
        id: &NodeId,
        depth: u32,
        budget: u32,
    ) -> Result<Neighbourhood, StoreError> {
        let id = id.clone();
        self.read("walking the graph", move |connection| {
            walk::neighbourhood(connection, tenant, &id, depth, budget)
        })
        .await
    }

    async fn shortest_path(
        &self,
        tenant: TenantId,
        from: &NodeId,
        to: &NodeId,
        budget: u32,
    ) -> Result<(Option<Vec<Hop>>, bool), StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.read("walking the graph", move |connection| {
            walk::shortest_path(connection, tenant, &from, &to, budget)
        })
        .await
    }

    async fn counts(&self, tenant: TenantId) -> Result<Counts, StoreError> {
        self.long_read("counting", move |connection| counts::counts(connection, tenant))
            .await
    }

    async fn snapshot(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError> {
        self.database
            .stream("reading a tenant", move |connection, sender| {
                let mut pages = Pages::new(sender);
                walk_all::nodes(connection, tenant, |stored| {
                    let bytes = stored.body.as_ref().map_or(0, String::len);
                    Ok(pages.push(stored.whole()?, bytes))
                })?;
                pages.end();
                Ok(())
            })
            .await
    }

    async fn edges(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError> {
        self.database
            .stream("reading a tenant's edges", move |connection, sender| {
                let mut pages = Pages::new(sender);
                walk_all::edges(connection, tenant, |stored| {
                    let bytes = stored.properties.as_ref().map_or(0, String::len);
                    Ok(pages.push(stored.whole()?, bytes))
                })?;
                pages.end();
                Ok(())
            })
            .await
    }

    async fn export(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError> {
        self.database
            .stream("exporting a tenant", move |connection, sender| {
                let mut pages = Pages::new(sender);
                export::lines(connection, tenant, |line| {
                    let bytes = line.len();
                    Ok(pages.push(line, bytes))
                })?;
                pages.end();
                Ok(())
            })
            .await
    }

    async fn digest(&self, tenant: TenantId) -> Result<String, StoreError> {
        self.long_read("digesting a tenant", move |connection| {
            export::digest(connection, tenant)
        })
        .await
    }

    async fn changes(&self, scan_id: JobId, after: Option<NodeId>, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.read("comparing scans", move |connection| {
            changes::changes(connection, scan_id, after.as_ref(), limit)
        })
        .await
    }

    async fn rederive(&self, scan: ScanHandle, derive: Derive) -> Result<u64, StoreError> {
        const DOING: &str = "deriving edges again";
        let mut total = 0;
        let mut after = 0;
        loop {
            let derive = Arc::clone(&derive);
            let derived = self
                .read(DOING, move |connection| {
                    rederive::derive_some(connection, scan.tenant_id, after, &derive)
                })
                .await?;
            let Some((last, _)) = derived.last() else {
                return Ok(total);
            };
            after = *last;
            total += u64::try_from(derived.len()).unwrap_or(u64::MAX);
            self.database
                .write(DOING, move |session| rederive::say_again(session, &scan, &derived))
                .await?;
        }
    }

    async fn tenants(&self) -> Result<Vec<TenantSummary>, StoreError> {
        self.read("listing tenants", tenants::summaries).await
    }

    async fn delete_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        const DOING: &str = "removing a tenant";
        self.database
            .write(DOING, move |session| tenants::close_scans(session, &tenant.to_string()))
            .await?;
        let mut total = 0;
        loop {
            let (removed, done) = self
                .database
                .write(DOING, move |session| tenants::delete_some(session, &tenant.to_string()))
                .await?;
            total += removed;
            if done {
                return Ok(total);
            }
        }
    }

    async fn cache_get(&self, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_owned();
        self.read("reading the cache", move |connection| {
            tenants::cache_get(connection, &tenant.to_string(), &key)
        })
        .await
    }

    async fn cache_put(&self, tenant: TenantId, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        too_large("cached value", value.len(), limits::CACHE_VALUE_BYTES)?;
        let key = key.to_owned();
        self.database
            .write("writing the cache", move |session| {
                tenants::cache_put(session, &tenant.to_string(), &key, &value)
            })
            .await
    }

    async fn health(&self) -> Health {
        self.database.health().await
    }
}

impl SqliteGraph {
    /// Takes in what is moved here from another store.
    pub(in crate::sqlite) async fn write_moved<F>(&self, doing: &'static str, write: F) -> Result<(), StoreError>
    where
        F: FnOnce(&mut Session) -> Outcome<()> + Send + 'static,
    {
        self.database.write(doing, write).await
    }

    async fn read<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Outcome<T> + Send + 'static,
    {
        self.database.read(doing, limits::READ_TIMEOUT, work).await
    }

    async fn long_read<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Outcome<T> + Send + 'static,
    {
        self.database.read(doing, limits::LONG_READ_TIMEOUT, work).await
    }
}

/// Collects rows into pages of bounded size.
struct Pages<'s, T> {
    sender: &'s PageSender<T>,
    page: Vec<T>,
    bytes: usize,
}

impl<'s, T> Pages<'s, T> {
    fn new(sender: &'s PageSender<T>) -> Self {
        Self {
            sender,
            page: Vec::new(),
            bytes: 0,
        }
    }

    /// `false` when nobody reads any more.
    fn push(&mut self, row: T, bytes: usize) -> bool {
        self.page.push(row);
        self.bytes += bytes;
        let full = self.page.len() >= limits::STREAM_PAGE_ROWS || self.bytes >= limits::STREAM_PAGE_BYTES;
        !full || self.end()
    }

    fn end(&mut self) -> bool {
        self.bytes = 0;
        self.sender.send(std::mem::take(&mut self.page))
    }
}
