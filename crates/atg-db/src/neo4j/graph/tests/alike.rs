//! What is read is what SQLite answers of the same scans.

use atg_models::NodeId;
use atg_models::graph::{NodeKind, Observation, Relation};
use futures_util::StreamExt as _;
use serde_json::json;

use super::graph;
use crate::contract::world::*;
use crate::sqlite::SqliteGraph;
use crate::{GraphStore, NodeFilter};

/// Names in the order of their bytes, which is not that of UTF-16.
const NAMES: &[&str] = &[
    "A",
    "a",
    "a b",
    "b",
    "ä",
    "中",
    "\u{E000}",
    "\u{FFEE}",
    "\u{10000}",
    "\u{1F600}",
];

fn tag(name: &str) -> NodeId {
    NodeId::derived("tag", name)
}

/// Every thing is linked with every tag, and two of them in both directions.
fn world() -> Vec<Observation> {
    let mut world: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|name| {
            let mut said = resource(&vnet(name), json!({"of": name}));
            said.edges = NAMES
                .iter()
                .map(|tag_name| {
                    let target = plain_end(&tag(tag_name), NodeKind::Tag);
                    let tagged = edge(end(&vnet(name)), Relation::TaggedWith, target);
                    with(tagged, "from", json!(name))
                })
                .collect();
            said
        })
        .collect();
    for (from, to) in [("one", "two"), ("two", "one"), ("three", "three")] {
        let at = world.iter().position(|said| said.node.name == from).unwrap();
        world[at]
            .edges
            .push(edge(end(&vnet(from)), Relation::PeeredWith, end(&vnet(to))));
    }
    world.push(thing(&object(1), NodeKind::User));
    world.push(tenant_node());
    world
}

/// The same scans on both.
async fn fill<S: GraphStore>(store: &S) {
    scan_world(store, 1, world()).await;
    let mut later = world();
    later.remove(1);
    later[0] = resource(&vnet("one"), json!({"of": "another"}));
    later[0].node.kind = NodeKind::Resource;
    later.push(resource(&vnet("new"), json!({})));
    scan_world(store, 2, later).await;
    let open = scan(store, 3).await;
    open.plan(collection("s1")).await;
    open.page(
        collection("s1"),
        1,
        false,
        atg_models::graph::GraphBatch {
            observations: world(),
            listed: vec![member(&object(7), &object(8))],
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_read_as_from_sqlite() {
    let Some((neo4j, _turn)) = graph().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let stores = crate::sqlite::open(&folder.path().join("data")).unwrap();
    let sqlite: &SqliteGraph = &stores.graph;
    let neo4j = &*neo4j;
    fill(sqlite).await;
    fill(neo4j).await;

    let all = ids(sqlite).await;
    assert_eq!(all, ids(neo4j).await);
    assert!(all.is_sorted(), "{all:?}");
    assert_eq!(lines(sqlite).await, lines(neo4j).await);
    assert_eq!(all_edges(sqlite).await, all_edges(neo4j).await);
    assert_eq!(
        sqlite.digest(tenant()).await.unwrap(),
        neo4j.digest(tenant()).await.unwrap()
    );
    assert_eq!(
        sqlite.counts(tenant()).await.unwrap(),
        neo4j.counts(tenant()).await.unwrap()
    );
    assert_eq!(sqlite.tenants().await.unwrap(), neo4j.tenants().await.unwrap());
    for number in 1..=3 {
        let id = scan_id(number);
        assert_eq!(sqlite.scan(id).await.unwrap(), neo4j.scan(id).await.unwrap());
        assert_eq!(sqlite.ledger(id).await.unwrap(), neo4j.ledger(id).await.unwrap());
        for limit in [0, 1, 3, 100] {
            for after in [None, Some(vnet("one").node_id())] {
                let of_sqlite = sqlite.changes(id, after.clone(), limit).await.unwrap();
                assert_eq!(
                    of_sqlite,
                    neo4j.changes(id, after, limit).await.unwrap(),
                    "{number} {limit}"
                );
            }
        }
    }
    for from in &all {
        assert_eq!(
            sqlite.node(tenant(), from).await.unwrap(),
            neo4j.node(tenant(), from).await.unwrap()
        );
        for (depth, budget) in [(0, 5), (1, 0), (1, 3), (1, 100), (2, 7), (2, 29), (3, 1000)] {
            let around = sqlite.neighbourhood(tenant(), from, depth, budget).await.unwrap();
            let same = neo4j.neighbourhood(tenant(), from, depth, budget).await.unwrap();
            assert_eq!(around, same, "{from} {depth} {budget}");
        }
    }
    for (from, to) in all.iter().zip(all.iter().rev()) {
        for budget in [0, 1, 5, 20, 1000] {
            let path = sqlite.shortest_path(tenant(), from, to, budget).await.unwrap();
            let same = neo4j.shortest_path(tenant(), from, to, budget).await.unwrap();
            assert_eq!(path, same, "{from} {to} {budget}");
        }
    }
}

/// By pages of every size.
async fn ids<S: GraphStore>(store: &S) -> Vec<NodeId> {
    let mut answers = Vec::new();
    for limit in [1, 2, 5, 1000] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = store
                .find(tenant(), NodeFilter::default(), after, limit, false)
                .await
                .unwrap();
            found.extend(page.items.into_iter().map(|node| node.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        answers.push(found);
    }
    let first = answers.remove(0);
    assert!(answers.iter().all(|other| *other == first));
    first
}

async fn lines<S: GraphStore>(store: &S) -> Vec<String> {
    let lines = store.export(tenant()).await.unwrap();
    lines.map(Result::unwrap).collect().await
}
