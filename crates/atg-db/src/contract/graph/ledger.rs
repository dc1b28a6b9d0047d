//! The ledger.

use atg_models::Seq;
use atg_models::graph::{CollectionState, GraphBatch, LedgerEntry, LedgerProgress, Partition, PartitionKey};

use crate::contract::world::*;
use crate::{GraphStore, StoreError};

async fn only_entry<S: GraphStore>(store: &S) -> LedgerEntry {
    let mut entries = store.ledger(scan_id(1)).await.unwrap();
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

/// What was not planned has no place to be noted in.
pub async fn a_page_needs_its_plan<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    let unplanned = scan.page(collection("s1"), 1, true, GraphBatch::default()).await;
    assert!(
        matches!(unplanned, Err(StoreError::NotFound { what: "collection" })),
        "{unplanned:?}"
    );
    scan.plan(collection("s1")).await;
    let mut progress = progress(collection("s1"), 1, true);
    progress.partition.key = PartitionKey("other".to_owned());
    let unplanned = store.apply(scan.handle, GraphBatch::default(), progress).await;
    assert!(
        matches!(unplanned, Err(StoreError::NotFound { what: "partition" })),
        "{unplanned:?}"
    );
}

pub async fn complete_needs_every_partition<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    let mut plan = planned(collection("s1"));
    plan.partitions.push(PartitionKey("1".to_owned()));
    store.plan(scan.handle, vec![plan]).await.unwrap();
    scan.page(collection("s1"), 1, true, GraphBatch::default())
        .await
        .unwrap();
    let early = store
        .settle(scan.handle, &collection("s1"), CollectionState::Complete)
        .await;
    assert!(matches!(early, Err(StoreError::Corrupt { .. })), "{early:?}");
    assert_eq!(only_entry(store).await.state, CollectionState::Reading);
    let mut rest = progress(collection("s1"), 1, true);
    rest.partition.key = PartitionKey("1".to_owned());
    store.apply(scan.handle, GraphBatch::default(), rest).await.unwrap();
    store
        .settle(scan.handle, &collection("s1"), CollectionState::Complete)
        .await
        .unwrap();
    assert_eq!(only_entry(store).await.state, CollectionState::Complete);
}

pub async fn a_settled_collection_takes_no_page<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let permission = "Reader".to_owned();
    let state = CollectionState::Forbidden { permission };
    store
        .settle(scan.handle, &collection("s1"), state.clone())
        .await
        .unwrap();
    let late = scan.page(collection("s1"), 1, false, GraphBatch::default()).await;
    assert!(matches!(late, Err(StoreError::Corrupt { .. })), "{late:?}");
    assert_eq!(only_entry(store).await.state, state);
}

/// After an expired cursor, page 1 is a new page.
pub async fn a_partition_starts_again<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let batch = |name: &str| GraphBatch {
        observations: vec![resource(&vnet(name), serde_json::json!({}))],
        listed: Vec::new(),
    };
    scan.page(collection("s1"), 1, false, batch("a")).await.unwrap();
    let part = PartitionKey("0".to_owned());
    store
        .restart_partition(scan.handle, &collection("s1"), &part)
        .await
        .unwrap();
    assert_eq!(only_entry(store).await.partitions, [Partition::unread(part)]);
    let again = scan.page(collection("s1"), 1, false, batch("b")).await.unwrap();
    assert_eq!(again.written, 1);
}

/// A second attempt's plan keeps what was read and adds what is new.
pub async fn a_plan_is_resumed<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    scan.page(collection("s1"), 1, false, GraphBatch::default())
        .await
        .unwrap();
    let taken = store.begin_scan(start(1, 2)).await.unwrap();
    let mut plan = planned(collection("s1"));
    plan.partitions.push(PartitionKey("1".to_owned()));
    store.plan(taken, vec![plan]).await.unwrap();
    let entry = only_entry(store).await;
    let read: Vec<_> = entry
        .partitions
        .iter()
        .map(|part| (part.pages, part.cursor.as_deref()))
        .collect();
    assert_eq!(read, [(1, Some("after 1")), (0, None)]);
}

/// Pages of one partition may overtake each other; the cursor is the furthest one's.
pub async fn a_late_page_does_not_turn_the_cursor_back<S: GraphStore>(store: &S) {
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    scan.page(collection("s1"), 2, true, GraphBatch::default())
        .await
        .unwrap();
    let late = LedgerProgress {
        page: Seq::new(1),
        ..progress(collection("s1"), 1, false)
    };
    let batch = GraphBatch {
        observations: vec![resource(&vnet("a"), serde_json::json!({}))],
        listed: Vec::new(),
    };
    let applied = store.apply(scan.handle, batch, late).await.unwrap();
    assert_eq!(applied.written, 1);
    assert!(only_entry(store).await.partitions[0].done);
}
