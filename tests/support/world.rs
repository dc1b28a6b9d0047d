//! A simulated tenant and a server that reads it, in this process.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use atg_client::Client;
use atg_db::{JobLimits, KeyStore, StoreObserver, Stores, Transition, Unobserved};
use atg_models::api::{
    CompletionFrame, CompletionStatus, GenerateIacRequest, GenerateSpecRequest, JobResultResponse, ScanRequest,
    ScanResult,
};
use atg_models::job::{Event, EventBody, LogLevel, NewJob, OnCrash, TenantUse, WorkerId};
use atg_models::{Clock, IdGen as _, JobId, JobKind, TenantId};
use atg_server::{Config, Held, RunningServer, StoreChoice, SystemClock, SystemIds, load_config};
use atg_sim::world::SeededWorld;
use atg_sim::{SimConfig, Simulator};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::raw_client::raw_client;
use crate::{Database, Folder, Witness, record};

/// Names the place of results.
const ARTIFACTS: &str = "ATG_ARTIFACT_URL";

/// The key that the server knows.
pub const KEY: &str = "atg_dev_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// What a world is made of.
pub struct Setup {
    azure: Azure,
    settings: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
    time_of_the_store: bool,
    observer: Arc<dyn StoreObserver>,
    store: Store,
}

/// Which tenant is read.
enum Azure {
    /// One of the world's own.
    New(Box<SimConfig>),
    /// That of another world.
    Of(Arc<Simulator>),
}

/// Where the server keeps what it keeps.
enum Store {
    /// Where the run of the tests says.
    OfTheRun,
    /// In the data folder.
    Embedded,
    /// In a Neo4j of the test's own.
    Given(Database),
}

/// A tenant, a server, a client.
pub struct World {
    /// Azure.
    pub sim: Arc<Simulator>,
    /// Who is read.
    pub tenant: TenantId,
    /// With the right key.
    pub client: Client,
    server: Option<Served>,
    settings: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
    time_of_the_store: bool,
    observer: Arc<dyn StoreObserver>,
    url: String,
    pub(crate) http: reqwest::Client,
    data: TempDir,
    database: Option<Database>,
}

/// A server, and who sees all that passes between it and its callers.
struct Served {
    witness: Witness,
    of_metrics: Option<Witness>,
    server: RunningServer,
}

impl Setup {
    /// A seeded tenant of that many resources, without quotas.
    pub fn new(seed: u64, resources: usize) -> Self {
        let mut sim = SimConfig::new(Arc::new(SeededWorld::new(seed, resources)));
        sim.quotas = false;
        Self::of(Azure::New(Box::new(sim)), Store::OfTheRun)
    }

    /// Another server of the same tenant, database and place of results.
    ///
    /// # Panics
    /// When the world is not on Neo4j: a data folder is one server's.
    pub fn beside(world: &World) -> Self {
        let database = world.database.as_ref().expect("several servers need Neo4j");
        let given = Store::Given(database.another_way());
        let mut setup = Self::of(Azure::Of(Arc::clone(&world.sim)), given);
        let own = ["ATG_DATA_DIR", "NEO4J_URI"];
        let common = world.settings.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        setup.settings = common.cloned().collect();
        if !setup.settings.iter().any(|(name, _)| name == ARTIFACTS) {
            let results = format!("file://{}", world.folder().join("artifacts").display());
            setup.settings.push((ARTIFACTS.to_owned(), results));
        }
        setup
    }

    fn of(azure: Azure, store: Store) -> Self {
        Self {
            azure,
            settings: Vec::new(),
            clock: Arc::new(SystemClock),
            time_of_the_store: false,
            observer: Arc::new(Unobserved),
            store,
        }
    }

    /// Changes the simulator.
    #[must_use]
    pub fn sim(mut self, change: impl FnOnce(&mut SimConfig)) -> Self {
        match &mut self.azure {
            Azure::New(sim) => change(sim),
            Azure::Of(_) => panic!("the tenant is another world's"),
        }
        self
    }

    /// Lets the database's clock count where there is one, as it does for a server that is a program. Nobody then
    /// sees the calls to the stores.
    #[must_use]
    pub fn time_of_the_store(mut self) -> Self {
        self.time_of_the_store = true;
        self
    }

    /// Gives the server another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Lets something see each call to the server's stores, and stop them.
    #[must_use]
    pub fn observer(mut self, observer: impl StoreObserver) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Adds a setting of the server.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps everything in the data folder, whatever the run says.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.store = Store::Embedded;
        self
    }

    /// Keeps everything in this Neo4j, whatever the run says.
    #[must_use]
    pub fn neo4j(mut self, database: Database) -> Self {
        self.store = Store::Given(database);
        self
    }

    /// Starts both.
    pub async fn start(self) -> World {
        // Two cryptography providers are linked, so one is chosen; a second test finds it chosen.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sim = match self.azure {
            Azure::New(sim) => Arc::new(Simulator::start(*sim).unwrap()),
            Azure::Of(sim) => sim,
        };
        let tenant = sim.world().tenant_id();
        let data = record::folder();
        let database = match self.store {
            Store::OfTheRun => Box::pin(Database::for_this_test()).await,
            Store::Embedded => None,
            Store::Given(database) => Some(database),
        };
        let mut settings = vec![
            ("ATG_SERVER_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("ATG_SERVER_WORKERS".to_owned(), "1".to_owned()),
            ("ATG_API_KEYS".to_owned(), KEY.to_owned()),
            (
                "ATG_DATA_DIR".to_owned(),
                data.path().join("data").to_str().unwrap().to_owned(),
            ),
            ("ATG_AZURE_CLOUD".to_owned(), "custom".to_owned()),
            ("ATG_AZURE_ARM_ENDPOINT".to_owned(), sim.url().to_owned()),
            ("ATG_AZURE_GRAPH_ENDPOINT".to_owned(), sim.url().to_owned()),
            ("ATG_AZURE_AUTHORITY".to_owned(), sim.url().to_owned()),
            ("ATG_AZURE_STATIC_TOKEN".to_owned(), "static".to_owned()),
        ];
        settings.extend(database.iter().flat_map(Database::settings));
        settings.retain(|(name, _)| self.settings.iter().all(|(given, _)| given != name));
        settings.extend(self.settings);
        let server = serve(&settings, &self.clock, self.time_of_the_store, &self.observer).await;
        let url = server.witness.url().to_owned();
        World {
            client: Client::new(&url, Some(KEY.to_owned().into())).unwrap(),
            sim,
            tenant,
            server: Some(server),
            settings,
            clock: self.clock,
            time_of_the_store: self.time_of_the_store,
            observer: self.observer,
            url,
            http: raw_client(),
            data,
            database,
        }
    }
}

fn configured(settings: &[(String, String)]) -> Config {
    load_config(settings.iter().cloned(), None, None, Some(0))
        .unwrap()
        .config
}

async fn serve(
    settings: &[(String, String)],
    clock: &Arc<dyn Clock>,
    time_of_the_store: bool,
    observer: &Arc<dyn StoreObserver>,
) -> Served {
    for (name, value) in settings {
        if name == "ATG_API_KEYS" {
            record::issued_all(value);
        }
    }
    let (config, clock, ids) = (configured(settings), Arc::clone(clock), Arc::new(SystemIds));
    let server = if time_of_the_store {
        Box::pin(RunningServer::start(config, clock, ids)).await
    } else {
        Box::pin(RunningServer::start_observed(config, clock, ids, Arc::clone(observer))).await
    };
    let server = server.unwrap();
    Served {
        witness: Witness::of(server.url()),
        of_metrics: server.metrics_url().map(Witness::of_metrics),
        server,
    }
}

impl World {
    /// A tenant of 150 resources.
    pub async fn small() -> Self {
        Setup::new(7, 150).start().await
    }

    /// Where the server is for all callers: each answer is judged on its way, and one that does not fit fails the test.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens itself, for what is about the connection and not about what is said on it.
    #[track_caller]
    pub fn direct_url(&self) -> &str {
        let caller = std::panic::Location::caller().file();
        record::count("not judged: asked at the server's own address", caller);
        self.running().url()
    }

    fn running(&self) -> &RunningServer {
        &self.server.as_ref().unwrap().server
    }

    /// Where its metrics are, when they have an address of their own.
    pub fn metrics_url(&self) -> Option<&str> {
        let metrics = self.server.as_ref().unwrap().of_metrics.as_ref();
        metrics.map(Witness::url)
    }

    /// What the server holds in memory for its callers.
    pub fn held(&self) -> Held {
        self.running().held()
    }

    /// The data folder.
    pub fn folder(&self) -> std::path::PathBuf {
        self.data.path().join("data")
    }

    /// A folder for what a test writes.
    pub fn scratch(&self) -> &Path {
        self.data.path()
    }

    /// The database, when it is no folder.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// What the health says of the store.
    pub fn store_name(&self) -> &'static str {
        if self.database.is_some() { "neo4j" } else { "sqlite" }
    }

    /// The stored keys, beside the server.
    pub async fn keys(&self) -> Arc<dyn KeyStore> {
        let config = configured(&self.settings);
        // Boxed, like the other long ways into the stores: the compiler follows only so many futures in one.
        Box::pin(atg_server::open_keys(&config, &SystemIds)).await.unwrap()
    }

    /// What the server keeps, for as long as it is stopped.
    pub async fn stores(&self) -> Folder {
        assert!(self.server.is_none(), "a server holds the stores");
        let config = configured(&self.settings);
        let StoreChoice::Neo4j(mut settings) = config.store else {
            return Folder::of(atg_db::sqlite::open(&self.folder()).unwrap().into());
        };
        settings.instance = format!("beside-{:032x}", SystemIds.random_u128());
        let kept = atg_db::neo4j::Stores::new(&settings, JobLimits::default()).unwrap();
        Box::pin(kept.prepare()).await.unwrap();
        Folder::of(Stores {
            graph: kept.graph,
            jobs: kept.jobs,
            artifacts: Arc::new(config.artifacts.open().unwrap()),
            keys: kept.keys,
            replicas: Some(kept.replicas),
        })
    }

    /// A request without a key.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A request with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(KEY)
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Posts a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    /// Starts a scan of the tenant.
    pub async fn start_scan(&self) -> JobId {
        self.client.scan(&ScanRequest::new(self.tenant)).await.unwrap().job_id
    }

    /// Waits for a job's end.
    pub async fn completion(&self, job: JobId) -> CompletionFrame {
        crate::completion(&self.client, job, crate::DEADLINE).await
    }

    /// Waits for a job's end, whatever it is, and answers its result.
    pub async fn result(&self, job: JobId) -> JobResultResponse {
        self.completion(job).await;
        self.client.result(job).await.unwrap()
    }

    /// Scans the tenant; the scan has to succeed.
    pub async fn scan(&self) -> (JobId, ScanResult) {
        let job = self.start_scan().await;
        let completion = self.completion(job).await;
        assert_eq!(completion.status, CompletionStatus::Completed, "{completion:?}");
        (job, serde_json::from_value(completion.result).unwrap())
    }

    /// Generates Terraform; that has to succeed.
    pub async fn generate(&self) -> JobId {
        let body = serde_json::json!({"tenant_id": self.tenant});
        let request: GenerateIacRequest = atg_models::api::ApiRequest::from_value(&body).unwrap();
        let job = self.client.generate_iac(&request).await.unwrap().job_id;
        let completion = self.completion(job).await;
        assert_eq!(completion.status, CompletionStatus::Completed, "{completion:?}");
        job
    }

    /// Changes a setting, for the next server that is started.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a specification as asked; that has to succeed.
    pub async fn specify(&self, body: &Value) -> JobId {
        let request: GenerateSpecRequest = atg_models::api::ApiRequest::from_value(body).unwrap();
        let job = self.client.generate_spec(&request).await.unwrap().job_id;
        let completion = self.completion(job).await;
        assert_eq!(completion.status, CompletionStatus::Completed, "{completion:?}");
        job
    }

    /// The files of a job's artifact, by path.
    pub async fn files(&self, job: JobId) -> BTreeMap<String, String> {
        let path = self.scratch().join(format!("{job}.zip"));
        self.client.download(job, &path, |_, _| {}).await.unwrap();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let mut files = BTreeMap::new();
        for at in 0..zip.len() {
            let mut file = zip.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            files.insert(file.name().to_owned(), text);
        }
        files
    }

    /// Stops the server and starts another one on the same folder.
    pub async fn restart(&mut self) {
        self.stop_server().await;
        let server = serve(&self.settings, &self.clock, self.time_of_the_store, &self.observer).await;
        server.witness.url().clone_into(&mut self.url);
        self.client = Client::new(&self.url, Some(KEY.to_owned().into())).unwrap();
        self.server = Some(server);
    }

    /// A finished job with these lines in its log, written while the server is down.
    pub async fn written_log(&mut self, lines: Vec<String>) -> JobId {
        /// Lines of one write.
        const CHUNK: usize = 500;
        self.stop_server().await;
        let now = self.clock.now();
        let id = SystemIds.job_id(JobKind::Scan, now);
        {
            let jobs = self.stores().await.stores.jobs;
            let job = NewJob {
                id,
                tenant: self.tenant.to_string(),
                tenant_use: TenantUse::Exclusive,
                on_crash: OnCrash::Rerun,
                key_prefix: KEY.trim_start_matches("atg_dev_").chars().take(8).collect(),
                params: Value::Null,
                created_at: now,
            };
            jobs.insert(job, None).await.unwrap();
            let claimed = jobs
                .claim(&WorkerId("test".to_owned()), now)
                .await
                .unwrap()
                .unwrap()
                .job;
            let fence = claimed.machine.fence;
            for chunk in lines.chunks(CHUNK) {
                let events = chunk.iter().map(|line| EventBody::Log {
                    level: LogLevel::Info,
                    message: line.clone(),
                });
                jobs.append(id, fence, events.collect(), now).await.unwrap();
            }
            let end = Event::Succeeded { fence };
            jobs.transition(id, end, Transition::default(), now).await.unwrap();
        }
        self.restart().await;
        id
    }

    /// Tells the server to take nothing new.
    pub fn drain(&self) {
        self.running().drain();
    }

    /// Stops the server; the folder can be opened by others then.
    pub async fn stop_server(&mut self) {
        if let Some(served) = self.server.take() {
            served.server.stop().await;
        }
    }
}
