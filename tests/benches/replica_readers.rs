//! Prints how soon an event that one of three servers appends reaches a thousand sockets spread over all of them, and
//! what these servers ask of their Neo4j with ten readers and with a thousand, as a row of the table of benchmarks. An
//! argument is another number of readers. `NEO4J_TEST_URI` names a Neo4j to fill and empty, else `NEO4J_TEST_JARS` the
//! jars to start one from; `cargo xtask bench` fetches them.
//!
//! The servers are processes of their own (this program, started once more). Each has its way to Neo4j through a proxy
//! that counts statements. The job is a scan that Azure holds up: an event a second, stamped before it is written.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench prints, reads the system's clock, and fails by panicking"
)]

use std::time::{Duration, Instant};

use atg_models::limits::SOCKETS_PER_KEY_MAX;
use atg_neo4j::Access;
use atg_tests::late_events::{self, From, LateReader, Lateness, Served, cancel, follow, slow_azure, slow_scan};
use atg_tests::{BoltProxy, emptied_neo4j, open_socket};
use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio::sync::watch;

/// Servers.
const SERVERS: usize = 3;
/// Readers at first, and then.
const FEW: usize = 10;
const MANY: usize = 1_000;
/// How long events and statements are counted, with few readers and with many.
const MEASURED: Duration = Duration::from_secs(30);
/// How long the servers have to find their pace: their clocks are measured again meanwhile.
const SETTLES: Duration = Duration::from_secs(15);
/// Handshakes under way.
const HANDSHAKES: usize = 32;
/// What the plan allows.
const BARS: &str = "p99 1500 ms, ratio 1.25";
/// What the servers are told beside the command line.
const PASSWORD: &str = "NEO4J_PASSWORD";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    match arguments.next().as_deref() {
        Some("serve") => {
            let mut next = || arguments.next().unwrap();
            runtime.block_on(serve(&next(), &next(), &next(), &next()));
        }
        Some(readers) => runtime.block_on(measure(readers.parse().unwrap())),
        None => runtime.block_on(measure(MANY)),
    }
}

/// A key has so many sockets at each server.
fn key(reader: usize) -> String {
    let number = reader / SERVERS / SOCKETS_PER_KEY_MAX as usize;
    format!("atg_dev_{number:08x}{}", "a".repeat(56))
}

/// A server.
async fn serve(folder: &str, results: &str, azure: &str, neo4j: &str) {
    let step = SERVERS * SOCKETS_PER_KEY_MAX as usize;
    let keys: Vec<String> = (0..=20 * step).step_by(step).map(key).collect();
    let (keys, password) = (keys.join(","), std::env::var(PASSWORD).unwrap());
    let settings = [
        ("ATG_SERVER_WORKERS", "1"),
        ("ATG_API_KEYS", keys.as_str()),
        ("ATG_DATA_DIR", folder),
        ("ATG_ARTIFACT_URL", results),
        ("ATG_STORE", "neo4j"),
        ("NEO4J_URI", neo4j),
        (PASSWORD, password.as_str()),
    ];
    late_events::serve(azure, &settings).await;
}

/// A server and its way to Neo4j.
struct Server {
    served: Served,
    proxy: BoltProxy,
}

impl Server {
    fn start(folder: &std::path::Path, number: usize, azure: &str, neo4j: &Access) -> Self {
        let port = neo4j.uri.rsplit(':').next().unwrap().parse().unwrap();
        let proxy = BoltProxy::start(port);
        let data = folder.join(format!("data-{number}"));
        let results = format!("file://{}", folder.join("results").display());
        let served = Served::start(
            &["serve", data.to_str().unwrap(), &results, azure, &proxy.uri()],
            &[(PASSWORD, &neo4j.password)],
        );
        Self { served, proxy }
    }
}

/// Opens sockets, each at the next server.
async fn read(servers: &[Server], job: &str, readers: std::ops::Range<usize>, from: &From) -> Vec<LateReader> {
    let open = |reader: usize| async move {
        let path = format!("/ws/progress/{job}?after=0");
        let key = key(reader);
        open_socket(&servers[reader % SERVERS].served.url, &path, Some(&key))
            .await
            .unwrap()
    };
    let sockets = stream::iter(readers).map(open).buffer_unordered(HANDSHAKES);
    sockets.map(|socket| follow(socket, from)).collect().await
}

/// Statements a second of all servers together.
async fn statements(servers: &[Server]) -> f64 {
    let sent = || servers.iter().map(|server| server.proxy.statements()).sum::<u64>();
    let (before, begun) = (sent(), Instant::now());
    tokio::time::sleep(MEASURED).await;
    (sent() - before) as f64 / begun.elapsed().as_secs_f64()
}

async fn measure(many: usize) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let neo4j = emptied_neo4j().await;
    let sim = slow_azure();
    let folder = tempfile::tempdir().unwrap();
    let start = |number| Server::start(folder.path(), number, sim.url(), neo4j.access());
    let servers: Vec<Server> = (0..SERVERS).map(start).collect();
    let job = slow_scan(&servers[0].served.url, &key(0), sim.world().tenant_id()).await;

    let from = watch::channel(None).0;
    let mut readers = read(&servers, &job, 0..FEW, &from).await;
    tokio::time::sleep(SETTLES).await;
    let with_few = statements(&servers).await;
    let connecting = Instant::now();
    readers.extend(read(&servers, &job, FEW..many, &from).await);
    let connected = connecting.elapsed();
    from.send_replace(Some(OffsetDateTime::now_utc()));
    let with_many = statements(&servers).await;
    cancel(&servers[SERVERS - 1].served.url, &key(0), &job).await;
    let late = Lateness::of(readers).await;
    println!(
        "| {many} readers of one job on {SERVERS} servers over one Neo4j, {} deliveries | p50 {} ms, p99 {} ms from append to delivery; {with_many:.1} statements/s to Neo4j (connected in {:.1} s) | with {FEW} readers: {with_few:.1} statements/s | {:.2} | {BARS} |",
        late.deliveries(),
        late.percentile(50),
        late.percentile(99),
        connected.as_secs_f64(),
        with_many / with_few,
    );
}
