//! Scans, fences, and the ledger.

use atg_models::graph::{GraphBatch, Verdict};
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
