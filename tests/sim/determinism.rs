//! Equal tenants give equal graphs, however they are shown.

use std::collections::BTreeSet;

use atg_models::graph::Verdict;
use serde_json::Value;

use crate::worlds::{config, scanned};

const RESOURCES: usize = 400;

/// Node ids and edge keys, without what depends on the spelling.
fn keys(export: &[String]) -> BTreeSet<String> {
    let key = |line: &String| {
        let line: Value = serde_json::from_str(line).unwrap();
        match line.get("source").filter(|_| line.get("target").is_some()) {
            Some(source) => format!(
                "edge {source} {} {} {}",
                line["relation"], line["target"], line["qualifier"]
            ),
            None => format!("node {}", line["id"]),
        }
    };
    let keys: BTreeSet<String> = export.iter().map(key).collect();
    assert_eq!(keys.len(), export.len(), "keys are unique");
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn another_order_gives_the_same_digest() {
    let (_, _, plain) = scanned(config(RESOURCES)).await;
    assert_eq!(plain.verdict, Verdict::Complete, "{:?}", plain.gaps);
    for order in [1, 2, 3] {
        let mut disturbed = config(RESOURCES);
        disturbed.order_seed = Some(order);
        disturbed.arg_page_rows = 7 + 13 * usize::try_from(order).unwrap();
        let (_, _, result) = scanned(disturbed).await;
        assert_eq!(result.graph_digest, plain.graph_digest, "order {order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_casing_gives_the_same_keys() {
    let (folder, sim, _) = scanned(config(RESOURCES)).await;
    let tenant = sim.world().tenant_id();
    let plain = keys(&folder.export(tenant).await);
    assert!(plain.iter().any(|key| key.starts_with("edge")));
    for casing in [1, 2] {
        let mut disturbed = config(RESOURCES);
        disturbed.casing_seed = Some(casing);
        let (folder, _, result) = scanned(disturbed).await;
        assert_eq!(result.verdict, Verdict::Complete);
        let other = keys(&folder.export(tenant).await);
        let differ: Vec<_> = plain.symmetric_difference(&other).take(10).collect();
        assert!(differ.is_empty(), "casing {casing}: {differ:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_seed_is_another_tenant() {
    let (_, one_sim, one) = scanned(config(100)).await;
    let other = atg_sim::world::SeededWorld::new(8, 100);
    let (_, other_sim, other) = scanned(crate::worlds::of_world(std::sync::Arc::new(other))).await;
    assert_ne!(one.graph_digest, other.graph_digest);
    assert_ne!(one_sim.world().tenant_id(), other_sim.world().tenant_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_those_that_the_tenant_contains_and_hang_together() {
    let (folder, sim, result) = scanned(config(RESOURCES)).await;
    let tenant = sim.world().tenant_id();
    let counts = folder.graph().counts(tenant).await.unwrap();
    assert_eq!(result.resources_discovered, counts.contained_resources);
    assert_eq!((result.nodes, result.edges), (counts.nodes, counts.edges));
    // Every served resource is among them.
    let table = atg_sim::world::Table::Resources;
    let world = sim.world();
    let rows: Vec<Value> = (0..world.len(table))
        .filter_map(|index| world.row(table, index))
        .collect();
    assert!(rows.len() >= RESOURCES);
    for row in &rows {
        let id: atg_models::ArmId = row["id"].as_str().unwrap().parse().unwrap();
        let node = folder.graph().node(tenant, &id.node_id()).await.unwrap();
        assert!(node.is_some_and(|node| node.observed), "{id} is not in the graph");
    }
    assert!(result.resources_discovered >= u64::try_from(rows.len()).unwrap());
    assert!(
        result.edges >= 2 * result.resources_discovered,
        "{} edges of {} resources",
        result.edges,
        result.resources_discovered
    );
    // By hand, from the export: observed resources that CONTAINS leads to from the tenant.
    let export = folder.export(tenant).await;
    assert_eq!(contained(&export, tenant), result.resources_discovered);
}

/// The count rule over an export.
fn contained(export: &[String], tenant: atg_models::TenantId) -> u64 {
    let lines: Vec<Value> = export.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let root = format!("tenant:{tenant}");
    let mut open = vec![root.as_str()];
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            let inside = lines
                .iter()
                .filter(|line| line["relation"] == "CONTAINS" && line["source"] == id);
            open.extend(inside.map(|line| line["target"].as_str().unwrap()));
        }
    }
    let is_resource = |line: &&Value| {
        line["kind"] == "Resource" && line["observed"] == true && reached.contains(line["id"].as_str().unwrap())
    };
    u64::try_from(lines.iter().filter(is_resource).count()).unwrap()
}
