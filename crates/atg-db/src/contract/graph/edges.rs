//! Edges, their assertions, and nodes that are only referred to.

use atg_models::NodeId;
use atg_models::graph::{CollectionKey, CollectionState, GraphBatch, NodeKind, Relation};
use serde_json::json;

use crate::GraphStore;
use crate::contract::world::*;

pub async fn a_reference_makes_a_stub_that_reading_fills<S: GraphStore>(store: &S) {
    let mut one = resource(&vnet("a"), json!({}));
    one.edges = vec![edge(end(&vnet("a")), Relation::PeeredWith, end(&vnet("B")))];
    scan_world(store, 1, vec![one.clone()]).await;
    let stub = store.node(tenant(), &vnet("b").node_id()).await.unwrap().unwrap();
    assert_eq!((stub.observed, stub.kind), (false, NodeKind::Resource));
    assert_eq!(stub.type_.unwrap().as_str(), "microsoft.network/virtualnetworks");
    assert_eq!(
        (stub.subscription_id.as_deref(), stub.resource_group.as_deref()),
        (Some("s1"), Some("rg"))
    );

    let read = resource(&vnet("B"), json!({"read": true}));
    scan_world(store, 2, vec![one, read.clone()]).await;
    assert_eq!(
        store.node(tenant(), &vnet("b").node_id()).await.unwrap(),
        Some(read.node)
    );
    assert_eq!(edge_texts(store).await, ["a PEERED_WITH b"]);
}

/// The properties are those of the smallest body; the edge stands while one body states it.
pub async fn two_bodies_state_one_edge<S: GraphStore>(store: &S) {
    let stated = |by: &str| {
        let mut said = resource(&vnet(by), json!({}));
        let peering = edge(end(&vnet("x")), Relation::PeeredWith, end(&vnet("y")));
        said.edges = vec![with(peering, "by", json!(by))];
        said
    };
    let silent = |by: &str| resource(&vnet(by), json!({}));
    for (number, world, by) in [
        (1, vec![stated("b"), stated("a")], Some("a")),
        (2, vec![silent("a"), stated("b")], Some("b")),
        (3, vec![stated("a"), silent("b")], Some("a")),
        (4, vec![silent("a"), silent("b")], None),
    ] {
        scan_world(store, number, world).await;
        let edges = all_edges(store).await;
        let found = edges.first().map(|edge| edge.properties["by"].clone());
        assert_eq!(
            (edges.len(), found),
            (usize::from(by.is_some()), by.map(|by| json!(by))),
            "scan {number}"
        );
        let stub = store.node(tenant(), &vnet("x").node_id()).await.unwrap();
        assert_eq!(stub.is_some(), by.is_some(), "a stub goes with its last edge");
    }
}

pub async fn a_rewritten_body_replaces_its_own_edges_only<S: GraphStore>(store: &S) {
    let said = |by: &str, to: &str| {
        let mut said = resource(&vnet(by), json!({"to": to}));
        said.edges = vec![edge(end(&vnet(by)), Relation::DependsOn, end(&vnet(to)))];
        said
    };
    scan_world(store, 1, vec![said("a", "x"), said("b", "x")]).await;
    scan_world(store, 2, vec![said("a", "y"), said("b", "x")]).await;
    assert_eq!(edge_texts(store).await, ["a DEPENDS_ON y", "b DEPENDS_ON x"]);
}

pub async fn a_derived_node_goes_with_its_last_edge<S: GraphStore>(store: &S) {
    let tag = NodeId::derived("tag", "env=Prod");
    let mut said = resource(&vnet("a"), json!({}));
    said.edges = vec![edge(
        end(&vnet("a")),
        Relation::TaggedWith,
        plain_end(&tag, NodeKind::Tag),
    )];
    scan_world(store, 1, vec![said]).await;
    let node = store.node(tenant(), &tag).await.unwrap().unwrap();
    assert_eq!((node.kind, node.name.as_str()), (NodeKind::Tag, "env=Prod"));
    scan_world(store, 2, vec![resource(&vnet("a"), json!({"untagged": true}))]).await;
    assert_eq!(store.node(tenant(), &tag).await.unwrap(), None);
}

/// Two bodies spell a third one's id differently: which was read first must not show.
pub async fn a_stub_says_only_what_its_id_says<S: GraphStore>(store: &S) {
    let said = |by: &str, to: &str| {
        let mut said = resource(&vnet(by), json!({}));
        said.edges = vec![edge(end(&vnet(by)), Relation::DependsOn, end(&vnet(to)))];
        said
    };
    scan_world(store, 1, vec![said("a", "HUB"), said("b", "hub")]).await;
    let stub = store.node(tenant(), &vnet("hub").node_id()).await.unwrap().unwrap();
    assert_eq!(stub.display_id, vnet("hub").as_str().to_lowercase());
    assert_eq!(stub.name, "hub");
    assert_eq!(all_edges(store).await.len(), 2);
}

pub async fn a_known_kind_stands_before_an_unknown_one<S: GraphStore>(store: &S) {
    let said = |by: &str, kind: NodeKind| {
        let mut said = resource(&vnet(by), json!({"kind": kind}));
        said.edges = vec![edge(end(&vnet(by)), Relation::AssignedTo, plain_end(&object(7), kind))];
        said
    };
    for (number, kinds, expected) in [
        (1, [NodeKind::Stub, NodeKind::User], NodeKind::User),
        (2, [NodeKind::User, NodeKind::Stub], NodeKind::User),
        (3, [NodeKind::Stub, NodeKind::Stub], NodeKind::Stub),
    ] {
        let [one, two] = kinds;
        scan_world(store, number, vec![said("a", one), said("b", two)]).await;
        let stub = store.node(tenant(), &object(7)).await.unwrap().unwrap();
        assert_eq!(stub.kind, expected, "scan {number}");
    }
}

pub async fn a_listed_edge_goes_when_it_is_not_renewed<S: GraphStore>(store: &S) {
    let members = CollectionKey::new("graph.members", "g");
    let (group, one, two) = (object(1), object(2), object(3));
    let first = scan(store, 1).await;
    first
        .list(members.clone(), vec![member(&group, &one), member(&group, &two)])
        .await;
    first.finish().await;
    assert_eq!(all_edges(store).await.len(), 2);
    let second = scan(store, 2).await;
    second.list(members, vec![member(&group, &two)]).await;
    second.finish().await;
    let edges = all_edges(store).await;
    assert_eq!(edges.len(), 1);
    assert_eq!(edges[0].source, two);
    assert_eq!(store.node(tenant(), &one).await.unwrap(), None);
}

pub async fn a_listing_that_failed_removes_nothing<S: GraphStore>(store: &S) {
    let members = CollectionKey::new("graph.members", "g");
    let first = scan(store, 1).await;
    first.list(members.clone(), vec![member(&object(1), &object(2))]).await;
    first.finish().await;
    let second = scan(store, 2).await;
    second.plan(members.clone()).await;
    second
        .page(members.clone(), 1, true, GraphBatch::default())
        .await
        .unwrap();
    let reason = "cut".to_owned();
    store
        .settle(second.handle, &members, CollectionState::Failed { reason })
        .await
        .unwrap();
    assert_eq!(
        store.sweep(second.handle, &members).await.unwrap(),
        crate::Swept::default()
    );
    assert_eq!(all_edges(store).await.len(), 1);
}
