//! Several servers as one: over one real Neo4j and one shared place for results, killed, stopped and started again.
//! Each test has a Neo4j of its own. Without the jars that `NEO4J_TEST_JARS` names they are left out.

mod artifacts;
mod chaos;
mod download;
mod ends;
mod fleet;
mod log;
mod race;
mod reader;
mod undisturbed;
mod unrest;
mod work;

use std::sync::LazyLock;
use std::time::Duration;

use atg_neo4j::{Jars, Options, Server};
use reqwest::Response;

/// How long a request may take before its client asks elsewhere: its server may be stopped where it is.
const PATIENCE: Duration = Duration::from_secs(6);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(150);

/// A Neo4j of the test's own, of this version's schema; `None` without its jars.
async fn neo4j() -> Option<Server> {
    let Some(jars) = Jars::from_environment().unwrap() else {
        println!("left out: NEO4J_TEST_JARS is not set (cargo xtask test fetches the jars of Neo4j)");
        return None;
    };
    let start = || Server::start(Options::functional(jars)).unwrap();
    let neo4j = tokio::task::block_in_place(start);
    let config = atg_tests::neo4j_config(&neo4j.access());
    Box::pin(atg_db::neo4j::migrate(&config)).await.unwrap();
    Some(neo4j)
}

/// A number that the environment asks for, or the usual one.
fn asked(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// A client that knows nothing of the product, and takes a new connection for each request.
fn http() -> &'static reqwest::Client {
    static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0);
        builder.build().unwrap()
    });
    &HTTP
}

/// Sends until somebody answers who does not leave. Answers how often it was sent, too: each try may have been heard.
async fn persistent(request: reqwest::RequestBuilder) -> (Response, u64) {
    let mut sent = 0;
    loop {
        sent += 1;
        match request.try_clone().unwrap().send().await {
            Ok(answer) if answer.status() != 503 => return (answer, sent),
            Ok(_) | Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}
