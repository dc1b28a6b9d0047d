//! Scans, fences, and the ledger.

use atg_models::NodeId;
use atg_models::graph::{GraphBatch, NodeKind, Relation, Verdict};
use serde_json::json;

use crate::contract::world::*;
use crate::{Applied, GraphStore, StoreError};

/// Whole bodies come back, and the id as Azure spelled it.
pub async fn a_node_reads_back_as_it_was_written<S: GraphStore>(store: &S) {
    let said = resource(&vnet("Hub"), json!({"a": [1, 2.5, null, "ä"], "z": {"y": true}}));
    scan_world(store, 1, vec![said.clone()]).await;
    let node = store.node(tenant(), &said.node.id).await.unwrap();
    assert_eq!(node, Some(said.node));
}

/// A second scan of the same world writes no content and gives the same digest.
pub async fn an_unchanged_world_only_gets_a_generation<S: GraphStore>(store: &S) {
    let world = vec![resource(&vnet("a"), json!({})), resource(&vnet("b"), json!({}))];
    let first = scan_world(store, 1, world.clone()).await;
    let second = scan(store, 2).await;
    let applied = second.read(collection("s1"), world).await;
    assert_eq!((applied.written, applied.unchanged), (0, 2));
    assert_eq!(second.finish().await.graph_digest, Some(first));
}

/// A page that is sent again after a crash is known by its number.
pub async fn the_same_page_twice_changes_nothing<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let batch = GraphBatch {
        observations: vec![resource(&vnet("a"), json!({}))],
        listed: Vec::new(),
    };
    let first = scan.page(collection("s1"), 1, false, batch.clone()).await.unwrap();
    assert_eq!(first.written, 1);
    let again = scan.page(collection("s1"), 1, false, batch).await.unwrap();
    assert_eq!(again, Applied::default());
}

/// Once an attempt is taken over, the earlier one can write nothing.
pub async fn an_overtaken_attempt_is_refused<S: GraphStore>(store: &S) {
    let first = scan(store, 1).await;
    first.plan(collection("s1")).await;
    let second = store.begin_scan(start(1, 2)).await.unwrap();
    assert_eq!(second.generation, first.handle.generation);
    let late = first.page(collection("s1"), 1, true, GraphBatch::default()).await;
    assert!(matches!(late, Err(StoreError::Fenced { what: "scan" })), "{late:?}");
    let late = store.finish_scan(first.handle, ended(Verdict::Partial)).await;
    assert!(matches!(late, Err(StoreError::Fenced { what: "scan" })), "{late:?}");
    let back = store.begin_scan(start(1, 1)).await;
    assert!(matches!(back, Err(StoreError::Fenced { what: "scan" })), "{back:?}");
}

/// Bodies are not cut.
pub async fn a_large_body_is_kept_whole<S: GraphStore>(store: &S) {
    let text = "0123456789".repeat(420_000);
    let said = resource(&vnet("a"), json!({"text": text}));
    scan_world(store, 1, vec![said.clone()]).await;
    let node = store.node(tenant(), &said.node.id).await.unwrap().unwrap();
    assert!(node.body == said.node.body, "a body of 4 MiB came back otherwise");
}

/// A scan that another one has followed is over.
pub async fn an_earlier_scan_cannot_write_any_more<S: GraphStore>(store: &S) {
    let first = scan(store, 1).await;
    first.plan(collection("s1")).await;
    let second = scan(store, 2).await;
    assert_eq!(second.handle.generation, first.handle.generation.next());
    let late = first.page(collection("s1"), 1, true, GraphBatch::default()).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
}

/// Closing twice answers the same record, and nothing is written behind it.
pub async fn a_finished_scan_stays_as_it_is<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.read(collection("s1"), vec![resource(&vnet("a"), json!({}))]).await;
    let record = scan.finish().await;
    assert_eq!(scan.finish().await, record);
    assert_eq!(store.last_scan(tenant()).await.unwrap(), Some(record));
    let batch = GraphBatch {
        observations: vec![resource(&vnet("b"), json!({}))],
        listed: Vec::new(),
    };
    let late = scan.page(collection("s1"), 9, true, batch).await;
    assert!(late.is_err(), "{late:?}");
    assert_eq!(store.node(tenant(), &vnet("b").node_id()).await.unwrap(), None);
}

/// The store does not believe a verdict that its ledger does not bear out.
pub async fn complete_needs_a_whole_ledger<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let wrong = store.finish_scan(scan.handle, ended(Verdict::Complete)).await;
    assert!(matches!(wrong, Err(StoreError::Corrupt { .. })), "{wrong:?}");
    let record = store.finish_scan(scan.handle, ended(Verdict::Partial)).await.unwrap();
    assert_eq!(record.end.unwrap().verdict, Verdict::Partial);
}

/// A row of a tenant that lends its resources to this one is not stored.
pub async fn another_tenants_node_is_refused<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let mut said = resource(&vnet("a"), json!({}));
    said.node.tenant_id = other_tenant();
    let batch = GraphBatch {
        observations: vec![said],
        listed: Vec::new(),
    };
    let refused = scan.page(collection("s1"), 1, true, batch).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
}

/// A whole scan counts what hangs under the tenant, a partial one what it saw.
pub async fn resources_are_counted_by_the_rule<S: GraphStore>(store: &S) {
    let tenant_end = plain_end(&NodeId::tenant(tenant()), NodeKind::Tenant);
    let mut held = resource(&vnet("held"), json!({}));
    held.edges = vec![edge(tenant_end, Relation::Contains, end(&vnet("held")))];
    let world = vec![tenant_node(), held, resource(&vnet("loose"), json!({}))];

    let whole = scan(store, 1).await;
    whole.read(collection("s1"), world.clone()).await;
    let counts = whole.finish().await.end.unwrap().counts;
    assert_eq!((counts.resources_discovered, counts.nodes, counts.edges), (1, 3, 1));

    let partial = scan(store, 2).await;
    partial.read(collection("s1"), world).await;
    let record = store
        .finish_scan(partial.handle, ended(Verdict::Partial))
        .await
        .unwrap();
    let counts = record.end.unwrap().counts;
    assert_eq!(
        (counts.resources_discovered, counts.unchanged, counts.written),
        (2, 3, 0)
    );
}
