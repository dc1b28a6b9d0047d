//! Removing what is gone, and nothing else.

use atg_models::graph::{CollectionState, GraphBatch, Observation, Relation, Verdict};
use serde_json::json;

use crate::contract::world::*;
use crate::{GraphStore, Swept};

async fn names<S: GraphStore>(store: &S) -> Vec<(String, bool)> {
    let page = store
        .find(tenant(), crate::NodeFilter::default(), None, 100, false)
        .await
        .unwrap();
    page.items.into_iter().map(|node| (node.name, node.observed)).collect()
}

fn plain(name: &str) -> Observation {
    resource(&vnet(name), json!({}))
}

pub async fn what_was_not_seen_goes<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![plain("a"), plain("b")]).await;
    let second = scan(store, 2).await;
    second.read(collection("s1"), vec![plain("a")]).await;
    assert_eq!(names(store).await, [("a".to_owned(), true)]);
    assert_eq!(second.finish().await.end.unwrap().counts.removed, 1);
    // Again is nothing more.
    assert_eq!(
        store.sweep(second.handle, &collection("s1")).await.unwrap(),
        Swept::default()
    );
}

/// Not complete, or read through a filter: what was not seen may still be there.
pub async fn without_proof_nothing_goes<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![plain("a")]).await;
    let second = scan(store, 2).await;
    second.plan(collection("s1")).await;
    second
        .page(collection("s1"), 1, true, GraphBatch::default())
        .await
        .unwrap();
    assert_eq!(
        store.sweep(second.handle, &collection("s1")).await.unwrap(),
        Swept::default()
    );
    let why = "limit".to_owned();
    store
        .settle(second.handle, &collection("s1"), CollectionState::Skipped { why })
        .await
        .unwrap();
    assert_eq!(
        store.sweep(second.handle, &collection("s1")).await.unwrap(),
        Swept::default()
    );

    let third = scan(store, 3).await;
    let mut filtered = planned(collection("s1"));
    filtered.sweepable = false;
    store.plan(third.handle, vec![filtered]).await.unwrap();
    third.close(collection("s1"), 1).await;
    assert_eq!(names(store).await, [("a".to_owned(), true)]);
}

pub async fn a_swept_node_that_is_referred_to_is_a_stub<S: GraphStore>(store: &S) {
    let mut referring = plain("a");
    referring.edges = vec![edge(end(&vnet("a")), Relation::DependsOn, end(&vnet("b")))];
    let mut secret = plain("b");
    secret.node.tags.insert("k".to_owned(), "v".to_owned());
    let mut gone = plain("c");
    gone.edges = vec![edge(end(&vnet("c")), Relation::DependsOn, end(&vnet("b")))];
    scan_world(store, 1, vec![referring.clone(), secret, gone]).await;
    let swept = scan_world(store, 2, vec![referring.clone()]).await;
    assert_eq!(names(store).await, [("a".to_owned(), true), ("b".to_owned(), false)]);
    assert_eq!(edge_texts(store).await, ["a DEPENDS_ON b"]);
    let stub = store.node(tenant(), &vnet("b").node_id()).await.unwrap().unwrap();
    assert_eq!((stub.body, stub.tags.len(), stub.owner), (None, 0, None));
    store.delete_tenant(tenant()).await.unwrap();
    assert_eq!(
        scan_world(store, 3, vec![referring]).await,
        swept,
        "as if it had never been there"
    );
}

pub async fn a_node_comes_back<S: GraphStore>(store: &S) {
    let first = scan_world(store, 1, vec![plain("a"), plain("b")]).await;
    scan_world(store, 2, vec![plain("a")]).await;
    let third = scan_world(store, 3, vec![plain("a"), plain("b")]).await;
    assert_eq!(first, third);
    assert_eq!(names(store).await.len(), 2);
}

/// After 90 days nothing of it is left, its change included.
pub async fn a_tombstone_has_its_time<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![plain("a"), plain("b")]).await;
    scan_world(store, 2, vec![plain("a")]).await;
    let removed = vec![crate::Change::Removed(vnet("b").node_id())];
    assert_eq!(store.changes(scan_id(2), None, 10).await.unwrap(), removed);
    for (number, days, left) in [(3, 89, removed), (4, 91, Vec::new())] {
        let scan = scan(store, number).await;
        scan.read(collection("s1"), vec![plain("a")]).await;
        let mut end = ended(Verdict::Complete);
        end.ended_at = at(0) + time::Duration::days(days);
        store.finish_scan(scan.handle, end).await.unwrap();
        assert_eq!(
            store.changes(scan_id(2), None, 10).await.unwrap(),
            left,
            "after {days} days"
        );
    }
}

pub async fn a_collection_sweeps_only_its_own<S: GraphStore>(store: &S) {
    let mut other = plain("b");
    other.node.owner = Some(collection("s2"));
    let first = scan(store, 1).await;
    // Another collection may see it too; that does not make it its own.
    first.read(collection("s1"), vec![plain("a"), other.clone()]).await;
    first.read(collection("s2"), vec![other]).await;
    first.finish().await;
    let second = scan(store, 2).await;
    second.read(collection("s1"), vec![plain("a")]).await;
    assert_eq!(names(store).await.len(), 2);
}

pub async fn a_sweep_works_in_parts<S: GraphStore>(store: &S) {
    const MANY: u32 = 1_250;
    let first = scan(store, 1).await;
    first.plan(collection("s1")).await;
    let batch = GraphBatch {
        observations: (0..MANY).map(|n| plain(&format!("n{n}"))).collect(),
        listed: Vec::new(),
    };
    first.page(collection("s1"), 1, false, batch).await.unwrap();
    first.close(collection("s1"), 2).await;
    first.finish().await;
    let second = scan(store, 2).await;
    second.plan(collection("s1")).await;
    second
        .page(collection("s1"), 1, true, GraphBatch::default())
        .await
        .unwrap();
    store
        .settle(second.handle, &collection("s1"), CollectionState::Complete)
        .await
        .unwrap();
    let swept = store.sweep(second.handle, &collection("s1")).await.unwrap();
    assert_eq!(swept.nodes, u64::from(MANY));
    assert_eq!(store.counts(tenant()).await.unwrap().nodes, 0);
}
