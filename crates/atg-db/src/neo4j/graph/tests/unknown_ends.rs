//! Commits of the graph whose answer is lost: whatever became of them, each is carried out once and answers
//! what it came to.

use std::sync::Arc;

use atg_models::graph::{CollectionState, GraphBatch, Observation, Relation, Verdict};
use serde_json::json;

use crate::contract::world::*;
use crate::neo4j::Neo4jGraph;
use crate::neo4j::driver::Driver;
use crate::neo4j::tests::cutter::{CUTS, Cut, Cutter};
use crate::neo4j::tests::world::{Turn, fresh};
use crate::{Applied, GraphStore as _, Swept};

/// A store behind a proxy.
struct Lossy {
    cutter: Cutter,
    store: Neo4jGraph,
    _turn: Turn,
}

async fn lossy(cut: Cut) -> Option<Lossy> {
    let turn = fresh().await?;
    let cutter = Cutter::start(&turn.config, cut).await;
    let driver = Arc::new(Driver::new(&cutter.config(&turn.config)).unwrap());
    Some(Lossy {
        cutter,
        store: Neo4jGraph::new(driver),
        _turn: turn,
    })
}

/// Networks that refer to each other.
fn networks(names: &[&str]) -> GraphBatch {
    let network = |name: &&str| -> Observation {
        let mut said = resource(&vnet(name), json!({"name": name}));
        said.edges = vec![edge(end(&vnet(name)), Relation::PeeredWith, end(&vnet("hub")))];
        said.aliases = vec![alias(name)];
        said.lookups = vec![lookup("one", end(&vnet(name)))];
        said
    };
    GraphBatch {
        observations: names.iter().map(network).collect(),
        listed: vec![member(&object(1), &object(2))],
    }
}

/// Scans with every commit's answer lost once; the edges and counts at the end.
async fn told(world: &Lossy, number: u128, names: &[&str], written: u64, removed: u64) {
    let Lossy { cutter, store, .. } = world;
    cutter.cut(1);
    let scan = scan(store, number).await;
    cutter.cut(1);
    scan.plan(collection("s1")).await;
    cutter.cut(1);
    let applied = scan.page(collection("s1"), 1, false, networks(names)).await.unwrap();
    let unchanged = u64::try_from(names.len()).unwrap() - written;
    assert_eq!(applied, Applied { written, unchanged });
    cutter.cut(1);
    let last = scan.page(collection("s1"), 2, true, GraphBatch::default()).await;
    last.unwrap();
    cutter.cut(1);
    let key = collection("s1");
    let settled = store.settle(scan.handle, &key, CollectionState::Complete).await;
    settled.unwrap();
    cutter.cut(1);
    let swept = store.sweep(scan.handle, &key).await.unwrap();
    let listed = 0;
    assert_eq!(swept, Swept { nodes: removed, listed });
    cutter.cut(1);
    let end = ended(Verdict::Complete);
    let record = store.finish_scan(scan.handle, end).await.unwrap();
    let counts = record.end.unwrap().counts;
    assert_eq!(
        (counts.written, counts.unchanged, counts.removed),
        (written, unchanged, removed)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_written_once_and_counted_once() {
    for cut in CUTS {
        let Some(world) = lossy(cut).await else { return };
        told(&world, 1, &["one", "two"], 2, 0).await;
        let first = edge_texts(&world.store).await;
        assert_eq!(first.len(), 5, "{cut:?}: {first:?}");
        told(&world, 2, &["one", "new"], 1, 1).await;
        let second = edge_texts(&world.store).await;
        assert_eq!(second.len(), 5, "{cut:?}: {second:?}");
        let changes = world.store.changes(scan_id(2), None, 10).await.unwrap();
        assert_eq!(changes.len(), 2, "{cut:?}: {changes:?}");
        world.cutter.cut(2);
        // Two networks, what they are peered with, a group and its member.
        assert_eq!(world.store.delete_tenant(tenant()).await.unwrap(), 5, "{cut:?}");
    }
}
