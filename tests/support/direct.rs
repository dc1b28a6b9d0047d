//! A scan without a server: the operation on a store, as the engine would run it.

use std::sync::Arc;

use async_trait::async_trait;
use atg_azure::{AzureConfig, AzureReaders, Cloud, CredentialChoice, Endpoints, StaticToken};
use atg_db::{ArtifactStore, GraphStore, StoreError, Stores};
use atg_jobs::{Operation, OperationContext, OperationError};
use atg_models::api::{GenerateSpecRequest, ScanRequest, ScanResult};
use atg_models::job::{LogLevel, Progress};
use atg_models::{Clock, Fence, JobId, JobKind, TenantId};
use atg_ops::{GenerateSpecOperation, ScanOperation};
use atg_server::{SystemClock, SystemIds};
use atg_sim::Simulator;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Stores that no server holds: a data folder of its own, unless others are given.
pub struct Folder {
    /// What is in it.
    pub stores: Stores,
    _folder: Option<TempDir>,
}

impl Default for Folder {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            stores: atg_db::sqlite::open(folder.path()).unwrap().into(),
            _folder: Some(folder),
        }
    }
}

impl Folder {
    /// Those of somebody else, who has let go of them.
    pub fn of(stores: Stores) -> Self {
        Self { stores, _folder: None }
    }

    /// The graph.
    pub fn graph(&self) -> Arc<dyn GraphStore> {
        Arc::clone(&self.stores.graph)
    }

    /// The lines of a tenant's export.
    pub async fn export(&self, tenant: TenantId) -> Vec<String> {
        use futures_util::TryStreamExt as _;
        let lines = self.stores.graph.export(tenant).await.unwrap();
        lines.try_collect().await.unwrap()
    }
}

/// Readers of a simulator with a static token.
pub fn readers(sim: &Simulator) -> AzureReaders {
    readers_on(sim, Arc::new(SystemClock))
}

/// The same with another clock.
pub fn readers_on(sim: &Simulator, clock: Arc<dyn Clock>) -> AzureReaders {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let endpoints = Endpoints::parse(sim.url(), sim.url(), sim.url()).unwrap();
    let token = StaticToken::Text("static".to_owned().into());
    let config = AzureConfig::new(Cloud::Custom(Box::new(endpoints)), CredentialChoice::StaticToken(token));
    AzureReaders::new(config, clock).unwrap()
}

/// One scan.
pub struct DirectScan<'a> {
    folder: &'a Folder,
    sim: &'a Simulator,
    job: JobId,
}

impl<'a> DirectScan<'a> {
    /// The scan with this number of a folder's.
    pub fn new(folder: &'a Folder, sim: &'a Simulator, number: u128) -> Self {
        let job = JobId::new(JobKind::Scan, Uuid::from_u128(number));
        Self { folder, sim, job }
    }

    /// Its id.
    pub fn id(&self) -> JobId {
        self.job
    }

    /// Runs it.
    pub async fn run(&self) -> Result<ScanResult, OperationError> {
        let request = ScanRequest::new(self.sim.world().tenant_id());
        self.run_with(request).await
    }

    /// Runs it as asked.
    pub async fn run_with(&self, request: ScanRequest) -> Result<ScanResult, OperationError> {
        let readers = Arc::new(readers(self.sim));
        let operation = ScanOperation::new(self.folder.graph(), readers, Arc::new(SystemIds));
        let context = Context {
            job: self.job,
            token: CancellationToken::new(),
            artifacts: Arc::clone(&self.folder.stores.artifacts),
        };
        Ok(operation.run(&context, request).await?.outcome)
    }
}

/// Writes a specification of what a folder holds.
pub async fn specify(folder: &Folder, request: GenerateSpecRequest) -> Vec<(String, String)> {
    let context = Context {
        job: JobId::new(JobKind::GenerateSpec, Uuid::from_u128(1)),
        token: CancellationToken::new(),
        artifacts: Arc::clone(&folder.stores.artifacts),
    };
    let operation = GenerateSpecOperation::new(folder.graph(), Arc::new(SystemIds));
    let done = operation.run(&context, request).await.unwrap();
    let name = done.artifact.unwrap().name(context.job);
    let zip = context.artifacts.open(name, None).await.unwrap();
    let zip: Vec<_> = futures_util::TryStreamExt::try_collect::<Vec<_>>(zip)
        .await
        .unwrap()
        .concat();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let files = 0..zip.len();
    files
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut file, &mut text).unwrap();
            (file.name().to_owned(), text)
        })
        .collect()
}

struct Context {
    job: JobId,
    token: CancellationToken,
    artifacts: Arc<dyn ArtifactStore>,
}

#[async_trait]
impl OperationContext for Context {
    fn job_id(&self) -> JobId {
        self.job
    }

    fn fence(&self) -> Fence {
        Fence::new(1)
    }

    fn cancelled(&self) -> CancellationToken {
        self.token.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn artifacts(&self) -> Arc<dyn ArtifactStore> {
        Arc::clone(&self.artifacts)
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogLevel, _: String) {}

    async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    async fn keep(&self, _: Vec<u8>) -> Result<(), StoreError> {
        Ok(())
    }
}
