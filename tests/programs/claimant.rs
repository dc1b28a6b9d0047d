//! One of the processes that claim a job at the same moment: claims once for each line that it is given, and says
//! what it got.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this is test code: it fails by panicking, and speaks to the test that started it"
)]

use atg_db::JobLimits;
use atg_db::neo4j::{Neo4jConfig, Stores};
use atg_models::Clock as _;
use atg_models::job::WorkerId;
use atg_server::SystemClock;

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let name = format!("claimant-{}", std::process::id());
    let config = Neo4jConfig {
        uri: variable("NEO4J_URI"),
        user: variable("NEO4J_USER"),
        password: variable("NEO4J_PASSWORD").into(),
        database: None,
        ca_file: None,
        pool_size: 2,
        instance: name.clone(),
    };
    let worker = WorkerId(name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap();
    let stores = Stores::new(&config, JobLimits::default()).unwrap();
    runtime.block_on(stores.prepare()).unwrap();
    println!("{}", worker.0);
    for line in std::io::stdin().lines() {
        line.unwrap();
        let claimed = runtime.block_on(stores.jobs.claim(&worker, SystemClock.now())).unwrap();
        match claimed {
            Some(claimed) => println!("{}", claimed.job.id),
            None => println!("nothing"),
        }
    }
}
