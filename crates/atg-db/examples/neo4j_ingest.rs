//! How fast a tenant gets into a Neo4j through the store and out of it again, against the plainest statements that the
//! same driver can send.
//!
//! `cargo run --release -p atg-db --features contract --example neo4j_ingest -- [RESOURCES] [ROUNDS]` prints rows of
//! the table of benchmarks. It starts a server from the jars that `NEO4J_TEST_JARS` names, or empties the one that
//! `NEO4J_TEST_URI` names.
//!
//! What “bare” is: the very rows that the store has written, with all properties that it keeps of them (keys, bodies,
//! hashes, assertions), read back and written again by the same driver on one connection: 5,000 rows a statement, a
//! statement a transaction, `UNWIND … CREATE` for nodes, and the ends of edges matched by their key. Constraints and
//! indexes are the store's own. Nothing is checked, nothing is asked. The rows lie in memory before the clock starts;
//! what the driver makes of them counts on both sides. Before the first round both ways were gone once, so that the
//! server is warm; in each round they are gone in turn, and the best of each counts, so that a busy moment does not.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a benchmark: it prints, it measures time, and it may stop at any surprise"
)]

mod ingest;

use std::time::{Duration, Instant};

use atg_db::GraphStore;
use atg_db::contract::world::tenant;
use atg_db::neo4j::{ByHand, Neo4jConfig, Portion, Stores};
use atg_models::graph::Observation;
use atg_neo4j::{Access, Measured};
use futures_util::StreamExt as _;

use ingest::{card, take_in};

const RESOURCES: u64 = 20_000;
const ROUNDS: u32 = 3;
/// The least ratio that the plan allows.
const BAR: f64 = 0.5;
/// Rows a second that reading gives at least.
const READING_BAR: u64 = 80_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let resources = arguments
        .next()
        .map_or(RESOURCES, |text| text.parse().expect("a number"));
    let rounds = arguments.next().map_or(ROUNDS, |text| text.parse().expect("a number"));
    let server = Measured::from_environment().expect("a server");
    let server = server.expect("NEO4J_TEST_JARS or NEO4J_TEST_URI: cargo xtask bench sets one");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure(server.access(), resources, rounds));
}

async fn measure(access: &Access, resources: u64, rounds: u32) {
    let config = Neo4jConfig {
        uri: access.uri.clone(),
        user: access.user.clone(),
        password: access.password.clone().into(),
        database: None,
        ca_file: None,
        pool_size: 2,
        instance: format!("bench {}", std::process::id()),
    };
    let stores = Stores::new(&config, atg_db::JobLimits::default()).expect("stores");
    stores.prepare().await.expect("the schema");
    let by_hand = ByHand::new(&config).expect("a driver");
    let bench = Bench {
        store: &*stores.graph,
        by_hand: &by_hand,
        resources,
        rounds,
    };
    bench.ingest("resources that say nothing", silent).await;
    bench.ingest("resources with four edges each", card).await;
    bench.reading().await;
}

/// A card without its edges.
fn silent(number: u64) -> Observation {
    let mut said = card(number);
    said.edges.clear();
    said
}

struct Bench<'a> {
    store: &'a dyn GraphStore,
    by_hand: &'a ByHand,
    resources: u64,
    rounds: u32,
}

impl Bench<'_> {
    async fn ingest(&self, what: &str, said: fn(u64) -> Observation) {
        self.by_hand.wipe().await.expect("emptied");
        take_in(self.store, 1, self.resources, said).await;
        let nodes = self.by_hand.nodes().await.expect("the nodes");
        let edges = self.by_hand.edges().await.expect("the edges");
        self.bare(&nodes, &edges).await;
        let mut best = Times::worst();
        for _ in 0..self.rounds {
            let (bare_nodes, bare_edges) = self.bare(&nodes, &edges).await;
            let touching = self.portions(&nodes, ByHand::touch_nodes).await;
            self.by_hand.wipe().await.expect("emptied");
            let ours = take_in(self.store, 1, self.resources, said).await;
            let again = take_in(self.store, 2, self.resources, said).await;
            best.bare_nodes = best.bare_nodes.min(bare_nodes);
            best.bare_edges = best.bare_edges.min(bare_edges);
            best.touching = best.touching.min(touching);
            best.ours = best.ours.min(ours);
            best.again = best.again.min(again);
        }
        let (nodes, edges) = (rows(&nodes), rows(&edges));
        let bare = best.bare_nodes + best.bare_edges;
        println!(
            "| Neo4j ingest, {} {what}: {nodes} nodes, {edges} edges | {:.0} rows/s, of them {:.0} nodes/s and {:.0} edges/s | bare UNWIND: {:.0} rows/s ({:.0} nodes/s, then {:.0} edges/s) | {:.2} | {BAR} |",
            self.resources,
            rate(nodes + edges, best.ours),
            rate(nodes, best.ours),
            rate(edges, best.ours),
            rate(nodes + edges, bare),
            rate(nodes, best.bare_nodes),
            rate(edges, best.bare_edges),
            bare.as_secs_f64() / best.ours.as_secs_f64(),
        );
        println!(
            "| Neo4j ingest, the same unchanged again | {:.0} resources/s | bare UNWIND that sets two properties: {:.0} nodes/s | – | – |",
            rate(self.resources, best.again),
            rate(nodes, best.touching),
        );
    }

    /// Writes the rows into an empty graph; how long nodes and edges took.
    async fn bare(&self, nodes: &[Portion], edges: &[Portion]) -> (Duration, Duration) {
        self.by_hand.wipe().await.expect("emptied");
        (
            self.portions(nodes, ByHand::create_nodes).await,
            self.portions(edges, ByHand::create_edges).await,
        )
    }

    async fn portions(
        &self,
        portions: &[Portion],
        write: impl AsyncFn(&ByHand, Portion) -> Result<(), atg_db::StoreError>,
    ) -> Duration {
        let mut time = Duration::ZERO;
        for portion in portions.iter().cloned() {
            let begun = Instant::now();
            write(self.by_hand, portion).await.expect("written");
            time += begun.elapsed();
        }
        time
    }

    /// Of the graph that the last ingest has left.
    async fn reading(&self) {
        let (mut nodes, mut edges) = (Passing::worst(), Passing::worst());
        for _ in 0..self.rounds {
            nodes
                .ours(async { self.store.snapshot(tenant()).await.expect("nodes").count().await })
                .await;
            edges
                .ours(async { self.store.edges(tenant()).await.expect("edges").count().await })
                .await;
            nodes
                .bare(async { self.by_hand.pass_nodes().await.expect("nodes") })
                .await;
            edges
                .bare(async { self.by_hand.pass_edges().await.expect("edges") })
                .await;
        }
        nodes.print("all nodes with their bodies", "–");
        edges.print("all edges, in order", &READING_BAR.to_string());
    }
}

struct Times {
    bare_nodes: Duration,
    bare_edges: Duration,
    touching: Duration,
    ours: Duration,
    again: Duration,
}

impl Times {
    fn worst() -> Self {
        Self {
            bare_nodes: Duration::MAX,
            bare_edges: Duration::MAX,
            touching: Duration::MAX,
            ours: Duration::MAX,
            again: Duration::MAX,
        }
    }
}

/// How long passing over rows took.
struct Passing {
    rows: u64,
    ours: Duration,
    bare: Duration,
}

impl Passing {
    fn worst() -> Self {
        Self {
            rows: 0,
            ours: Duration::MAX,
            bare: Duration::MAX,
        }
    }

    async fn ours(&mut self, pass: impl Future<Output = usize>) {
        let begun = Instant::now();
        self.rows = pass.await as u64;
        self.ours = self.ours.min(begun.elapsed());
    }

    async fn bare(&mut self, pass: impl Future<Output = u64>) {
        let begun = Instant::now();
        assert_eq!(pass.await, self.rows, "both read the same rows");
        self.bare = self.bare.min(begun.elapsed());
    }

    fn print(&self, what: &str, bar: &str) {
        println!(
            "| Neo4j, reading {what} | {:.0} rows/s | bare query, read and dropped: {:.0} rows/s | {:.2} | {bar} |",
            rate(self.rows, self.ours),
            rate(self.rows, self.bare),
            self.bare.as_secs_f64() / self.ours.as_secs_f64(),
        );
    }
}

fn rows(portions: &[Portion]) -> u64 {
    portions.iter().map(|portion| portion.len() as u64).sum()
}

fn rate(rows: u64, time: Duration) -> f64 {
    if rows == 0 {
        0.0
    } else {
        rows as f64 / time.as_secs_f64()
    }
}
