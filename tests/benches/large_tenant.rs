//! Scans a large simulated tenant with the real quotas and generates Terraform from it, and prints how long each took
//! and the server's peak memory, as rows of the table of benchmarks: `large_tenant [sqlite|neo4j] [RESOURCES]`. Neo4j
//! is the one that `NEO4J_TEST_URI` names, emptied, or one of its own from the jars that `NEO4J_TEST_JARS` names.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the system's clock, and fails by panicking"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atg_client::Client;
use atg_models::JobId;
use atg_models::api::{GenerateIacRequest, GenerateIacResult, ScanRequest, ScanResult};
use atg_neo4j::{Access, Measured};
use atg_sim::world::{SeededWorld, World as _};
use atg_sim::{SimConfig, Simulator};
use atg_tests::{KEY, ServerProcess, emptied_neo4j};
use serde::de::DeserializeOwned;

const SEED: u64 = 7;
const RESOURCES: usize = 100_000;
/// What the server may take for the scan, in MiB.
const BAR_MIB: u64 = 300;
/// How long a job may take.
const WITHIN: Duration = Duration::from_hours(2);
/// Where no Azure is.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().unwrap_or_else(|| "neo4j".to_owned());
    let resources = arguments.next().map_or(RESOURCES, |text| text.parse().unwrap());
    let neo4j = match store.as_str() {
        "sqlite" => None,
        "neo4j" => Some(emptied_neo4j().await),
        other => panic!("no store: {other}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        store,
        access: neo4j.as_ref().map(Measured::access),
        folder: folder.path(),
    };
    let world = Arc::new(SeededWorld::new(SEED, resources));
    for what in ["first scan", "second scan, nothing changed"] {
        // Each with quotas that nothing is used of.
        let sim = Simulator::start(SimConfig::new(world.clone())).unwrap();
        let request = ScanRequest::new(world.tenant_id());
        let submit = async |client: &Client| client.scan(&request).await.unwrap().job_id;
        let (seconds, peak_mib, scan) = setup.run(sim.url(), submit).await;
        let scan: ScanResult = scan;
        let floor_seconds = sim.stats().floor_seconds;
        println!(
            "| {}, {what}: {} resources, {} nodes, {} edges, {:?} | {seconds:.0} s, peak {peak_mib} MiB | quota floor: {floor_seconds:.0} s | – | {BAR_MIB} MiB |",
            setup.store, scan.resources_discovered, scan.nodes, scan.edges, scan.verdict,
        );
    }
    let request = GenerateIacRequest::default();
    let submit = async |client: &Client| client.generate_iac(&request).await.unwrap().job_id;
    let (seconds, peak_mib, generated): (_, _, GenerateIacResult) = setup.run(NOWHERE, submit).await;
    println!(
        "| {}, Terraform of {} resources | {seconds:.0} s, peak {peak_mib} MiB | – | – | – |",
        setup.store, generated.resources_in,
    );
}

struct Setup<'a> {
    store: String,
    access: Option<&'a Access>,
    folder: &'a Path,
}

impl Setup<'_> {
    fn command(&self, azure: &str) -> Command {
        let mut command = ServerProcess::command(self.folder, azure);
        if let Some(access) = self.access {
            command
                .env("ATG_STORE", "neo4j")
                .env("NEO4J_URI", &access.uri)
                .env("NEO4J_USER", &access.user)
                .env("NEO4J_PASSWORD", &access.password);
        }
        command
    }

    /// Runs a job on a server that does nothing else; its seconds, the server's peak memory, and the job's result.
    async fn run<T: DeserializeOwned>(&self, azure: &str, submit: impl AsyncFnOnce(&Client) -> JobId) -> (f64, u64, T) {
        let server = ServerProcess::start(self.command(azure), self.folder);
        let client = Client::new(&server.direct_url, Some(KEY.to_owned().into())).unwrap();
        let started = Instant::now();
        let job = submit(&client).await;
        let completion = atg_tests::completion(&client, job, WITHIN).await;
        let seconds = started.elapsed().as_secs_f64();
        let peak_mib = server.peak_mib();
        assert!(server.terminate().success());
        let result = serde_json::from_value(completion.result.clone());
        (
            seconds,
            peak_mib,
            result.unwrap_or_else(|_| panic!("{job} failed: {completion:?}")),
        )
    }
}
