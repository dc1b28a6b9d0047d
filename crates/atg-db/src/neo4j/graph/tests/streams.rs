//! Streams of many pages, and of one state.

use atg_models::graph::{GraphBatch, Observation, Relation};
use futures_util::{Stream, StreamExt as _};
use serde_json::json;

use super::graph;
use crate::contract::world::*;
use crate::neo4j::limits;
use crate::{GraphStore, StoreError};

fn plain(number: usize) -> Observation {
    resource(&vnet(&format!("n{number:05}")), json!({"n": number}))
}

async fn page<S: GraphStore>(scan: &Scan<'_, S>, number: u64, observations: Vec<Observation>) {
    let batch = GraphBatch {
        observations,
        listed: Vec::new(),
    };
    scan.page(collection("s1"), number, false, batch).await.unwrap();
}

/// What a stream gave before its error, and the error.
async fn to_the_end<T>(stream: impl Stream<Item = Result<T, StoreError>>) -> (usize, Option<StoreError>) {
    let items: Vec<_> = stream.collect().await;
    let all = items.len();
    let errors: Vec<_> = items.into_iter().filter_map(Result::err).collect();
    assert!(errors.len() <= 1, "an error is the end");
    (all - errors.len(), errors.into_iter().next())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_come_in_many_pages_with_bodies_of_every_size() {
    let Some((store, _turn)) = graph().await else { return };
    let full = usize::try_from(limits::STREAM_NODES).unwrap();
    let inline = usize::try_from(limits::INLINE_BODY_CHARS).unwrap();
    let mut world: Vec<_> = (0..2 * full + 10).map(plain).collect();
    // Large ones alone, beside each other, at the edge of a page, and of several bytes a character.
    for (at, text) in [
        (3, "x".repeat(inline)),
        (4, "ä".repeat(inline)),
        (full - 1, "y".repeat(3 * 1024 * 1024)),
        (full, "z".repeat(3 * 1024 * 1024)),
        (full + 1, "\u{1F600}".repeat(inline - 100)),
    ] {
        world[at] = resource(&vnet(&format!("n{at:05}")), json!({ "text": text }));
    }
    let scan = scan(&*store, 1).await;
    scan.plan(collection("s1")).await;
    page(&scan, 1, world.clone()).await;
    let stream = store.snapshot(tenant()).await.unwrap();
    let nodes: Vec<_> = stream.map(Result::unwrap).collect().await;
    let said: Vec<_> = world.into_iter().map(|said| said.node).collect();
    assert_eq!(nodes.len(), said.len());
    for (node, said) in nodes.iter().zip(&said) {
        assert!(node == said, "{} came back otherwise", said.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_may_have_more_edges_than_a_page_holds() {
    let Some((store, _turn)) = graph().await else { return };
    let mut hub = resource(&vnet("hub"), json!({}));
    let many = limits::STREAM_EDGES + 500;
    hub.edges = (0..many)
        .map(|n| edge(end(&vnet("hub")), Relation::Uses, end(&vnet(&format!("t{n:05}")))))
        .collect();
    let small: Vec<_> = ["a", "z"]
        .into_iter()
        .map(|name| {
            let mut said = resource(&vnet(name), json!({}));
            said.edges = vec![edge(end(&vnet(name)), Relation::Uses, end(&vnet("hub")))];
            said
        })
        .collect();
    let scan = scan(&*store, 1).await;
    scan.plan(collection("s1")).await;
    page(&scan, 1, vec![hub]).await;
    page(&scan, 2, small).await;
    let texts = edge_texts(&*store).await;
    let mut expected = vec!["a USES hub".to_owned()];
    expected.extend((0..many).map(|n| format!("hub USES t{n:05}")));
    expected.push("z USES hub".to_owned());
    assert!(
        texts == expected,
        "{} of {} edges in order",
        texts.len(),
        expected.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_meets_a_change_ends_with_an_error() {
    let Some((store, _turn)) = graph().await else { return };
    let scan = scan(&*store, 1).await;
    scan.plan(collection("s1")).await;
    page(&scan, 1, (0..10).map(plain).collect()).await;
    // Each stream has begun, and not ended, when the next page is stored.
    let nodes = store.snapshot(tenant()).await.unwrap();
    let edges = store.edges(tenant()).await.unwrap();
    let mut lines = store.export(tenant()).await.unwrap();
    assert!(lines.next().await.unwrap().is_ok());
    page(&scan, 2, vec![plain(10)]).await;
    let changed = |error: Option<StoreError>| {
        let error = error.expect("an error");
        assert!(error.is_retryable(), "{error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "the tenant's graph changed while it was read");
    };
    changed(to_the_end(nodes).await.1);
    changed(to_the_end(edges).await.1);
    changed(to_the_end(lines).await.1);
    let (nodes, error) = to_the_end(store.snapshot(tenant()).await.unwrap()).await;
    assert!(nodes == 11 && error.is_none(), "{nodes}, {error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_was_made_again_is_another_state() {
    let Some((store, _turn)) = graph().await else { return };
    scan_world(&*store, 1, vec![plain(1)]).await;
    let stream = store.snapshot(tenant()).await.unwrap();
    store.delete_tenant(tenant()).await.unwrap();
    scan_world(&*store, 2, vec![plain(1)]).await;
    let (_, error) = to_the_end(stream).await;
    assert!(error.is_some_and(|error| error.is_retryable()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_change_is_none() {
    let Some((store, _turn)) = graph().await else { return };
    scan_world(&*store, 1, vec![plain(1)]).await;
    let stream = store.snapshot(tenant()).await.unwrap();
    let mut other = start(2, 1);
    other.tenant_id = other_tenant();
    let handle = store.begin_scan(other).await.unwrap();
    let mut foreign = plain(1);
    foreign.node.tenant_id = other_tenant();
    let other = Scan { store: &*store, handle };
    other.read(collection("s1"), vec![foreign]).await;
    let (nodes, error) = to_the_end(stream).await;
    assert!(nodes == 1 && error.is_none(), "{nodes}, {error:?}");
}
