//! Many nodes: the same digest from both stores.

use std::time::Instant;

use atg_models::NodeId;
use atg_models::graph::{GraphBatch, NodeKind, Observation, Relation};
use serde_json::json;

use super::Neo4j;
use crate::GraphStore as _;
use crate::contract::moving::{exported, imported};
use crate::contract::world::*;
use crate::neo4j::graph::asked;
use crate::sqlite::SqliteSource;

/// Nodes where the environment does not say.
const FEW: u64 = 3_000;
/// Nodes of a page.
const PAGE: u64 = 1_000;

/// A network that refers to its group, a tag and the one before it.
fn network(number: u64) -> Observation {
    let id = vnet(&format!("n{number:07}"));
    let mut said = resource(
        &id,
        json!({"number": number, "prefix": format!("10.{}.0.0/16", number % 250)}),
    );
    let group = arm("/subscriptions/S1/resourceGroups/Rg");
    let tag = NodeId::derived("tag", &format!("env={}", number % 7));
    said.edges = vec![
        edge(end(&group), Relation::Contains, end(&id)),
        edge(end(&id), Relation::TaggedWith, plain_end(&tag, NodeKind::Tag)),
        edge(
            end(&id),
            Relation::PeeredWith,
            end(&vnet(&format!("n{:07}", number / 2))),
        ),
    ];
    said.aliases = vec![alias(&format!("host{number}"))];
    said.lookups = vec![lookup(&format!("host{}", number / 3), end(&id))];
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::disallowed_methods, reason = "the time of a long run is printed")]
async fn an_export_of_many_nodes_has_one_digest() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let folder = tempfile::tempdir().unwrap();
    // A longer run may keep the folder, to measure the programs on it.
    let kept = std::env::var("ATG_TEST_EXPORT_FOLDER").map(std::path::PathBuf::from);
    let data = kept.unwrap_or_else(|_| folder.path().join("data"));
    let sqlite = crate::sqlite::open(&data).unwrap();
    let count = asked("ATG_TEST_EXPORT_NODES", FEW);
    let scan = scan(&*sqlite.graph, 1).await;
    scan.plan(collection("s1")).await;
    let mut page = 0;
    for first in (0..count).step_by(usize::try_from(PAGE).unwrap()) {
        page += 1;
        let observations = (first..count.min(first + PAGE)).map(network).collect();
        let listed = Vec::new();
        let batch = GraphBatch { observations, listed };
        scan.page(collection("s1"), page, false, batch).await.unwrap();
    }
    scan.close(collection("s1"), page + 1).await;
    let record = scan.finish().await;

    let started = Instant::now();
    let (file, sent) = exported(&SqliteSource::new(&data).unwrap()).await.unwrap();
    println!(
        "{count} nodes from SQLite in {:?}, {} KiB",
        started.elapsed(),
        file.len() / 1024
    );
    let started = Instant::now();
    imported(&neo4j.target(), &file).await.unwrap();
    println!("into Neo4j and compared in {:?}", started.elapsed());
    let started = Instant::now();
    let (_, again) = exported(&neo4j.source()).await.unwrap();
    println!("from Neo4j in {:?}", started.elapsed());
    assert_eq!(sent.parts, again.parts);
    assert!(sent.count("nodes") > count);
    let digest = sqlite.graph.digest(tenant()).await.unwrap();
    assert_eq!(record.graph_digest.as_ref(), Some(&digest));
    assert_eq!(neo4j.graph.digest(tenant()).await.unwrap(), digest);
    assert_eq!(sent.parts.last().unwrap().graph_digest, Some(digest));
}
