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

mod ingest;

use std::path::Path;
use std::time::{Duration, Instant};

use atg_db::sqlite;
use rusqlite::Connection;
use rusqlite::types::Value;

use ingest::{card, take_in};

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
    let first = take_in(&*stores.graph, 1, resources, card).await;
    let again = take_in(&*stores.graph, 2, resources, card).await;
    (first, again)
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
