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

use std::time::{Duration, Instant};

use atg_models::limits::SOCKETS_PER_KEY_MAX;
use atg_tests::late_events::{self, Lateness, Served, cancel, follow, slow_azure, slow_scan};
use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Readers, as far as the limit of open files allows.
const READERS: usize = 10_000;
/// Files that the process needs besides.
const OTHER_FILES: usize = 200;
/// How long events are counted.
const MEASURED: Duration = Duration::from_secs(30);
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

/// The server.
async fn serve(folder: &str, azure: &str) {
    let keys: Vec<String> = (0..=READERS / SOCKETS_PER_KEY_MAX as usize + 1).map(key).collect();
    let keys = keys.join(",");
    let settings = [
        ("ATG_SERVER_WORKERS", "2"),
        ("ATG_API_KEYS", keys.as_str()),
        ("ATG_DATA_DIR", folder),
    ];
    late_events::serve(azure, &settings).await;
}

struct Server(Served);

impl Server {
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

fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX)
}

async fn measure(wanted: usize) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let readers = wanted.min(file_limit().saturating_sub(OTHER_FILES));
    let sim = slow_azure();
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", folder.path().to_str().unwrap(), sim.url()];
    let server = Server(Served::start(&arguments, &[]));
    let url = server.0.url.as_str();
    let job = slow_scan(url, &key(0), sim.world().tenant_id()).await;

    let open = |reader: usize| {
        let address = format!("{}/ws/progress/{job}?after=0", url.replacen("http", "ws", 1));
        connect(address, key(1 + reader / SOCKETS_PER_KEY_MAX as usize))
    };
    // What the server takes for the first reader is not for each.
    drop(open(readers).await);
    let before_kib = server.memory_kib();
    let started = Instant::now();
    let measured_from = tokio::sync::watch::channel(None).0;
    let sockets = stream::iter(0..readers).map(open).buffer_unordered(HANDSHAKES);
    let following: Vec<_> = sockets.map(|socket| follow(socket, &measured_from)).collect().await;
    let connected = started.elapsed();
    measured_from.send_replace(Some(OffsetDateTime::now_utc()));
    let cpu_before = server.cpu_seconds();
    tokio::time::sleep(MEASURED).await;
    let cpu_seconds = server.cpu_seconds() - cpu_before;
    let after_kib = server.memory_kib();
    cancel(url, &key(0), &job).await;
    let late = Lateness::of(following).await;
    let each_kib = (after_kib - before_kib) / readers as f64;
    println!(
        "| {readers} sockets on one job, {} deliveries | p50 {} ms, p99 {} ms, {each_kib:.1} KiB a reader, {:.0} µs of the server's processor time a delivery (connected in {:.1} s) | – | – | {BARS} |",
        late.deliveries(),
        late.percentile(50),
        late.percentile(99),
        cpu_seconds * 1e6 / late.deliveries() as f64,
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
