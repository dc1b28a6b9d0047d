//! Small literal worlds for the cases.

use std::collections::BTreeMap;

use atg_models::graph::{
    Alias, AliasKind, AssertedEdge, CollectionKey, CollectionState, EdgeEnd, EndDirection, GraphBatch, LedgerProgress,
    ListedEdge, Lookup, Node, NodeKind, Observation, Partition, PartitionKey, PlannedCollection, Relation, ScanCounts,
    ScanEnd, ScanFilters, ScanHandle, ScanRecord, ScanStart, Source, Verdict,
};
use atg_models::job::ArtifactName;
use atg_models::{ArmId, Fence, JobId, JobKind, NodeId, Seq, TenantId};
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Applied, EdgeRow, GraphStore, StoreError};

/// The tenant of most cases.
pub fn tenant() -> TenantId {
    TenantId::new(Uuid::from_u128(0x11))
}

/// Some moment.
pub fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000) + time::Duration::seconds(second)
}

/// A scan's id.
pub fn scan_id(number: u128) -> JobId {
    JobId::new(JobKind::Scan, Uuid::from_u128(number))
}

/// What the first attempt of a job publishes.
pub fn artifact(number: u128) -> ArtifactName {
    ArtifactName {
        job: scan_id(number),
        lease: Fence::new(1),
    }
}

/// A collection of the cases.
pub fn collection(scope: &str) -> CollectionKey {
    CollectionKey::new("arg.resources", scope)
}

/// An ARM id as the case spells it.
pub fn arm(text: &str) -> ArmId {
    text.parse().expect("an ARM id")
}

/// A virtual network's id by name.
pub fn vnet(name: &str) -> ArmId {
    arm(&format!(
        "/subscriptions/S1/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks/{name}"
    ))
}

/// The end of an edge, as a body that spells the id so would name it.
pub fn end(id: &ArmId) -> EdgeEnd {
    let type_ = id.arm_type();
    EdgeEnd {
        id: id.node_id(),
        display_id: id.as_str().to_owned(),
        kind: NodeKind::of_type(&type_),
        type_: Some(type_),
        name: id.name().to_owned(),
    }
}

/// The end of an edge that is no ARM resource.
pub fn plain_end(id: &NodeId, kind: NodeKind) -> EdgeEnd {
    EdgeEnd {
        id: id.clone(),
        display_id: id.as_str().to_owned(),
        kind,
        type_: None,
        name: id.as_str().to_owned(),
    }
}

/// A directory object's id.
pub fn object(number: u128) -> NodeId {
    NodeId::object(Uuid::from_u128(number))
}

/// A resource as Resource Graph shows it, owned by the collection of `s1`.
pub fn resource(id: &ArmId, properties: Value) -> Observation {
    let body = json!({"id": id.as_str(), "name": id.name(), "properties": properties});
    let type_ = id.arm_type();
    Observation {
        node: Node {
            tenant_id: tenant(),
            id: id.node_id(),
            display_id: id.as_str().to_owned(),
            kind: NodeKind::of_type(&type_),
            type_: Some(type_),
            api_version: Some("2024-01-01".to_owned()),
            name: id.name().to_owned(),
            subscription_id: id.subscription().map(str::to_lowercase),
            resource_group: id.resource_group().map(str::to_lowercase),
            location: Some("westeurope".to_owned()),
            tags: BTreeMap::new(),
            body: Some(body),
            observed: true,
            source: Source::Arg,
            owner: Some(collection("s1")),
            observed_at: at(0),
        },
        edges: Vec::new(),
        aliases: Vec::new(),
        lookups: Vec::new(),
    }
}

/// A node that is no ARM resource.
pub fn thing(id: &NodeId, kind: NodeKind) -> Observation {
    let mut said = resource(&vnet("x"), json!({}));
    said.node.id = id.clone();
    said.node.display_id = id.as_str().to_owned();
    said.node.kind = kind;
    said.node.type_ = None;
    said.node.name = format!("name of {id}");
    said.node.subscription_id = None;
    said.node.resource_group = None;
    said.node.location = None;
    said.node.source = Source::Graph;
    said.node.body = Some(json!({"id": id}));
    said
}

/// The tenant's own node.
pub fn tenant_node() -> Observation {
    thing(&NodeId::tenant(tenant()), NodeKind::Tenant)
}

/// An edge at the path `properties.x`.
pub fn edge(source: EdgeEnd, relation: Relation, target: EdgeEnd) -> AssertedEdge {
    AssertedEdge {
        source,
        relation,
        target,
        qualifier: String::new(),
        path: "properties.x".to_owned(),
        properties: Map::new(),
    }
}

/// With one property on the edge.
#[must_use]
pub fn with(mut edge: AssertedEdge, name: &str, value: Value) -> AssertedEdge {
    edge.properties.insert(name.to_owned(), value);
    edge
}

/// An alias of the sort `host`.
pub fn alias(value: &str) -> Alias {
    Alias {
        kind: AliasKind("host".to_owned()),
        value: value.to_owned(),
    }
}

/// A look-up of a host by a body.
pub fn lookup(value: &str, anchor: EdgeEnd) -> Lookup {
    Lookup {
        alias: alias(value),
        anchor,
        relation: Relation::LinkedTo,
        direction: EndDirection::ToFound,
        qualifier: String::new(),
        path: "properties.host".to_owned(),
        properties: Map::new(),
    }
}

/// A membership as a group's listing states it.
pub fn member(group: &NodeId, member: &NodeId) -> ListedEdge {
    ListedEdge {
        by: group.clone(),
        edge: edge(
            plain_end(member, NodeKind::User),
            Relation::MemberOf,
            plain_end(group, NodeKind::Group),
        ),
    }
}

/// A scan that a case drives.
pub struct Scan<'s, S> {
    /// The store.
    pub store: &'s S,
    /// What its writes carry.
    pub handle: ScanHandle,
}

/// Opens the scan with this number.
pub async fn scan<S: GraphStore>(store: &S, number: u128) -> Scan<'_, S> {
    let handle = store.begin_scan(start(number, 1)).await.expect("a scan");
    Scan { store, handle }
}

/// What a scan starts with.
pub fn start(number: u128, fence: u64) -> ScanStart {
    ScanStart {
        scan_id: scan_id(number),
        fence: Fence::new(fence),
        tenant_id: tenant(),
        principal: "reader".to_owned(),
        filters: ScanFilters::default(),
        started_at: at(0),
    }
}

/// How a case ends its scan.
pub fn ended(verdict: Verdict) -> ScanEnd {
    ScanEnd {
        verdict,
        gaps: Vec::new(),
        not_planned: Vec::new(),
        counts: ScanCounts::default(),
        ended_at: at(60),
    }
}

/// A planned collection of one partition `0`.
pub fn planned(collection: CollectionKey) -> PlannedCollection {
    PlannedCollection {
        collection,
        sweepable: true,
        expected: None,
        partitions: vec![PartitionKey("0".to_owned())],
    }
}

/// The ledger's part of a page of partition `0`.
pub fn progress(collection: CollectionKey, page: u64, done: bool) -> LedgerProgress {
    LedgerProgress {
        collection,
        partition: Partition {
            key: PartitionKey("0".to_owned()),
            cursor: (!done).then(|| format!("after {page}")),
            pages: page,
            rows: page,
            done,
        },
        page: Seq::new(page),
    }
}

impl<S: GraphStore> Scan<'_, S> {
    /// Plans a collection of one partition.
    pub async fn plan(&self, collection: CollectionKey) {
        let plan = self.store.plan(self.handle, vec![planned(collection)]).await;
        plan.expect("planned");
    }

    /// Applies one page.
    pub async fn page(
        &self,
        collection: CollectionKey,
        page: u64,
        done: bool,
        batch: GraphBatch,
    ) -> Result<Applied, StoreError> {
        let progress = progress(collection, page, done);
        self.store.apply(self.handle, batch, progress).await
    }

    /// Reads a collection whole, in one page an observation, and sweeps it.
    pub async fn read(&self, collection: CollectionKey, observations: Vec<Observation>) -> Applied {
        self.plan(collection.clone()).await;
        let mut total = Applied::default();
        let mut page = 0;
        for observation in observations {
            page += 1;
            let batch = GraphBatch {
                observations: vec![observation],
                listed: Vec::new(),
            };
            let applied = self
                .page(collection.clone(), page, false, batch)
                .await
                .expect("applied");
            total.written += applied.written;
            total.unchanged += applied.unchanged;
        }
        self.close(collection, page + 1).await;
        total
    }

    /// Lists a collection's edges whole, in one page, and sweeps it.
    pub async fn list(&self, collection: CollectionKey, listed: Vec<ListedEdge>) {
        self.plan(collection.clone()).await;
        let batch = GraphBatch {
            observations: Vec::new(),
            listed,
        };
        self.page(collection.clone(), 1, false, batch).await.expect("applied");
        self.close(collection, 2).await;
    }

    /// Reads the last, empty page, settles the collection and sweeps it.
    pub async fn close(&self, collection: CollectionKey, page: u64) {
        let last = self.page(collection.clone(), page, true, GraphBatch::default()).await;
        last.expect("applied");
        let settled = self
            .store
            .settle(self.handle, &collection, CollectionState::Complete)
            .await;
        settled.expect("settled");
        self.store.sweep(self.handle, &collection).await.expect("swept");
    }

    /// Closes the scan as complete.
    pub async fn finish(&self) -> ScanRecord {
        let end = ended(Verdict::Complete);
        self.store.finish_scan(self.handle, end).await.expect("finished")
    }
}

/// Scans a whole world of one collection and answers the graph's digest.
pub async fn scan_world<S: GraphStore>(store: &S, number: u128, world: Vec<Observation>) -> String {
    let scan = scan(store, number).await;
    scan.read(collection("s1"), world).await;
    scan.finish().await.graph_digest.expect("a digest")
}

/// Another tenant.
pub fn other_tenant() -> TenantId {
    TenantId::new(Uuid::from_u128(0x22))
}

/// All edges, in the order of the store.
pub async fn all_edges<S: GraphStore>(store: &S) -> Vec<EdgeRow> {
    let edges = store.edges(tenant()).await.expect("a stream");
    edges.map(|edge| edge.expect("an edge")).collect().await
}

/// All edges in short: `a LINKED_TO b`, with the last segments of the ids.
pub async fn edge_texts<S: GraphStore>(store: &S) -> Vec<String> {
    let last = |id: &NodeId| id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let text = |edge: EdgeRow| {
        format!(
            "{} {} {}",
            last(&edge.source),
            edge.relation.as_str(),
            last(&edge.target)
        )
    };
    all_edges(store).await.into_iter().map(text).collect()
}
