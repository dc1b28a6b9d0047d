//! Prints how soon an event reaches thousands of sockets that follow one job, and what each costs the
//! server in memory, as a row of the table of benchmarks. An argument is another number of readers.
//!
//! The server is a process of its own (this program, started once more), so that its memory is measured
//! alone. Its job is a scan that Azure holds up: an event a second, stamped before it is written.
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

use atg_models::limits::SOCKETS_PER_KEY_MAX;
use atg_server::{RunningServer, SystemClock, SystemIds, load_config};
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Readers, as far as the limit of open files allows.
const READERS: usize = 10_000;
/// Files that the process needs besides.
const OTHER_FILES: usize = 200;
/// How long events are counted.
const MEASURED: Duration = Duration::from_secs(30);
/// How long Azure takes over a page, and so about how far events lie apart.
const PAGE_MS: u64 = 1_000;
/// Handshakes under way.
const HANDSHAKES: usize = 64;
/// What the plan allows.
const BARS: &str = "250 ms, 32 KiB";

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    match arguments.next().as_deref() {
        Some("serve") => runtime.block_on(serve(&arguments.next().unwrap(), &arguments.next().unwrap())),
        Some(readers) => runtime.block_on(measure(readers.parse().unwrap())),
        None => runtime.block_on(measure(READERS)),
    }
}

fn key(number: usize) -> String {
    format!("atg_dev_{number:08x}{}", "a".repeat(56))
}

/// The server: prints its address, and ends with its input.
async fn serve(folder: &str, azure: &str) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let keys: Vec<String> = (0..=READERS / SOCKETS_PER_KEY_MAX as usize + 1).map(key).collect();
    let settings = [
        ("ATG_SERVER_HOST", "127.0.0.1"),
        ("ATG_SERVER_WORKERS", "2"),
        ("ATG_API_KEYS", &keys.join(",")),
        ("ATG_DATA_DIR", folder),
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

struct Server(Child);

impl Server {
    fn start(folder: &str, azure: &str) -> (Self, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["serve", folder, azure])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut url)
            .unwrap();
        (Self(child), url.trim().to_owned())
    }

    /// What the server has used of processors.
    fn cpu_seconds(&self) -> f64 {
        /// Linux counts in hundredths of a second.
        const TICKS: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
        fields.map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / TICKS
    }

    fn memory_kib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX)
}

async fn measure(wanted: usize) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let readers = wanted.min(file_limit().saturating_sub(OTHER_FILES));
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
    let (server, url) = Server::start(folder.path().to_str().unwrap(), sim.url());
    let client = reqwest::Client::new();
    let body = json!({"tenant_id": sim.world().tenant_id(), "max_concurrency": 1, "no_aad_import": true});
    let request = client
        .post(format!("{url}/api/v1/scan"))
        .bearer_auth(key(0))
        .json(&body);
    let taken: Value = request.send().await.unwrap().json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap().to_owned();

    let open = |reader: usize| {
        let address = format!("{}/ws/progress/{job}?after=0", url.replacen("http", "ws", 1));
        connect(address, key(1 + reader / SOCKETS_PER_KEY_MAX as usize))
    };
    // What the server takes for the first reader is not for each.
    drop(open(readers).await);
    let before_kib = server.memory_kib();
    let started = Instant::now();
    let measured_from = Arc::new(tokio::sync::watch::channel(None::<OffsetDateTime>).0);
    let sockets = stream::iter(0..readers).map(open).buffer_unordered(HANDSHAKES);
    let follow = |socket| tokio::spawn(follow(socket, measured_from.subscribe()));
    let following: Vec<_> = sockets.map(follow).collect().await;
    let connected = started.elapsed();
    measured_from.send_replace(Some(OffsetDateTime::now_utc()));
    let cpu_before = server.cpu_seconds();
    tokio::time::sleep(MEASURED).await;
    let cpu_seconds = server.cpu_seconds() - cpu_before;
    let after_kib = server.memory_kib();
    let address = format!("{url}/api/v1/operations/{job}");
    client.delete(address).bearer_auth(key(0)).send().await.unwrap();
    let mut delays_ms = Vec::new();
    let mut logs = std::collections::BTreeSet::new();
    for reader in following {
        let (delays, last) = reader.await.unwrap();
        delays_ms.extend(delays);
        logs.insert(last);
    }
    assert_eq!(logs.len(), 1, "all readers saw the same log: {logs:?}");
    assert!(!delays_ms.is_empty(), "no event came in the time");
    delays_ms.sort_unstable();
    let at = |share: f64| delays_ms[((delays_ms.len() - 1) as f64 * share) as usize];
    let each_kib = (after_kib - before_kib) / readers as f64;
    println!(
        "| {readers} sockets on one job, {} deliveries | p50 {} ms, p99 {} ms, {each_kib:.1} KiB a reader, {:.0} µs of the server's processor time a delivery (connected in {:.1} s) | – | – | {BARS} |",
        delays_ms.len(),
        at(0.5),
        at(0.99),
        cpu_seconds * 1e6 / delays_ms.len() as f64,
        connected.as_secs_f64(),
    );
}

async fn connect(address: String, key: String) -> Socket {
    let mut request = address.into_client_request().unwrap();
    let value = format!("Bearer {key}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
    let connected = tokio_tungstenite::connect_async_with_config(request, Some(config), true).await;
    connected.unwrap().0
}

/// Reads to the end: how late each event of the measured time came, and the last sequence.
async fn follow(mut socket: Socket, from: tokio::sync::watch::Receiver<Option<OffsetDateTime>>) -> (Vec<u32>, u64) {
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
