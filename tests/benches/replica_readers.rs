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

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use atg_db::neo4j::ByHand;
use atg_models::limits::SOCKETS_PER_KEY_MAX;
use atg_neo4j::{Access, Jars, Options};
use atg_server::{RunningServer, SystemClock, SystemIds, load_config};
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use atg_tests::{BoltProxy, Socket, neo4j_config, open_socket};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// Servers.
const SERVERS: usize = 3;
/// Readers at first, and then.
const FEW: usize = 10;
const MANY: usize = 1_000;
/// How long events and statements are counted, with few readers and with many.
const MEASURED: Duration = Duration::from_secs(30);
/// How long the servers have to find their pace: their clocks are measured again meanwhile.
const SETTLES: Duration = Duration::from_secs(15);
/// How long Azure takes over a page, and so about how far events lie apart.
const PAGE_MS: u64 = 1_000;
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

/// A server: prints its address, and ends with its input.
async fn serve(folder: &str, results: &str, azure: &str, neo4j: &str) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let step = SERVERS * SOCKETS_PER_KEY_MAX as usize;
    let keys: Vec<String> = (0..=20 * step).step_by(step).map(key).collect();
    let settings = [
        ("ATG_SERVER_HOST", "127.0.0.1"),
        ("ATG_SERVER_WORKERS", "1"),
        ("ATG_API_KEYS", &keys.join(",")),
        ("ATG_DATA_DIR", folder),
        ("ATG_ARTIFACT_URL", results),
        ("ATG_STORE", "neo4j"),
        ("NEO4J_URI", neo4j),
        (PASSWORD, &std::env::var(PASSWORD).unwrap()),
        ("ATG_AZURE_CLOUD", "custom"),
        ("ATG_AZURE_ARM_ENDPOINT", azure),
        ("ATG_AZURE_GRAPH_ENDPOINT", azure),
        ("ATG_AZURE_AUTHORITY", azure),
        ("ATG_AZURE_STATIC_TOKEN", "static"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = load_config(settings.into_iter(), None, None, Some(0)).unwrap().config;
    let server = RunningServer::start(config, Arc::new(SystemClock), Arc::new(SystemIds))
        .await
        .unwrap();
    println!("{}", server.url());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    ended.await.unwrap().unwrap();
    server.stop().await;
}

/// A server and its way to Neo4j.
struct Server {
    child: Child,
    url: String,
    proxy: BoltProxy,
}

impl Server {
    fn start(folder: &std::path::Path, number: usize, azure: &str, neo4j: &Access) -> Self {
        let port = neo4j.uri.rsplit(':').next().unwrap().parse().unwrap();
        let proxy = BoltProxy::start(port);
        let data = folder.join(format!("data-{number}"));
        let results = format!("file://{}", folder.join("results").display());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["serve", data.to_str().unwrap(), &results, azure, &proxy.uri()])
            .env(PASSWORD, &neo4j.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut url)
            .unwrap();
        let url = url.trim().to_owned();
        Self { child, url, proxy }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What a reader saw: how late each event came in the measured time, and the last sequence.
type Reader = JoinHandle<(Vec<u32>, u64)>;
/// The measured time's begin.
type From = watch::Sender<Option<OffsetDateTime>>;

/// Opens sockets, each at the next server.
async fn read(servers: &[Server], job: &str, readers: std::ops::Range<usize>, from: &From) -> Vec<Reader> {
    let open = |reader: usize| async move {
        let path = format!("/ws/progress/{job}?after=0");
        let key = key(reader);
        open_socket(&servers[reader % SERVERS].url, &path, Some(&key))
            .await
            .unwrap()
    };
    let sockets = stream::iter(readers).map(open).buffer_unordered(HANDSHAKES);
    let follow = |socket| tokio::spawn(follow(socket, from.subscribe()));
    sockets.map(follow).collect().await
}

/// Statements a second of all servers together.
async fn statements(servers: &[Server]) -> f64 {
    let sent = || servers.iter().map(|server| server.proxy.statements()).sum::<u64>();
    let (before, begun) = (sent(), Instant::now());
    tokio::time::sleep(MEASURED).await;
    (sent() - before) as f64 / begun.elapsed().as_secs_f64()
}

/// The Neo4j that the environment names, emptied; else one of the bench's own, which runs as long as the second value.
async fn database() -> (Access, Option<atg_neo4j::Server>) {
    if let Some(access) = Access::from_environment() {
        let by_hand = ByHand::new(&neo4j_config(&access)).unwrap();
        by_hand.wipe().await.unwrap();
        return (access, None);
    }
    let jars = Jars::from_environment().unwrap();
    let missing = "neither NEO4J_TEST_URI nor NEO4J_TEST_JARS is set: cargo xtask neo4j prints them";
    let jars = jars.unwrap_or_else(|| panic!("{missing}"));
    let server = atg_neo4j::Server::start(Options::performance(jars)).unwrap();
    (server.access(), Some(server))
}

async fn measure(many: usize) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (neo4j, _server) = database().await;
    let mut config = SimConfig::new(Arc::new(SeededWorld::new(7, 10_000)));
    config.quotas = false;
    config.arg_page_rows = 20;
    let sim = Simulator::start(config).unwrap();
    sim.arm(Fault {
        count: u64::MAX,
        value: Some(PAGE_MS),
        ..Fault::new(FaultKind::Slow)
    });
    let folder = tempfile::tempdir().unwrap();
    let start = |number| Server::start(folder.path(), number, sim.url(), &neo4j);
    let servers: Vec<Server> = (0..SERVERS).map(start).collect();
    let client = reqwest::Client::new();
    let body = json!({"tenant_id": sim.world().tenant_id(), "max_concurrency": 1, "no_aad_import": true});
    let request = client.post(format!("{}/api/v1/scan", servers[0].url));
    let taken: Value = request
        .bearer_auth(key(0))
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let job = taken["job_id"].as_str().unwrap().to_owned();

    let from = watch::channel(None).0;
    let mut readers = read(&servers, &job, 0..FEW, &from).await;
    tokio::time::sleep(SETTLES).await;
    let with_few = statements(&servers).await;
    let connecting = Instant::now();
    readers.extend(read(&servers, &job, FEW..many, &from).await);
    let connected = connecting.elapsed();
    from.send_replace(Some(OffsetDateTime::now_utc()));
    let with_many = statements(&servers).await;
    let address = format!("{}/api/v1/operations/{job}", servers[SERVERS - 1].url);
    client.delete(address).bearer_auth(key(0)).send().await.unwrap();
    let mut delays_ms = Vec::new();
    let mut logs = std::collections::BTreeSet::new();
    for reader in readers {
        let (delays, last) = reader.await.unwrap();
        delays_ms.extend(delays);
        logs.insert(last);
    }
    assert_eq!(logs.len(), 1, "all readers saw the same log: {logs:?}");
    assert!(!delays_ms.is_empty(), "no event came in the time");
    delays_ms.sort_unstable();
    let at = |share: f64| delays_ms[((delays_ms.len() - 1) as f64 * share) as usize];
    println!(
        "| {many} readers of one job on {SERVERS} servers over one Neo4j, {} deliveries | p50 {} ms, p99 {} ms from append to delivery; {with_many:.1} statements/s to Neo4j (connected in {:.1} s) | with {FEW} readers: {with_few:.1} statements/s | {:.2} | {BARS} |",
        delays_ms.len(),
        at(0.5),
        at(0.99),
        connected.as_secs_f64(),
        with_many / with_few,
    );
}

/// Reads to the end.
async fn follow(mut socket: Socket, from: watch::Receiver<Option<OffsetDateTime>>) -> (Vec<u32>, u64) {
    let (mut delays_ms, mut last) = (Vec::new(), 0);
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.unwrap() else {
            continue;
        };
        let now = OffsetDateTime::now_utc();
        let frame: Value = serde_json::from_str(&text).unwrap();
        let seq = frame["seq"].as_u64().unwrap();
        assert_eq!(seq, last + 1, "an event is missing or came twice");
        last = seq;
        let written = OffsetDateTime::parse(frame["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
        if frame["type"] == "completion" {
            return (delays_ms, last);
        }
        if from.borrow().is_some_and(|from| written > from) {
            delays_ms.push((now - written).whole_milliseconds().max(0) as u32);
        }
    }
    panic!("a socket ended before the completion, after {last}")
}
