//! How fast the store takes a tenant in, against a bare SQLite insert of the same rows.
//!
//! `cargo run --release -p atg-db --features contract --example ingest_ratio -- [RESOURCES]`
//! prints rows a second for both, and their ratio.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a benchmark: it prints, it measures time, and it may stop at any surprise"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use atg_db::contract::world::{arm, collection, edge, end, ended, plain_end, planned, progress, resource, start};
use atg_db::{GraphStore as _, sqlite};
use atg_models::NodeId;
use atg_models::graph::{GraphBatch, NodeKind, Observation, Relation, Verdict};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

const PAGE_ROWS: u64 = 1_000;
/// The least ratio that the plan allows.
const BAR: f64 = 0.3;

fn main() {
    let resources = std::env::args()
        .nth(1)
        .map_or(50_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (applying, again) = runtime.block_on(store(&folder.path().join("data"), resources));
    let (rows, bare) = bare(&folder.path().join("data/graph.db"), &folder.path().join("bare.db"));
    let per_second = |time: Duration| rows as f64 / time.as_secs_f64();
    println!(
        "| store ingest, {resources} resources ({rows} rows) | {:.0} rows/s; unchanged again {:.0} resources/s | bare SQLite insert: {:.0} rows/s | {:.2} | {BAR} |",
        per_second(applying),
        resources as f64 / again.as_secs_f64(),
        per_second(bare),
        bare.as_secs_f64() / applying.as_secs_f64()
    );
}

/// Takes the tenant in twice; how long the pages took each time.
async fn store(folder: &Path, resources: u64) -> (Duration, Duration) {
    let stores = sqlite::open(folder).expect("a store");
    let mut times = Vec::new();
    for number in 1..=2 {
        let scan = stores.graph.begin_scan(start(number, 1)).await.expect("a scan");
        let plan = stores.graph.plan(scan, vec![planned(collection("s1"))]).await;
        plan.expect("planned");
        let mut applying = Duration::ZERO;
        for page in 0..resources.div_ceil(PAGE_ROWS) {
            let batch = GraphBatch {
                observations: (page * PAGE_ROWS..(page + 1) * PAGE_ROWS).map(observation).collect(),
                listed: Vec::new(),
            };
            let begun = Instant::now();
            let progress = progress(collection("s1"), page + 1, false);
            stores.graph.apply(scan, batch, progress).await.expect("applied");
            applying += begun.elapsed();
        }
        times.push(applying);
        let end = stores.graph.finish_scan(scan, ended(Verdict::Partial)).await;
        end.expect("finished");
    }
    (times.remove(0), times.remove(0))
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

/// Inserts the rows of the store's tables into a file with the same tables and indexes.
fn bare(from: &Path, to: &Path) -> (u64, Duration) {
    let source = Connection::open(from).expect("the store's file");
    let target = Connection::open(to).expect("a file");
    target.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    target.pragma_update(None, "synchronous", "FULL").expect("FULL");
    target.pragma_update(None, "cache_size", -64 * 1024).expect("a cache");
    let mut schema = source
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN ('node', 'node_body', 'edge', 'assertion') ORDER BY type DESC")
        .expect("a schema");
    let statements = schema.query_map([], |row| row.get::<_, String>(0)).expect("a schema");
    for sql in statements {
        target.execute_batch(&sql.expect("a statement")).expect("made");
    }
    let mut total = 0;
    let mut time = Duration::ZERO;
    for table in ["node", "node_body", "edge", "assertion"] {
        let mut read = source.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = read.column_count();
        let marks = vec!["?"; columns].join(", ");
        let mut insert = target
            .prepare(&format!("INSERT INTO {table} VALUES ({marks})"))
            .expect("an insert");
        let mut rows = read.query([]).expect("rows");
        loop {
            let mut page: Vec<Vec<Value>> = Vec::new();
            while page.len() < 4 * 1_000 {
                let Some(row) = rows.next().expect("a row") else { break };
                page.push((0..columns).map(|at| row.get(at).expect("a value")).collect());
            }
            if page.is_empty() {
                break;
            }
            total += u64::try_from(page.len()).expect("a count");
            let begun = Instant::now();
            target.execute_batch("BEGIN").expect("begun");
            for row in page {
                insert.execute(rusqlite::params_from_iter(row)).expect("inserted");
            }
            target.execute_batch("COMMIT").expect("committed");
            time += begun.elapsed();
        }
    }
    (total, time)
}
