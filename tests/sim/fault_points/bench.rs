//! The real engine and operations on stores that fail when they are told to, and a simulated tenant.

use std::path::Path;
use std::sync::Arc;

use atg_db::Inserted;
use atg_db::faults::{Faults, FaultyStores};
use atg_jobs::{Engine, Parts, Registry, Settings};
use atg_models::api::{GenerateIacRequest, ScanRequest};
use atg_models::job::{JobRecord, WorkerId};
use atg_models::{Clock as _, IdGen as _, JobId, JobKind, TenantId};
use atg_ops::{GenerateIacOperation, ScanOperation};
use atg_server::SystemIds;
use atg_sim::Simulator;
use atg_tests::{FastClock, readers_on, until};
use serde_json::Value;
use tempfile::TempDir;
use time::Duration;

/// A lease of half a minute passes in a second and a half.
const TIMES_AS_FAST: u32 = 20;

/// One server's worth of parts, without its HTTP.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) faults: Faults,
    pub(super) stores: FaultyStores,
    pub(super) clock: FastClock,
    pub(super) tenant: TenantId,
    engine: Engine,
    readers: Arc<atg_azure::AzureReaders>,
}

impl Bench {
    /// On a copy of this folder, or an empty one.
    pub(super) fn new(sim: &Simulator, from: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(from) = from {
            copy(from, folder.path());
        }
        let faults = Faults::default();
        let stores = atg_db::faults::open(folder.path(), &faults).unwrap();
        let clock = FastClock::new(TIMES_AS_FAST);
        let readers = Arc::new(readers_on(sim, Arc::new(clock.clone())));
        let engine = engine(&stores, &clock, &readers, "first");
        Self {
            folder,
            faults,
            stores,
            clock,
            tenant: sim.world().tenant_id(),
            engine,
            readers,
        }
    }

    pub(super) fn start(&self) {
        self.engine.start();
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops the engine and starts another one on the same stores, as a restarted server does.
    pub(super) async fn restart(&mut self) {
        self.engine.shutdown(self.clock.now() + Duration::MINUTE).await;
        self.engine = engine(&self.stores, &self.clock, &self.readers, "second");
        self.engine.start();
    }

    /// Submits as a client does that knows how: the same key again until there is an answer.
    pub(super) async fn submit(&self, kind: JobKind, params: &Value) -> JobId {
        let digest = [7; 32];
        let key = format!("{:032x}", SystemIds.random_u128());
        loop {
            let job = self
                .engine
                .new_job(
                    kind,
                    self.tenant.to_string(),
                    "12345678".to_owned(),
                    params.clone(),
                    &SystemIds,
                )
                .unwrap();
            match self.engine.submit(job, Some((key.clone(), digest))).await {
                Ok(Inserted::New(job) | Inserted::Replayed(job)) => return job.id,
                Ok(other @ (Inserted::Mismatch | Inserted::Full { .. })) => panic!("{other:?}"),
                Err(_) => self.clock.sleep_until(self.clock.now() + Duration::SECOND).await,
            }
        }
    }

    pub(super) async fn scan(&self, change: impl FnOnce(&mut ScanRequest)) -> JobId {
        let mut request = ScanRequest::new(self.tenant);
        change(&mut request);
        self.submit(JobKind::Scan, &serde_json::to_value(request).unwrap())
            .await
    }

    pub(super) async fn generate(&self) -> JobId {
        let request = GenerateIacRequest {
            tenant_id: Some(self.tenant.to_string()),
            ..GenerateIacRequest::default()
        };
        self.submit(JobKind::GenerateIac, &serde_json::to_value(request).unwrap())
            .await
    }

    /// Waits for a job's end.
    pub(super) async fn ended(&self, job: JobId) -> JobRecord {
        until("the job ends", async || {
            let record = self.stores.jobs.get(job).await.unwrap().unwrap();
            record.machine.state.is_terminal().then_some(record)
        })
        .await
    }

    /// Ends the engine and lets go of the folder, which stays.
    pub(super) async fn close(self) -> TempDir {
        self.engine.shutdown(self.clock.now() + Duration::MINUTE).await;
        let Self { folder, .. } = self;
        folder
    }
}

fn engine(stores: &FaultyStores, clock: &FastClock, readers: &Arc<atg_azure::AzureReaders>, worker: &str) -> Engine {
    let azure: Arc<dyn atg_azure::Azure> = Arc::<atg_azure::AzureReaders>::clone(readers);
    let registry = Registry::default()
        .with(ScanOperation::new(
            Arc::clone(&stores.graph),
            azure,
            Arc::new(SystemIds),
        ))
        .with(GenerateIacOperation::new(Arc::clone(&stores.graph)));
    Engine::new(
        Parts {
            jobs: Arc::clone(&stores.jobs),
            artifacts: Arc::clone(&stores.artifacts),
            clock: Arc::new(clock.clone()),
            registry,
        },
        Settings {
            worker: WorkerId(worker.to_owned()),
            max_concurrent_ops: 3,
            sole_owner: true,
            artifact_ttl: Duration::days(7),
            job_ttl: Duration::days(30),
        },
    )
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
