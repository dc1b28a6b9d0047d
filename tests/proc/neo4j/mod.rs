//! A real Neo4j that fails: stopped, paused, restarted, with another password, a full disk or no right to write,
//! behind connections that are cut or a certificate of somebody else; and what is no Neo4j at all.
//! Each test has a server of its own. Without the jars that `NEO4J_TEST_JARS` names they are left out.

mod certificate;
mod cut;
mod disturbed;
mod full;
mod log;
mod password;
mod paused;
mod read_only;
mod restarted;
mod stopped;
mod strangers;
mod watch;

use std::time::{Duration, Instant};

use atg_models::JobId;
use atg_neo4j::{Jars, Options, Server};
use atg_sim::{Fault, FaultKind};
use atg_tests::{DEADLINE, Database, Setup, World, until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Handle;

/// How soon after the end of a fault everything is as it was.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
/// What is the same so long is at rest.
const REST: Duration = Duration::from_secs(1);
/// Requests at the same time before a fault: more than during it.
const REQUESTS: usize = 20;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Resources of the tenant.
const RESOURCES: usize = 200;
/// Rows of a page: many pages make many transactions.
const PAGE_ROWS: usize = 20;

/// The system's table of them.
const SOCKETS: &str = "/proc/self/net/tcp";
/// The states of a socket that is gone or that only listens, as the system numbers them.
const NO_CONNECTION: &[&str] = &["06", "07", "0A"];

/// A server on a Neo4j of its own, with a proxy between them.
pub(crate) struct Patient {
    pub(crate) neo4j: Server,
    pub(crate) world: World,
}

/// What may grow during a fault and has to go afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    tasks: usize,
    database: usize,
    clients: usize,
}

pub(crate) fn tenant() -> Setup {
    Setup::new(7, RESOURCES).sim(|sim| {
        sim.arg_page_rows = PAGE_ROWS;
        sim.arm_page_rows = PAGE_ROWS;
        sim.graph_page_rows = PAGE_ROWS;
    })
}

impl Patient {
    /// `None` without the jars of Neo4j.
    pub(crate) async fn new() -> Option<Self> {
        let Some(jars) = Jars::from_environment().unwrap() else {
            println!("left out: NEO4J_TEST_JARS is not set (cargo xtask test fetches the jars of Neo4j)");
            return None;
        };
        let start = || Server::start(Options::functional(jars)).unwrap();
        let neo4j = tokio::task::block_in_place(start);
        let database = Database::at(neo4j.access());
        Box::pin(database.prepare()).await;
        let mut world = tenant().neo4j(database).start().await;
        world.keep_no_connections();
        Some(Self { neo4j, world })
    }

    /// Starts Neo4j again; the rest goes on meanwhile.
    pub(crate) fn start_again(&mut self) {
        tokio::task::block_in_place(|| self.neo4j.restart()).unwrap();
    }

    /// What is held now. Other tests of this process have other ports and other runtimes.
    pub(crate) fn held(&self) -> Held {
        let table = std::fs::read_to_string(SOCKETS).unwrap();
        // The columns of the own address, the other one and the state.
        let open = |column: usize, url: &str| {
            let port: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
            let port = format!(":{port:04X}");
            let rows = table
                .lines()
                .skip(1)
                .map(|row| row.split_whitespace().collect::<Vec<_>>());
            let rows = rows.filter(|row| row[column].ends_with(&port) && !NO_CONNECTION.contains(&row[3]));
            rows.count()
        };
        // Connections to Azure are kept for the next scan, as many as one had use for, each with a task.
        let azure = open(2, self.world.sim.url());
        Held {
            tasks: Handle::current().metrics().num_alive_tasks().saturating_sub(azure),
            database: self.world.database().unwrap().proxy().connections(),
            clients: open(1, self.world.url()),
        }
    }

    /// What is held after work of every kind, at rest.
    pub(crate) async fn held_at_rest(&self) -> Held {
        self.world.scan().await;
        let asked = (0..REQUESTS).map(|_| self.world.get("/api/v1/operations"));
        for answer in futures_util::future::join_all(asked).await {
            assert_eq!(answer.status(), 200);
        }
        let started = Instant::now();
        let mut last = self.held();
        loop {
            tokio::time::sleep(REST).await;
            let now = self.held();
            // The client lets go of its idle connections last.
            if now == last && now.clients == 0 {
                return now;
            }
            assert!(
                started.elapsed() < DEADLINE,
                "the server does not come to rest: {last:?}, {now:?}"
            );
            last = now;
        }
    }

    /// Waits until no more is held than before.
    pub(crate) async fn settles(&self, before: Held) {
        let started = Instant::now();
        loop {
            let now = self.held();
            if now.tasks <= before.tasks && now.database <= before.database && now.clients <= before.clients {
                break;
            }
            assert!(
                started.elapsed() < SETTLED_WITHIN,
                "before {before:?}, now {now:?}; the sockets of {}, with their states in the fourth column:\n{}",
                self.world.url(),
                std::fs::read_to_string(SOCKETS).unwrap()
            );
            tokio::time::sleep(LOOK).await;
        }
        println!("as before after {:?}: {before:?}", started.elapsed());
    }

    /// Starts a scan whose answers from Azure are slow, and waits until it has asked so often.
    pub(crate) async fn scan_up_to(&self, calls: u64) -> JobId {
        self.world.sim.arm(Fault {
            count: u64::MAX,
            value: Some(40),
            ..Fault::new(FaultKind::Slow)
        });
        let before = self.calls();
        let job = self.world.start_scan().await;
        self.calls_reach(before + calls).await;
        job
    }

    pub(crate) fn calls(&self) -> u64 {
        self.world.sim.stats().calls.values().sum()
    }

    pub(crate) async fn calls_reach(&self, calls: u64) {
        until("the scan is so far", async || (self.calls() >= calls).then_some(())).await;
    }

    /// Waits until a submission is refused, with a time to come back.
    pub(crate) async fn is_refused(&self) {
        let body = json!({"tenant_id": self.world.tenant});
        until("a submission is refused", async || {
            let answer = self.world.post("/api/v1/generate-iac", &body).await;
            let refused = answer.status() == 503 && answer.headers().contains_key("retry-after");
            assert!(refused || answer.status() == 202, "{answer:?}");
            refused.then_some(())
        })
        .await;
    }

    /// Every kind of request that needs the database is refused, with a time to come back.
    pub(crate) async fn refuses(&self, job: JobId) {
        let body = json!({"tenant_id": self.world.tenant});
        let asked = [
            self.world.request(Method::GET, "/api/v1/tenants"),
            self.world.request(Method::GET, &format!("/api/v1/operations/{job}")),
            self.world
                .request(Method::GET, &format!("/api/v1/operations/{job}/events?after=0")),
            self.world.request(Method::POST, "/api/v1/generate-iac").json(&body),
            self.world.request(Method::DELETE, &format!("/api/v1/operations/{job}")),
            self.world.anonymous(Method::GET, "/readyz"),
        ];
        let started = Instant::now();
        for answer in futures_util::future::join_all(asked.map(reqwest::RequestBuilder::send)).await {
            let answer = answer.unwrap();
            let path = answer.url().path().to_owned();
            assert_eq!(answer.status(), 503, "{path}");
            assert!(answer.headers().contains_key("retry-after"), "{path}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], "DATABASE_UNAVAILABLE", "{path}: {body}");
            let message = body["error"]["message"].as_str().unwrap();
            assert!(message.contains("database"), "{path}: {message}");
        }
        println!("refused within {:?}", started.elapsed());
    }
}

/// The digest of the same tenant, scanned without a fault on the embedded store.
pub(crate) async fn undisturbed() -> String {
    let world = tenant().embedded().start().await;
    let (_, scanned) = world.scan().await;
    scanned.graph_digest
}
