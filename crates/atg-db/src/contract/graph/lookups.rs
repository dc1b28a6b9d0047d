//! Look-ups and the aliases that answer them.

use atg_models::graph::{EndDirection, Observation, ScanHandle};
use serde_json::json;

use crate::GraphStore;
use crate::contract::world::*;

fn asks(by: &str, host: &str) -> Observation {
    let mut said = resource(&vnet(by), json!({"host": host}));
    said.lookups = vec![lookup(host, end(&vnet(by)))];
    said
}

fn answers(by: &str, host: &str) -> Observation {
    let mut said = resource(&vnet(by), json!({"is": host}));
    said.aliases = vec![alias(host)];
    said
}

async fn open<S: GraphStore>(store: &S) -> (u64, u64) {
    let counts = store.counts(tenant()).await.unwrap();
    (counts.open_lookups, counts.ambiguous_aliases)
}

pub async fn a_lookup_is_answered_whichever_comes_first<S: GraphStore>(store: &S) {
    let forth = scan_world(store, 1, vec![asks("a", "h"), answers("b", "h")]).await;
    assert_eq!(edge_texts(store).await, ["a LINKED_TO b"]);
    store.delete_tenant(tenant()).await.unwrap();
    let back = scan_world(store, 2, vec![answers("b", "h"), asks("a", "h")]).await;
    assert_eq!(edge_texts(store).await, ["a LINKED_TO b"]);
    assert_eq!(forth, back);
    assert_eq!(open(store).await, (0, 0));
}

pub async fn a_lookup_from_the_found_side<S: GraphStore>(store: &S) {
    let mut asking = asks("a", "h");
    asking.lookups[0].direction = EndDirection::FromFound;
    scan_world(store, 1, vec![asking, answers("b", "h")]).await;
    assert_eq!(edge_texts(store).await, ["b LINKED_TO a"]);
}

pub async fn an_ambiguous_alias_answers_nothing<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![answers("b", "h"), asks("a", "h"), answers("c", "h")]).await;
    assert_eq!((edge_texts(store).await.len(), open(store).await), (0, (1, 1)));
    // One of the two takes another name: the alias is unambiguous again.
    scan_world(store, 2, vec![answers("b", "other"), asks("a", "h"), answers("c", "h")]).await;
    assert_eq!(edge_texts(store).await, ["a LINKED_TO c"]);
    assert_eq!(open(store).await, (0, 0));
}

pub async fn an_answer_goes_with_its_node<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![asks("a", "h"), answers("b", "h")]).await;
    scan_world(store, 2, vec![asks("a", "h")]).await;
    assert_eq!((edge_texts(store).await.len(), open(store).await), (0, (1, 0)));
    assert_eq!(store.node(tenant(), &vnet("b").node_id()).await.unwrap(), None);
    scan_world(store, 3, vec![asks("a", "h"), answers("b", "h")]).await;
    assert_eq!(edge_texts(store).await, ["a LINKED_TO b"]);
}

pub async fn a_lookup_goes_with_its_body<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![asks("a", "h"), answers("b", "h")]).await;
    scan_world(store, 2, vec![resource(&vnet("a"), json!({})), answers("b", "h")]).await;
    assert_eq!((edge_texts(store).await.len(), open(store).await), (0, (0, 0)));
}

/// A look-up may speak for another node than its body's.
pub async fn an_anchor_stands_for_the_body<S: GraphStore>(store: &S) {
    let mut asking = asks("a", "h");
    asking.lookups = vec![lookup("h", end(&vnet("anchor")))];
    scan_world(store, 1, vec![asking.clone()]).await;
    let anchor = vnet("anchor").node_id();
    assert_eq!(store.node(tenant(), &anchor).await.unwrap(), None, "no edge, no stub");
    scan_world(store, 2, vec![asking.clone(), answers("b", "h")]).await;
    assert_eq!(edge_texts(store).await, ["anchor LINKED_TO b"]);
    scan_world(store, 3, vec![asking]).await;
    assert_eq!(store.node(tenant(), &anchor).await.unwrap(), None);
}

pub async fn tenants_do_not_answer_each_other<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![asks("a", "h")]).await;
    let mut start = start(2, 1);
    start.tenant_id = other_tenant();
    let handle: ScanHandle = store.begin_scan(start).await.unwrap();
    let mut foreign = answers("b", "h");
    foreign.node.tenant_id = other_tenant();
    Scan { store, handle }.read(collection("s1"), vec![foreign]).await;
    assert_eq!((edge_texts(store).await.len(), open(store).await), (0, (1, 0)));
    // Nor when the question comes second.
    scan_world(store, 3, vec![asks("c", "h")]).await;
    assert_eq!((edge_texts(store).await.len(), open(store).await), (0, (1, 0)));
    assert_eq!(store.node(tenant(), &vnet("b").node_id()).await.unwrap(), None);
}
