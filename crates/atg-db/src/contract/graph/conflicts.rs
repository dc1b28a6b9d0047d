//! Several observations of one node.

use atg_models::graph::{Observation, Relation, Source};
use serde_json::{Value, json};

use crate::GraphStore;
use crate::contract::world::*;

fn subnet(source: Source, properties: Value) -> Observation {
    let mut said = resource(&vnet("v").child("subnets", "Default"), properties);
    said.node.source = source;
    said
}

async fn body_of<S: GraphStore>(store: &S) -> Value {
    let id = vnet("v").child("subnets", "Default").node_id();
    let node = store.node(tenant(), &id).await.unwrap().unwrap();
    node.body.unwrap()["properties"].clone()
}

pub async fn a_derived_body_never_replaces_one_that_was_read<S: GraphStore>(store: &S) {
    let read = subnet(Source::Arm, json!({"whole": true}));
    let inline = subnet(Source::Derived, json!({}));
    let first = scan_world(store, 1, vec![read.clone(), inline.clone()]).await;
    assert_eq!(body_of(store).await, json!({"whole": true}));
    let second = scan_world(store, 2, vec![inline, read]).await;
    assert_eq!(body_of(store).await, json!({"whole": true}));
    assert_eq!(first, second);
}

pub async fn a_derived_body_stands_in_when_nothing_else_was_read<S: GraphStore>(store: &S) {
    scan_world(store, 1, vec![subnet(Source::Arm, json!({"whole": true}))]).await;
    scan_world(store, 2, vec![subnet(Source::Derived, json!({"inline": true}))]).await;
    assert_eq!(body_of(store).await, json!({"inline": true}));
}

pub async fn of_two_bodies_of_one_scan_the_same_one_wins<S: GraphStore>(store: &S) {
    let one = subnet(Source::Arg, json!({"n": 1}));
    let two = subnet(Source::Arg, json!({"n": 2}));
    let first = scan_world(store, 1, vec![one.clone(), two.clone()]).await;
    let second = scan_world(store, 2, vec![two, one]).await;
    assert_eq!(first, second);
}

pub async fn a_new_scan_replaces_an_earlier_body<S: GraphStore>(store: &S) {
    for number in 1..=4 {
        scan_world(store, number, vec![subnet(Source::Arg, json!({"n": number}))]).await;
        assert_eq!(body_of(store).await, json!({"n": number}));
    }
}

pub async fn only_the_winners_edges_are_kept<S: GraphStore>(store: &S) {
    let mut read = subnet(Source::Arm, json!({"whole": true}));
    read.edges = vec![edge(end(&vnet("v")), Relation::Contains, end(&vnet("read")))];
    let mut inline = subnet(Source::Derived, json!({}));
    inline.edges = vec![edge(end(&vnet("v")), Relation::Contains, end(&vnet("inline")))];
    for (number, world) in [(1, vec![inline.clone(), read.clone()]), (2, vec![read, inline])] {
        scan_world(store, number, world).await;
        assert_eq!(edge_texts(store).await, ["v CONTAINS read"]);
        assert_eq!(store.node(tenant(), &vnet("inline").node_id()).await.unwrap(), None);
    }
}
