//! How fast a tenant is taken in, against a bare `UNWIND` of the same rows by the same driver.
//!
//! `ATG_TEST_INGEST=20000 cargo test … ingest -- --nocapture` prints the rates; it needs a quiet machine.
#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "it measures time"
)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use atg_models::NodeId;
use atg_models::graph::{GraphBatch, NodeKind, Observation, Relation, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::graph;
use super::histories::asked;
use crate::GraphStore as _;
use crate::contract::world::*;
use crate::neo4j::Neo4jGraph;
use crate::neo4j::driver::{Driver, Statement, Value, transaction};
use crate::neo4j::limits;

/// Resources in a page.
const PAGE_ROWS: u64 = 1_000;
/// The least ratio that the plan allows.
const BAR: f64 = 0.5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_keeps_up_with_a_bare_unwind() {
    let resources = asked("ATG_TEST_INGEST", 0);
    if resources == 0 {
        eprintln!("left out: ATG_TEST_INGEST does not say how many resources");
        return;
    }
    let Some((store, turn)) = graph().await else { return };
    take_in(&store, 1, resources).await;
    let (nodes, edges) = (nodes(&turn.driver).await, edges(&turn.driver).await);
    let rows = nodes.len() + edges.len();
    store.delete_tenant(tenant()).await.unwrap();
    let bare = bare(&turn.driver, nodes, edges).await;
    forget_bare(&turn.driver).await;
    let ours = take_in(&store, 2, resources).await;
    let again = take_in(&store, 3, resources).await;
    let ratio = bare.as_secs_f64() / ours.as_secs_f64();
    println!(
        "{resources} resources, {rows} rows: the store {:.0} rows/s, a bare UNWIND {:.0} rows/s, ratio {ratio:.2}; unchanged again {:.0} resources/s",
        rows as f64 / ours.as_secs_f64(),
        rows as f64 / bare.as_secs_f64(),
        resources as f64 / again.as_secs_f64()
    );
    assert!(ratio >= BAR, "{ratio:.2}");
}

/// How long the pages took.
async fn take_in(store: &Neo4jGraph, number: u128, resources: u64) -> Duration {
    let scan = store.begin_scan(start(number, 1)).await.unwrap();
    store.plan(scan, vec![planned(collection("s1"))]).await.unwrap();
    let mut applying = Duration::ZERO;
    for page in 0..resources.div_ceil(PAGE_ROWS) {
        let batch = GraphBatch {
            observations: (page * PAGE_ROWS..(page + 1) * PAGE_ROWS).map(observation).collect(),
            listed: Vec::new(),
        };
        let begun = Instant::now();
        let progress = progress(collection("s1"), page + 1, false);
        store.apply(scan, batch, progress).await.unwrap();
        applying += begun.elapsed();
    }
    store.finish_scan(scan, ended(Verdict::Partial)).await.unwrap();
    applying
}

/// A network card of some machine, as large as real ones are.
fn observation(number: u64) -> Observation {
    let group = format!("/subscriptions/S{}/resourceGroups/Rg{}", number % 7, number % 233);
    let card = arm(&format!(
        "{group}/providers/Microsoft.Network/networkInterfaces/card-{number}"
    ));
    let machine = arm(&format!(
        "{group}/providers/Microsoft.Compute/virtualMachines/machine-{}",
        number / 2
    ));
    let subnet = arm(&format!(
        "{group}/providers/Microsoft.Network/virtualNetworks/v{}/subnets/default",
        number % 50
    ));
    let filler: Vec<_> = (0..12)
        .map(|at| json!({"name": format!("ip-{at}"), "properties": {"privateIPAddress": format!("10.{at}.0.{}", number % 250)}}))
        .collect();
    let mut said = resource(
        &card,
        json!({"ipConfigurations": filler, "virtualMachine": {"id": machine.as_str()}}),
    );
    let region = plain_end(&NodeId::derived("region", "westeurope"), NodeKind::Region);
    said.edges = vec![
        edge(end(&arm(&group)), Relation::Contains, end(&card)),
        edge(end(&card), Relation::LocatedIn, region),
        edge(end(&card), Relation::UsesSubnet, end(&subnet)),
        edge(end(&machine), Relation::Uses, end(&card)),
    ];
    said
}

/// What a property holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Property {
    Flag(bool),
    Int(i64),
    Text(String),
    Texts(Vec<String>),
}

fn set(properties: HashMap<String, Property>) -> Value {
    let member = |(name, property): (String, Property)| {
        let name: &'static str = Box::leak(name.into_boxed_str());
        let value = match property {
            Property::Flag(flag) => flag.into(),
            Property::Int(number) => number.into(),
            Property::Text(text) => text.into(),
            Property::Texts(texts) => texts.into(),
        };
        (name, value)
    };
    Value::Map(properties.into_iter().map(member).collect())
}

async fn nodes(driver: &Driver) -> Vec<Vec<(&'static str, Value)>> {
    let text = "MATCH (n:Entity) RETURN n.kind AS kind, properties(n) AS properties";
    let rows = driver.read_long("reading back", Statement::new(text)).await.unwrap();
    let row = |row: &crate::neo4j::driver::Row| {
        vec![
            ("kind", row.text("kind").unwrap().into()),
            ("set", set(row.get("properties").unwrap())),
        ]
    };
    rows.iter().map(row).collect()
}

async fn edges(driver: &Driver) -> Vec<Vec<(&'static str, Value)>> {
    let text = "MATCH (s:Entity)-[r]->(d) RETURN s.key AS source, d.key AS target, type(r) AS relation,
        properties(r) AS properties";
    let rows = driver.read_long("reading back", Statement::new(text)).await.unwrap();
    let row = |row: &crate::neo4j::driver::Row| {
        vec![
            ("source", row.text("source").unwrap().into()),
            ("target", row.text("target").unwrap().into()),
            ("relation", row.text("relation").unwrap().into()),
            ("set", set(row.get("properties").unwrap())),
        ]
    };
    rows.iter().map(row).collect()
}

/// Inserts the same nodes and edges by the plainest statements; how long that took.
async fn bare(
    driver: &Driver,
    nodes: Vec<Vec<(&'static str, Value)>>,
    edges: Vec<Vec<(&'static str, Value)>>,
) -> Duration {
    const NODES: &str = "UNWIND $rows AS row CREATE (n:Entity:$(row.kind)) SET n = row.set";
    const EDGES: &str = "UNWIND $rows AS row
        MATCH (s:Entity {key: row.source}) MATCH (d:Entity {key: row.target})
        CREATE (s)-[r:$(row.relation)]->(d) SET r = row.set";
    let mut time = Duration::ZERO;
    for (text, rows) in [(NODES, nodes), (EDGES, edges)] {
        for some in rows.chunks(limits::UNWIND_ROWS) {
            let rows = Value::rows(some.to_vec());
            let begun = Instant::now();
            write(driver, Statement::new(text).with("rows", rows)).await.unwrap();
            time += begun.elapsed();
        }
    }
    time
}

async fn forget_bare(driver: &Driver) {
    for text in ["MATCH (:Entity)-[r]->() DELETE r", "MATCH (n:Entity) DELETE n"] {
        write(driver, Statement::new(text)).await.unwrap();
    }
}

async fn write(driver: &Driver, statement: Statement) -> Result<(), crate::StoreError> {
    transaction!(driver, "writing bare", |tx| async {
        tx.run(statement.clone()).await.map(drop)
    });
    Ok(())
}
