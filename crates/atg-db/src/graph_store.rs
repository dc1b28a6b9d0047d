//! The graph: nodes, edges, scans and their ledger.

use async_trait::async_trait;
use atg_models::graph::{
    CollectionKey, CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Node, NodeKind, PlannedCollection,
    Relation, ScanEnd, ScanHandle, ScanRecord, ScanStart, Verdict,
};
use atg_models::{ArmType, JobId, NodeId, TenantId};
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::StoreError;

/// What applying a page changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Nodes whose content was written.
    pub written: u64,
    /// Nodes that were found unchanged and only got the new generation.
    pub unchanged: u64,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Nodes that became tombstones or stubs.
    pub nodes: u64,
    /// Listed edges that were not renewed.
    pub listed: u64,
}

/// A page of a keyset-paged list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<NodeId>,
}

/// Which nodes are wanted. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeFilter {
    /// Of this kind.
    pub kind: Option<NodeKind>,
    /// Of this type.
    pub type_: Option<ArmType>,
    /// In this subscription (lower case).
    pub subscription_id: Option<String>,
    /// In this resource group (lower case).
    pub resource_group: Option<String>,
    /// Only what was read (`true`), only stubs (`false`).
    pub observed: Option<bool>,
}

/// An edge as it is read back: its properties are those of its smallest assertion.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeRow {
    /// Where it starts.
    pub source: NodeId,
    /// How the ends relate.
    pub relation: Relation,
    /// Where it ends.
    pub target: NodeId,
    /// See `AssertedEdge`.
    pub qualifier: String,
    /// Of the assertion with the smallest (body, path).
    pub properties: Map<String, Value>,
}

/// A node and the edge it was reached by.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// The edge.
    pub edge: EdgeRow,
    /// The node at its other end.
    pub node: NodeId,
}

/// What was found around a node within a budget.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbourhood {
    /// In order of distance, then of edge key.
    pub hops: Vec<Hop>,
    /// Whether the budget ended the walk.
    pub truncated: bool,
}

/// How much is stored of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes, tombstones left out.
    pub nodes: u64,
    /// Of these observed.
    pub observed: u64,
    /// Edges.
    pub edges: u64,
    /// Look-ups that nothing answers.
    pub open_lookups: u64,
    /// Aliases that more than one node publishes.
    pub ambiguous_aliases: u64,
    /// Observed Resource nodes reachable from the tenant by `CONTAINS`.
    pub contained_resources: u64,
    /// Observed nodes by kind name.
    pub by_kind: Vec<(NodeKind, u64)>,
    /// Edges by relation.
    pub by_relation: Vec<(Relation, u64)>,
    /// Observed resources by type, most first.
    pub by_type: Vec<(ArmType, u64)>,
}

/// A tenant of which something is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSummary {
    /// Which.
    pub tenant_id: TenantId,
    /// The last scan that began.
    pub last_scan: Option<JobId>,
    /// Its verdict; `None` while it has none.
    pub verdict: Option<Verdict>,
    /// When it ended, else when it began.
    pub scanned_at: Option<OffsetDateTime>,
    /// Nodes.
    pub nodes: u64,
    /// Edges.
    pub edges: u64,
}

/// How one node differs between two scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added(NodeId),
    /// Its content is another.
    Modified(NodeId),
    /// It is gone.
    Removed(NodeId),
}

/// Whether the store answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Connected,
    /// It does not.
    Disconnected,
}

/// Says what a node's body asserts. A type of its own, because `async_trait` would tie the node's
/// lifetime to the call.
pub type Derive = std::sync::Arc<dyn Fn(&Node) -> atg_models::graph::Observation + Send + Sync>;

/// Reads and writes one graph a tenant. Every method is bounded in time and memory.
#[async_trait]
pub trait GraphStore: Send + Sync + 'static {
    /// Opens a scan, or takes it over for a new attempt: the ledger of the same scan id stays. Writes
    /// that carry an earlier fence are refused from now on.
    async fn begin_scan(&self, start: ScanStart) -> Result<ScanHandle, StoreError>;

    /// Adds collections to the ledger. One that is there already keeps its progress; partitions that
    /// it lacks are added to it (unless it is settled).
    async fn plan(&self, scan: ScanHandle, collections: Vec<PlannedCollection>) -> Result<(), StoreError>;

    /// The scan's ledger, by collection key.
    async fn ledger(&self, scan_id: JobId) -> Result<Vec<LedgerEntry>, StoreError>;

    /// Stores a page and its ledger progress in one transaction. A page that was applied already
    /// (same partition and page number) changes nothing.
    async fn apply(&self, scan: ScanHandle, batch: GraphBatch, progress: LedgerProgress)
    -> Result<Applied, StoreError>;

    /// Settles a collection: complete, failed, forbidden, skipped. `Complete` is refused
    /// (`StoreError::Corrupt`) while a partition of it is not done.
    async fn settle(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        state: CollectionState,
    ) -> Result<(), StoreError>;

    /// Starts a partition again from its beginning (its cursor has expired).
    async fn restart_partition(
        &self,
        scan: ScanHandle,
        collection: &CollectionKey,
        partition: &atg_models::graph::PartitionKey,
    ) -> Result<(), StoreError>;

    /// Removes what the collection owns and this generation did not see. Does nothing unless the
    /// ledger proves that the collection was read whole and without a narrower filter. Works in
    /// bounded transactions; calling it again goes on.
    async fn sweep(&self, scan: ScanHandle, collection: &CollectionKey) -> Result<Swept, StoreError>;

    /// Closes the scan: counts, digest, verdict. Calling it again answers the same record.
    async fn finish_scan(&self, scan: ScanHandle, end: ScanEnd) -> Result<ScanRecord, StoreError>;

    /// A scan's record.
    async fn scan(&self, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError>;

    /// The tenant's last scan that began, ended or not.
    async fn last_scan(&self, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError>;

    /// One node, tombstones left out.
    async fn node(&self, tenant: TenantId, id: &NodeId) -> Result<Option<Node>, StoreError>;

    /// Nodes by id, without bodies when `bodies` is false.
    async fn find(
        &self,
        tenant: TenantId,
        filter: NodeFilter,
        after: Option<NodeId>,
        limit: u32,
        bodies: bool,
    ) -> Result<Page<Node>, StoreError>;

    /// What lies within `depth` edges of a node, at most `budget` edges.
    async fn neighbourhood(
        &self,
        tenant: TenantId,
        id: &NodeId,
        depth: u32,
        budget: u32,
    ) -> Result<Neighbourhood, StoreError>;

    /// A shortest path along edges of any direction, visiting at most `budget` edges. `Ok(None)` with
    /// a budget that was not used up means that there is none.
    async fn shortest_path(
        &self,
        tenant: TenantId,
        from: &NodeId,
        to: &NodeId,
        budget: u32,
    ) -> Result<(Option<Vec<Hop>>, bool), StoreError>;

    /// How much is stored of a tenant.
    async fn counts(&self, tenant: TenantId) -> Result<Counts, StoreError>;

    /// All live nodes of a tenant with bodies, by id, as one consistent state.
    async fn snapshot(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<Node, StoreError>>, StoreError>;

    /// All edges of a tenant, by key, as one consistent state.
    async fn edges(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<EdgeRow, StoreError>>, StoreError>;

    /// Canonical JSON lines: nodes by id, then edges by key. Without generation, first and last
    /// seen, times of reading, source, scan ids and tombstones.
    async fn export(&self, tenant: TenantId) -> Result<BoxStream<'static, Result<String, StoreError>>, StoreError>;

    /// SHA-256 of the export's lines, each with its line feed; lower-case hex.
    async fn digest(&self, tenant: TenantId) -> Result<String, StoreError>;

    /// What the scan changed against the state before it, by node id.
    async fn changes(&self, scan_id: JobId, after: Option<NodeId>, limit: u32) -> Result<Vec<Change>, StoreError>;

    /// Derives all edges of the tenant again: hands every live observed node's body to `derive`, and
    /// replaces what the body asserted by what it answers. In bounded transactions.
    async fn rederive(&self, scan: ScanHandle, derive: Derive) -> Result<u64, StoreError>;

    /// The tenants of which something is stored, by id.
    async fn tenants(&self) -> Result<Vec<TenantSummary>, StoreError>;

    /// Removes all that is stored of a tenant, in bounded transactions. Answers how many nodes went.
    async fn delete_tenant(&self, tenant: TenantId) -> Result<u64, StoreError>;

    /// A small value kept for a tenant's reader between scans (the provider list), at most 4 MiB.
    async fn cache_get(&self, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Replaces such a value.
    async fn cache_put(&self, tenant: TenantId, key: &str, value: Vec<u8>) -> Result<(), StoreError>;

    /// Whether the store answers; never later than half a second.
    async fn health(&self) -> Health;
}
