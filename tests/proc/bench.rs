//! A simulator in this process and a server process on a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use atg_client::Client;
use atg_models::api::{CompletionFrame, GenerateIacRequest, ScanRequest};
use atg_models::{JobId, TenantId};
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use atg_tests::{DEADLINE, KEY, ServerProcess, zip_of};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Where a server process lives.
pub(crate) struct Bench {
    pub(crate) sim: Simulator,
    folder: TempDir,
}

/// The simulator of these tests: small pages, no quotas.
pub(crate) fn config(resources: usize) -> SimConfig {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut config = SimConfig::new(Arc::new(SeededWorld::new(7, resources)));
    config.quotas = false;
    config.arg_page_rows = 40;
    config.arm_page_rows = 40;
    config.graph_page_rows = 20;
    config
}

/// Every answer takes this long.
pub(crate) fn slow(ms: u64) -> Fault {
    Fault {
        count: u64::MAX,
        value: Some(ms),
        ..Fault::new(FaultKind::Slow)
    }
}

impl Bench {
    pub(crate) fn new(config: SimConfig) -> Self {
        Self {
            sim: Simulator::start(config).unwrap(),
            folder: atg_tests::folder(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.sim.world().tenant_id()
    }

    pub(crate) fn command(&self) -> std::process::Command {
        ServerProcess::command(self.folder(), self.sim.url())
    }

    pub(crate) fn serve(&self) -> ServerProcess {
        ServerProcess::start(self.command(), self.folder())
    }

    /// Requests that the simulator has seen.
    pub(crate) fn calls(&self) -> u64 {
        self.sim.stats().calls.values().sum()
    }

    pub(crate) async fn start_scan(&self, server: &ServerProcess) -> JobId {
        let request = ScanRequest::new(self.tenant());
        client(server).scan(&request).await.unwrap().job_id
    }

    pub(crate) async fn start_generation(&self, server: &ServerProcess) -> JobId {
        let body = serde_json::json!({"tenant_id": self.tenant()});
        let request: GenerateIacRequest = atg_models::api::ApiRequest::from_value(&body).unwrap();
        client(server).generate_iac(&request).await.unwrap().job_id
    }

    /// The hash of what lies under the name of a first attempt's zip, if anything does.
    pub(crate) fn published_hash(&self, job: JobId) -> Option<String> {
        let digest = Sha256::digest(std::fs::read(zip_of(&self.data(), job)).ok()?);
        Some(
            digest
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
        )
    }

    /// The hash of the zip of a job.
    pub(crate) async fn zip_hash(&self, server: &ServerProcess, job: JobId) -> String {
        let file = self.folder().join(format!("{job}.zip"));
        client(server).download(job, &file, |_, _| {}).await.unwrap().sha256
    }
}

pub(crate) fn client(server: &ServerProcess) -> Client {
    Client::new(&server.url, Some(KEY.to_owned().into())).unwrap()
}

/// Waits for a job's end.
pub(crate) async fn completion(server: &ServerProcess, job: JobId) -> CompletionFrame {
    atg_tests::completion(&client(server), job, DEADLINE + Duration::from_secs(30)).await
}
