//! Start and stop: opens the stores, recovers jobs, listens; drains, gives jobs back, closes.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web;
use anyhow::Context as _;
use atg_azure::AzureReaders;
use atg_db::{
    ArtifactStore, GraphStore, JobStore, KeyStore, ObservedArtifacts, ObservedGraph, ObservedJobs, StoreObserver,
    Stores, Unobserved,
};
use atg_jobs::{Engine, Parts, Registry, Settings};
use atg_models::job::WorkerId;
use atg_models::{Clock, Environment, IdGen, limits};
use atg_ops::{GenerateIacOperation, GenerateSpecOperation, RemoveTenantOperation, ScanOperation};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, StoreChoice, is_loopback};
use crate::keys::{Keys, no_key};
use crate::metrics::{MeteredAzure, Meters};
use crate::rates::Rates;
use crate::state::AppState;
use crate::stores::{Opened, TimeOf};
use crate::streams::Streams;
use crate::tickets::Tickets;
use crate::{files, server, stores};

/// How long sockets may take to close after the jobs were given back.
const SOCKETS_GRACE: time::Duration = time::Duration::seconds(3);
/// How long the worker threads have to drop what they share, once they were told to end.
const RELEASE_GRACE: time::Duration = time::Duration::seconds(2);
/// How often that is looked at: the end of a thread tells nobody.
const RELEASE_LOOK: time::Duration = time::Duration::milliseconds(2);

/// How often recorded durations are folded into their buckets.
const METRICS_FOLD: time::Duration = time::Duration::seconds(5);

/// A server that answers.
pub struct RunningServer {
    url: String,
    state: web::Data<AppState>,
    handle: ServerHandle,
    metrics: Option<MetricsServer>,
    tasks: TaskTracker,
}

/// The server of the metrics, when they have an address of their own.
struct MetricsServer {
    url: String,
    handle: ServerHandle,
}

/// What a server holds in memory for its callers. All of it is bounded, and goes when they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Keys whose requests are counted.
    pub keys: usize,
    /// Sockets, event streams and requests that wait.
    pub streams: usize,
    /// Tickets that wait to be used.
    pub tickets: usize,
    /// Jobs whose log is followed.
    pub watched_jobs: usize,
    /// Pages of logs that readers share.
    pub pages: usize,
    /// About how many bytes these are.
    pub pages_bytes: usize,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopReport {
    /// Whether everything stopped by itself in time.
    pub clean: bool,
}

impl RunningServer {
    /// Opens the stores, takes up the jobs that an earlier run left, and listens.
    ///
    /// # Errors
    /// When the address is taken, the data folder is in use by another server, a file in it
    /// cannot be read, or there is no key outside `dev`.
    pub async fn start(config: Config, clock: Arc<dyn Clock>, ids: Arc<dyn IdGen>) -> anyhow::Result<Self> {
        Self::launch(config, (clock, TimeOf::Store), ids, Arc::new(Unobserved)).await
    }

    /// As [`Self::start`]; `observer` sees every call to the stores, and can stop one. The clock's word is final,
    /// whatever a database's clock says.
    pub async fn start_observed(
        config: Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGen>,
        observer: Arc<dyn StoreObserver>,
    ) -> anyhow::Result<Self> {
        Self::launch(config, (clock, TimeOf::Clock), ids, observer).await
    }

    async fn launch(
        config: Config,
        (clock, time_of): (Arc<dyn Clock>, TimeOf),
        ids: Arc<dyn IdGen>,
        observer: Arc<dyn StoreObserver>,
    ) -> anyhow::Result<Self> {
        let connections = files::raise_limit();
        let (draining, tasks) = (CancellationToken::new(), TaskTracker::new());
        let Opened { stores, shared } = stores::open(&config, ids.as_ref()).await?;
        let opened = CancellationToken::new();
        let clock = if let Some(shared) = shared {
            shared.attend(clock, time_of, &tasks, (&opened, &draining)).await
        } else {
            opened.cancel();
            clock
        };
        let replicas = stores.replicas.clone();
        let keys = open_keys(&config, Arc::clone(&stores.keys), &clock).await?;
        let meters = Meters::new()?;
        let Observed { graph, jobs, artifacts } = Observed::of(stores, &meters.observing(observer), &clock);
        let azure = AzureReaders::new(config.azure.clone(), Arc::clone(&clock))?;
        let azure = Arc::new(MeteredAzure::new(Arc::new(azure), Arc::clone(&meters)));
        let registry = Registry::default()
            .with(ScanOperation::new(Arc::clone(&graph), azure, Arc::clone(&ids)))
            .with(GenerateIacOperation::new(Arc::clone(&graph)))
            .with(GenerateSpecOperation::new(Arc::clone(&graph), Arc::clone(&ids)))
            .with(RemoveTenantOperation::new(Arc::clone(&graph), Arc::clone(&jobs)));
        let parts = Parts {
            jobs: Arc::clone(&jobs),
            artifacts: Arc::clone(&artifacts),
            clock: Arc::clone(&clock),
            registry,
        };
        let engine = Engine::new(parts, engine_settings(&config, ids.as_ref()));
        let address = SocketAddr::new(config.host, config.port);
        let listener = server::bind(address).with_context(|| format!("listening on {address}"))?;
        let url = format!("http://{}", listener.local_addr().context("asking for the bound port")?);
        warn_about_plain_http(&config);
        let state = web::Data::new(AppState {
            rates: Rates::new(config.requests_per_minute, replicas.clone()),
            streams: Streams::default(),
            tickets: Tickets::new(replicas),
            config,
            graph,
            jobs,
            artifacts,
            keys,
            engine,
            clock,
            ids,
            meters,
            draining,
            tasks: TaskTracker::new(),
        });
        let http = server::build(state.clone(), listener, connections).context("starting the HTTP server")?;
        let handle = http.handle();
        tasks.spawn(http);
        tasks.spawn(Arc::clone(&state.keys).watch(state.draining.clone()));
        let metrics = match state.config.metrics_addr {
            Some(address) => Some(serve_metrics(&state, address, &tasks)?),
            None => None,
        };
        tasks.spawn(fold_metrics(state.clone().into_inner()));
        start_once(opened, &state, &tasks);
        Ok(Self {
            url,
            state,
            handle,
            metrics,
            tasks,
        })
    }

    /// Where the metrics are, when they have an address of their own.
    pub fn metrics_url(&self) -> Option<&str> {
        self.metrics.as_ref().map(|metrics| metrics.url.as_str())
    }

    /// Where it answers, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it holds in memory for its callers.
    pub fn held(&self) -> Held {
        let (pages, pages_bytes) = self.state.engine.shared_pages();
        Held {
            pages,
            pages_bytes,
            keys: self.state.rates.len(),
            streams: self.state.streams.len(),
            tickets: self.state.tickets.len(),
            watched_jobs: self.state.engine.hub().watched_jobs(),
        }
    }

    /// Takes nothing new from now on; what is there goes on until [`Self::stop`].
    pub fn drain(&self) {
        self.state.draining.cancel();
    }

    /// Takes nothing new, closes the sockets, gives running jobs back, and ends.
    pub async fn stop(self) -> StopReport {
        self.drain();
        let deadline = self.state.clock.now() + limits::SHUTDOWN_GRACE;
        self.state.tasks.close();
        let report = self.state.engine.shutdown(deadline).await;
        // The sockets were told to close; one whose reader does not take it is left behind.
        tokio::select! {
            () = self.state.tasks.wait() => {}
            () = self.state.clock.sleep_until(self.state.clock.now() + SOCKETS_GRACE) => {}
        }
        self.handle.stop(true).await;
        if let Some(metrics) = &self.metrics {
            metrics.handle.stop(true).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.release().await;
        StopReport {
            clean: report.dropped == 0,
        }
    }

    /// Waits until the worker threads have let go of the stores: the data folder can be opened again then.
    async fn release(self) {
        let state = self.state.into_inner();
        let clock = Arc::clone(&state.clock);
        let until = clock.now() + RELEASE_GRACE;
        while Arc::strong_count(&state) > 1 && clock.now() < until {
            clock.sleep_until(clock.now() + RELEASE_LOOK).await;
        }
    }
}

/// The stores, each call to which is seen.
struct Observed {
    graph: Arc<dyn GraphStore>,
    jobs: Arc<dyn JobStore>,
    artifacts: Arc<dyn ArtifactStore>,
}

impl Observed {
    fn of(stores: Stores, observer: &Arc<dyn StoreObserver>, clock: &Arc<dyn Clock>) -> Self {
        let seen = || (Arc::clone(observer), Arc::clone(clock));
        let (by, at) = seen();
        let graph = Arc::new(ObservedGraph::new(stores.graph, by, at));
        let (by, at) = seen();
        let jobs = Arc::new(ObservedJobs::new(stores.jobs, by, at));
        let (by, at) = seen();
        let artifacts = Arc::new(ObservedArtifacts::new(stores.artifacts, by, at));
        Self { graph, jobs, artifacts }
    }
}

/// Starts the jobs once the stores are open. Before that the clock may still jump to the stores' time, and who had
/// made up his mind to wait until some moment would wait for another one.
fn start_once(opened: CancellationToken, state: &web::Data<AppState>, tasks: &TaskTracker) {
    if opened.is_cancelled() {
        state.engine.start();
        return;
    }
    let state = state.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = state.draining.cancelled() => {}
            () = opened.cancelled() => state.engine.start(),
        }
    });
}

fn engine_settings(config: &Config, ids: &dyn IdGen) -> Settings {
    Settings {
        worker: WorkerId(format!("server-{:032x}", ids.random_u128())),
        max_concurrent_ops: usize::try_from(config.max_concurrent_jobs).unwrap_or(1),
        sole_owner: matches!(config.store, StoreChoice::Sqlite),
        artifact_ttl: config.artifact_ttl,
        job_ttl: config.job_ttl,
    }
}

async fn open_keys(config: &Config, stored: Arc<dyn KeyStore>, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<Keys>> {
    let keys = Keys::open(config, stored, Arc::clone(clock)).await;
    let keys = keys.context("reading the stored keys")?;
    let needs_key = config.environment != Environment::Dev;
    anyhow::ensure!(!needs_key || keys.may_open(), no_key(config.environment));
    Ok(Arc::new(keys))
}

fn serve_metrics(
    state: &web::Data<AppState>,
    address: SocketAddr,
    tasks: &TaskTracker,
) -> anyhow::Result<MetricsServer> {
    let listener = server::bind(address).with_context(|| format!("listening on {address} for ATG_METRICS_ADDR"))?;
    let url = format!("http://{}", listener.local_addr().context("asking for the bound port")?);
    tracing::info!(%url, "metrics");
    let http = server::build_metrics(state.clone(), listener).context("starting the server of the metrics")?;
    let handle = http.handle();
    tasks.spawn(http);
    Ok(MetricsServer { url, handle })
}

/// Keeps what was recorded small while nobody asks for it.
async fn fold_metrics(state: Arc<AppState>) {
    loop {
        tokio::select! {
            () = state.draining.cancelled() => return,
            () = state.clock.sleep_until(state.clock.now() + METRICS_FOLD) => state.meters.fold(),
        }
    }
}

/// TLS is a proxy's work: whoever listens to the world without one should know.
fn warn_about_plain_http(config: &Config) {
    let https = config
        .public_url
        .as_ref()
        .is_some_and(|url| url.scheme() == "https" || is_loopback(url));
    if !config.host.is_loopback() && !https {
        tracing::warn!(
            "listening beyond loopback without an https ATG_PUBLIC_URL: keys travel in the clear unless a proxy ends TLS"
        );
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, middleware, test, web};

    use super::*;
    use crate::request_id::request_id;
    use crate::{SystemClock, SystemIds};

    async fn started(folder: &std::path::Path) -> RunningServer {
        let pairs = [
            ("ATG_SERVER_HOST", "127.0.0.1"),
            ("ATG_DATA_DIR", folder.to_str().unwrap()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let loaded = crate::config::load(pairs.into_iter(), None, None, Some(0)).unwrap();
        RunningServer::start(loaded.config, Arc::new(SystemClock), Arc::new(SystemIds))
            .await
            .unwrap()
    }

    async fn defect() -> HttpResponse {
        panic!("a defect")
    }

    #[actix_web::test]
    async fn a_panic_is_answered_and_a_draining_server_closes() {
        let folder = tempfile::tempdir().unwrap();
        let server = started(folder.path()).await;
        let app = App::new()
            .app_data(server.state.clone())
            .route("/panic", web::get().to(defect))
            .route("/good", web::get().to(HttpResponse::Ok))
            .wrap(middleware::from_fn(request_id));
        let app = test::init_service(app).await;
        let called = |path: &str| test::TestRequest::get().uri(path).insert_header(("x-request-id", "r1"));
        let error = test::try_call_service(&app, called("/panic").to_request())
            .await
            .unwrap_err();
        let response = error.error_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers().get("x-request-id").unwrap(), "r1");

        let response = test::call_service(&app, called("/good").to_request()).await;
        assert_eq!(response.headers().get("x-request-id").unwrap(), "r1");
        assert!(!response.response().head().upgrade() && response.response().head().keep_alive());
        server.state.draining.cancel();
        let response = test::call_service(&app, called("/good").to_request()).await;
        assert!(!response.response().head().keep_alive());
        assert!(server.stop().await.clean);
    }
}
