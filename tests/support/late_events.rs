//! What the benches of many readers share: servers that are processes of their own, a scan that gives an event a
//! second, and how late each event comes.
#![allow(
    clippy::print_stdout,
    reason = "a server says its address to the bench that started it"
)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use atg_models::TenantId;
use atg_server::{RunningServer, SystemClock, SystemIds, load_config};
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long Azure takes over a page, and so about how far events lie apart.
const PAGE_MS: u64 = 1_000;

/// Runs a server with these settings and this Azure; prints its address, and ends with its input.
pub async fn serve(azure: &str, settings: &[(&str, &str)]) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let of_azure = [
        ("ATG_SERVER_HOST", "127.0.0.1"),
        ("ATG_AZURE_CLOUD", "custom"),
        ("ATG_AZURE_ARM_ENDPOINT", azure),
        ("ATG_AZURE_GRAPH_ENDPOINT", azure),
        ("ATG_AZURE_AUTHORITY", azure),
        ("ATG_AZURE_STATIC_TOKEN", "static"),
    ];
    let settings = settings.iter().chain(&of_azure);
    let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = load_config(settings, None, None, Some(0)).unwrap().config;
    let server = RunningServer::start(config, Arc::new(SystemClock), Arc::new(SystemIds))
        .await
        .unwrap();
    println!("{}", server.url());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    ended.await.unwrap().unwrap();
    server.stop().await;
}

/// This program once more, as a server; it ends with this.
pub struct Served {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Served {
    /// With these arguments, which lead it to [`serve`].
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut url)
            .unwrap();
        let url = url.trim().to_owned();
        Self { child, url }
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A tenant that is read a page a second.
pub fn slow_azure() -> Simulator {
    let mut config = SimConfig::new(Arc::new(SeededWorld::new(7, 10_000)));
    config.quotas = false;
    config.arg_page_rows = 20;
    let sim = Simulator::start(config).unwrap();
    sim.arm(Fault {
        count: u64::MAX,
        value: Some(PAGE_MS),
        ..Fault::new(FaultKind::Slow)
    });
    sim
}

/// Starts the scan whose events are read; answers its job.
pub async fn slow_scan(url: &str, key: &str, tenant: TenantId) -> String {
    let body = json!({"tenant_id": tenant, "max_concurrency": 1, "no_aad_import": true});
    let client = reqwest::Client::new();
    let request = client.post(format!("{url}/api/v1/scan")).bearer_auth(key).json(&body);
    let taken: Value = request.send().await.unwrap().json().await.unwrap();
    taken["job_id"].as_str().unwrap().to_owned()
}

/// Ends it.
pub async fn cancel(url: &str, key: &str, job: &str) {
    let address = format!("{url}/api/v1/operations/{job}");
    let client = reqwest::Client::new();
    client.delete(address).bearer_auth(key).send().await.unwrap();
}

/// The measured time's begin.
pub type From = watch::Sender<Option<OffsetDateTime>>;
/// What a reader saw: how late each event of the measured time came, in milliseconds, and the last sequence.
pub type LateReader = JoinHandle<(Vec<u32>, u64)>;

/// Reads to the end.
pub fn follow<S>(socket: S, from: &From) -> LateReader
where
    S: Stream<Item = Result<Message, Error>> + Send + Unpin + 'static,
{
    tokio::spawn(read(socket, from.subscribe()))
}

async fn read<S>(mut socket: S, from: watch::Receiver<Option<OffsetDateTime>>) -> (Vec<u32>, u64)
where
    S: Stream<Item = Result<Message, Error>> + Unpin,
{
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
            let late = (now - written).whole_milliseconds().max(0);
            delays_ms.push(u32::try_from(late).unwrap());
        }
    }
    panic!("a socket ended before the completion, after {last}")
}

/// How late all events came to all readers.
pub struct Lateness(Vec<u32>);

impl Lateness {
    /// When all have read to the end, which is the same for all.
    pub async fn of(readers: Vec<LateReader>) -> Self {
        let mut delays_ms = Vec::new();
        let mut ends = BTreeSet::new();
        for reader in readers {
            let (delays, last) = reader.await.unwrap();
            delays_ms.extend(delays);
            ends.insert(last);
        }
        assert_eq!(ends.len(), 1, "all readers saw the same log: {ends:?}");
        assert!(!delays_ms.is_empty(), "no event came in the time");
        delays_ms.sort_unstable();
        Self(delays_ms)
    }

    /// How many events came, counted at each reader.
    pub fn deliveries(&self) -> usize {
        self.0.len()
    }

    /// The milliseconds that so many of a hundred deliveries took at most.
    pub fn percentile(&self, percent: usize) -> u32 {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}
