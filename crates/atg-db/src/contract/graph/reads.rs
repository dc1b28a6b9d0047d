//! Reading: pages, walks, streams, and what stands beside the graph.

use std::sync::Arc;

use atg_models::graph::{NodeKind, Observation, Relation, Verdict};
use atg_models::{ArmType, JobId};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::contract::world::*;
use crate::{Change, GraphStore, NodeFilter};

fn chain(names: &[&str]) -> Vec<Observation> {
    let mut world: Vec<_> = names.iter().map(|name| resource(&vnet(name), json!({}))).collect();
    for (at, pair) in names.windows(2).enumerate() {
        world[at].edges = vec![edge(end(&vnet(pair[0])), Relation::DependsOn, end(&vnet(pair[1])))];
    }
    world
}

pub async fn find_pages_by_id<S: GraphStore>(store: &S) {
    scan_world(store, 1, chain(&["a", "b", "c"])).await;
    let first = store
        .find(tenant(), NodeFilter::default(), None, 2, true)
        .await
        .unwrap();
    let names: Vec<_> = first.items.iter().map(|node| node.name.as_str()).collect();
    assert_eq!((names, first.next.clone()), (vec!["a", "b"], Some(vnet("b").node_id())));
    let rest = store
        .find(tenant(), NodeFilter::default(), first.next, 2, false)
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert_eq!(
        (first.items[0].body.is_some(), rest.items[0].body.is_some()),
        (true, false)
    );
}

pub async fn find_filters<S: GraphStore>(store: &S) {
    let other = arm("/subscriptions/s2/resourceGroups/Other/providers/Microsoft.Compute/disks/d");
    let mut world = chain(&["a"]);
    world[0].edges = vec![edge(end(&vnet("a")), Relation::DependsOn, end(&vnet("stub")))];
    world.push(resource(&other, json!({})));
    world.push(thing(&object(1), NodeKind::User));
    scan_world(store, 1, world).await;
    let any = NodeFilter::default();
    for (filter, expected) in [
        (any.clone(), 4),
        (
            NodeFilter {
                kind: Some(NodeKind::User),
                ..any.clone()
            },
            1,
        ),
        (
            NodeFilter {
                kind: Some(NodeKind::Lock),
                ..any.clone()
            },
            0,
        ),
        (
            NodeFilter {
                type_: Some(ArmType::new("Microsoft.Compute/disks")),
                ..any.clone()
            },
            1,
        ),
        (
            NodeFilter {
                subscription_id: Some("s1".to_owned()),
                ..any.clone()
            },
            2,
        ),
        (
            NodeFilter {
                resource_group: Some("other".to_owned()),
                ..any.clone()
            },
            1,
        ),
        (
            NodeFilter {
                observed: Some(false),
                ..any.clone()
            },
            1,
        ),
        (
            NodeFilter {
                observed: Some(true),
                ..any
            },
            3,
        ),
    ] {
        let found = store.find(tenant(), filter.clone(), None, 10, false).await.unwrap();
        assert_eq!(found.items.len(), expected, "{filter:?}");
    }
}

pub async fn a_neighbourhood_has_a_budget<S: GraphStore>(store: &S) {
    scan_world(store, 1, chain(&["a", "b", "c", "d"])).await;
    let around = async |depth, budget| {
        let found = store
            .neighbourhood(tenant(), &vnet("b").node_id(), depth, budget)
            .await
            .unwrap();
        let names: String = found
            .hops
            .iter()
            .map(|hop| hop.node.as_str().rsplit('/').next().unwrap())
            .collect();
        (names, found.truncated)
    };
    assert_eq!(around(1, 10).await, ("ac".to_owned(), false));
    assert_eq!(around(2, 10).await, ("acd".to_owned(), false));
    assert_eq!(around(2, 2).await, ("ac".to_owned(), true));
    assert_eq!(around(1, 1).await, ("a".to_owned(), true));
    let nowhere = store.neighbourhood(tenant(), &vnet("zz").node_id(), 1, 1).await;
    assert!(
        matches!(nowhere, Err(crate::StoreError::NotFound { what: "node" })),
        "{nowhere:?}"
    );
}

pub async fn a_shortest_path<S: GraphStore>(store: &S) {
    let mut world = chain(&["a", "b", "c", "d"]);
    world.push(resource(&vnet("alone"), json!({})));
    world[0]
        .edges
        .push(edge(end(&vnet("a")), Relation::LinkedTo, end(&vnet("c"))));
    scan_world(store, 1, world).await;
    let path = async |from: &str, to: &str, budget| {
        let (from, to) = (vnet(from).node_id(), vnet(to).node_id());
        let (path, truncated) = store.shortest_path(tenant(), &from, &to, budget).await.unwrap();
        let names = path.map(|hops| -> String {
            hops.iter()
                .map(|hop| hop.node.as_str().rsplit('/').next().unwrap())
                .collect()
        });
        (names, truncated)
    };
    assert_eq!(path("a", "d", 100).await, (Some("cd".to_owned()), false));
    assert_eq!(path("d", "a", 100).await, (Some("ca".to_owned()), false));
    assert_eq!(path("a", "a", 100).await, (Some(String::new()), false));
    assert_eq!(path("a", "alone", 100).await, (None, false));
    assert_eq!(path("a", "d", 1).await, (None, true));
}

pub async fn streams_give_everything_in_order<S: GraphStore>(store: &S) {
    // More than one page of a stream.
    let names: Vec<String> = (0..700).map(|n| format!("n{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scan = scan(store, 1).await;
    scan.plan(collection("s1")).await;
    let batch = atg_models::graph::GraphBatch {
        observations: chain(&names),
        listed: Vec::new(),
    };
    scan.page(collection("s1"), 1, true, batch).await.unwrap();
    let nodes: Vec<_> = store
        .snapshot(tenant())
        .await
        .unwrap()
        .map(|node| node.unwrap().name)
        .collect()
        .await;
    assert_eq!(nodes, names);
    let edges = edge_texts(store).await;
    assert_eq!((edges.len(), edges[698].as_str()), (699, "n0698 DEPENDS_ON n0699"));
    // A reader that stops early must not keep anything busy.
    drop(store.snapshot(tenant()).await.unwrap());
}

pub async fn the_export_leaves_out_what_a_scan_alone_knows<S: GraphStore>(store: &S) {
    scan_world(store, 1, chain(&["a", "b"])).await;
    let lines: Vec<String> = store
        .export(tenant())
        .await
        .unwrap()
        .map(|line| line.unwrap())
        .collect()
        .await;
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(&atg_models::canonical::print(&value), line, "canonical");
        for name in [
            "generation",
            "observed_at",
            "source_service",
            "first_seen",
            "last_seen",
            "scan_id",
        ] {
            assert!(value.get(name).is_none(), "{name}");
        }
    }
    assert!(lines[0].contains("\"id\"") && lines[2].contains("\"relation\":\"DEPENDS_ON\""));
}

pub async fn changes_between_scans<S: GraphStore>(store: &S) {
    let first = [
        resource(&vnet("a"), json!({})),
        resource(&vnet("b"), json!({})),
        resource(&vnet("c"), json!({})),
    ];
    scan_world(store, 1, first.to_vec()).await;
    let second = vec![
        resource(&vnet("a"), json!({})),
        resource(&vnet("b"), json!({"new": 1})),
        resource(&vnet("d"), json!({})),
    ];
    scan_world(store, 2, second).await;
    let changes = async |id: JobId, after| store.changes(id, after, 10).await.unwrap();
    let of = |name: &str| vnet(name).node_id();
    let expected = [
        Change::Modified(of("b")),
        Change::Removed(of("c")),
        Change::Added(of("d")),
    ];
    assert_eq!(changes(scan_id(2), None).await, expected);
    assert_eq!(changes(scan_id(2), Some(of("b"))).await, expected[1..]);
    let added = [Change::Added(of("a")), Change::Added(of("b")), Change::Added(of("c"))];
    assert_eq!(changes(scan_id(1), None).await, added);
}

pub async fn a_tenant_is_removed_alone<S: GraphStore>(store: &S) {
    scan_world(store, 1, chain(&["a", "b"])).await;
    let mut start = start(2, 1);
    start.tenant_id = other_tenant();
    let handle = store.begin_scan(start).await.unwrap();
    let mut foreign = resource(&vnet("a"), json!({}));
    foreign.node.tenant_id = other_tenant();
    let other = Scan { store, handle };
    other.read(collection("s1"), vec![foreign]).await;

    let tenants = store.tenants().await.unwrap();
    let summary: Vec<_> = tenants
        .iter()
        .map(|t| (t.tenant_id, t.verdict, t.nodes, t.edges))
        .collect();
    assert_eq!(
        summary,
        [(tenant(), Some(Verdict::Complete), 2, 1), (other_tenant(), None, 1, 0)]
    );
    assert_eq!(store.delete_tenant(tenant()).await.unwrap(), 2);
    assert_eq!(store.node(tenant(), &vnet("a").node_id()).await.unwrap(), None);
    assert_eq!(store.scan(scan_id(1)).await.unwrap(), None);
    assert!(
        store
            .node(other_tenant(), &vnet("a").node_id())
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.tenants().await.unwrap().len(), 1);
    assert_eq!(store.delete_tenant(tenant()).await.unwrap(), 0);
}

pub async fn a_cache_value<S: GraphStore>(store: &S) {
    assert_eq!(store.cache_get(tenant(), "providers").await.unwrap(), None);
    store.cache_put(tenant(), "providers", vec![1]).await.unwrap();
    store.cache_put(tenant(), "providers", vec![2, 3]).await.unwrap();
    assert_eq!(store.cache_get(tenant(), "providers").await.unwrap(), Some(vec![2, 3]));
    assert_eq!(store.cache_get(other_tenant(), "providers").await.unwrap(), None);
    let large = store.cache_put(tenant(), "providers", vec![0; 5 * 1024 * 1024]).await;
    assert!(matches!(large, Err(crate::StoreError::TooLarge { .. })), "{large:?}");
}

pub async fn edges_are_derived_again<S: GraphStore>(store: &S) {
    scan_world(store, 1, chain(&["a", "b", "c"])).await;
    let again = scan(store, 2).await;
    let derive = Arc::new(|node: &atg_models::graph::Node| {
        assert!(node.body.is_some());
        let mut said = resource(&arm(&node.display_id), json!({}));
        said.edges = vec![edge(end(&arm(&node.display_id)), Relation::Uses, end(&vnet("new")))];
        said
    });
    assert_eq!(store.rederive(again.handle, derive).await.unwrap(), 3);
    assert_eq!(edge_texts(store).await, ["a USES new", "b USES new", "c USES new"]);
    assert_eq!(store.health().await, crate::Health::Connected);
}
