//! What half an import leaves, and what a store that is used refuses.

use super::Neo4j;
use crate::contract::jobs::{insert, new, worker};
use crate::contract::moving::{exported, imported, parts, without_end};
use crate::contract::world::*;
use crate::moving::{Begun, MoveError, MoveSource as _, Part, Record};
use crate::neo4j::Stores;
use crate::sqlite::SqliteSource;
use crate::{GraphStore as _, JobLimits, JobStore as _, StoreError};

async fn folder() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let stores = crate::sqlite::open(folder.path()).unwrap();
    scan_world(
        &*stores.graph,
        1,
        vec![tenant_node(), resource(&vnet("a"), serde_json::json!({}))],
    )
    .await;
    insert(&*stores.jobs, new(1)).await;
    let (file, _) = exported(&SqliteSource::new(folder.path()).unwrap()).await.unwrap();
    (folder, file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_used_is_not_imported_into() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let (_folder, file) = folder().await;
    insert(&neo4j.jobs, new(7)).await;
    let refused = imported(&neo4j.target(), &file).await;
    assert!(
        matches!(&refused, Err(MoveError::NotEmpty { holds, .. }) if holds == "1 jobs"),
        "{:?}",
        refused.err()
    );
    assert!(neo4j.jobs.get(new(7).id).await.unwrap().is_some());
    assert!(neo4j.graph.tenants().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_import_starts_no_server_and_is_begun_anew() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let (folder, file) = folder().await;
    let cut = imported(&neo4j.target(), &without_end(&file)).await;
    assert!(matches!(cut, Err(MoveError::NotWhole { .. })), "{:?}", cut.err());

    let stores = Stores::new(&neo4j.turn.config, JobLimits::default()).unwrap();
    let refused = stores.prepare().await;
    assert!(matches!(refused, Err(StoreError::HalfImported { .. })), "{refused:?}");
    let refused = neo4j.source().begin().await;
    assert!(
        matches!(refused, Err(MoveError::Store(StoreError::HalfImported { .. }))),
        "{refused:?}"
    );
    // A server that was up already gets nothing to do.
    assert!(neo4j.jobs.get(new(1).id).await.unwrap().is_some());
    assert!(neo4j.jobs.claim(&worker(), at(9)).await.unwrap().is_none());

    let taken = imported(&neo4j.target(), &file).await.unwrap();
    assert_eq!(taken.begun, Begun::Again);
    stores.prepare().await.unwrap();
    let source = SqliteSource::new(folder.path()).unwrap();
    assert_eq!(parts(&source).await, parts(&neo4j.source()).await);
    assert!(neo4j.jobs.claim(&worker(), at(9)).await.unwrap().is_some());
}

/// Writes something else than what it is given.
struct Losing(crate::neo4j::Neo4jTarget);

#[async_trait::async_trait]
impl crate::moving::MoveTarget for Losing {
    async fn look(&self) -> Result<(), MoveError> {
        self.0.look().await
    }
    async fn begin(&self) -> Result<Begun, MoveError> {
        self.0.begin().await
    }
    async fn write(&self, part: Part, mut records: Vec<Record>) -> Result<(), StoreError> {
        for record in &mut records {
            if let Record::Node(node) = record {
                node.generation += 1;
            }
        }
        self.0.write(part, records).await
    }
    async fn written(&self) -> Result<Box<dyn crate::moving::MoveSource>, StoreError> {
        self.0.written().await
    }
    async fn end(&self) -> Result<(), StoreError> {
        self.0.end().await
    }
}

/// What is lost on its way is found at the end, and the mark stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_come_over_is_found() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let (_folder, file) = folder().await;
    let lost = imported(&Losing(neo4j.target()), &file).await;
    assert!(
        matches!(&lost, Err(MoveError::Differs { differs }) if differs.len() == 1),
        "{:?}",
        lost.err()
    );
    assert!(neo4j.source().begin().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graph_that_changes_is_not_exported_as_one_state() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let world: Vec<_> = (0..5)
        .map(|n| resource(&vnet(&format!("n{n}")), serde_json::json!({})))
        .collect();
    scan_world(&neo4j.graph, 1, world).await;
    let source = neo4j.source();
    let tenants = source.begin().await.unwrap();
    // Another scan begins behind the moment at which jobs were read.
    let later = scan(&neo4j.graph, 2).await;
    later.plan(collection("s1")).await;
    let changed = source.tenant(tenants[0], &mut |_| Ok(())).await;
    assert!(
        matches!(&changed, Err(MoveError::Store(error)) if error.is_retryable()),
        "{changed:?}"
    );
    assert_eq!(source.begin().await.unwrap(), tenants);
    source.tenant(tenants[0], &mut |_| Ok(())).await.unwrap();
}
