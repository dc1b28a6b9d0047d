//! Opening what the server keeps, by the configuration.

use std::sync::Arc;

use anyhow::Context as _;
use atg_db::sqlite::SqliteKeys;
use atg_db::{JobLimits, KeyStore, ObjectArtifacts, PlaceProblem, StoreError, Stores, neo4j};
use atg_models::{Clock, IdGen};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, StoreChoice};
use crate::shared_clock::SharedClock;

/// How long the start waits for Neo4j before the server goes on without it.
const PREPARE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// How often the start asks for the database's time before it goes on as if the database were away.
const TIME_QUESTIONS: usize = 3;
/// How often a Neo4j that could not be reached at the start is tried again.
const PREPARE_AGAIN: time::Duration = time::Duration::seconds(1);

/// The stores of a server.
pub(crate) struct Opened {
    pub(crate) stores: Stores,
    /// The database that other servers may use too.
    pub(crate) shared: Option<Shared>,
}

/// A database that several servers use.
pub(crate) struct Shared {
    stores: neo4j::Stores,
    /// It did not answer at the start.
    late: bool,
}

/// Whose time a server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeOf {
    /// The clock's that it is given.
    Clock,
    /// The shared store's, where there is one.
    Store,
}

impl Shared {
    /// Lets calls through, and does what goes on beside the requests: prepares a database that was away at the
    /// start, and follows its clock. Answers the clock that the server is to use. No call goes through before that
    /// clock is known: by another one, the leases of other servers would seem to have expired. From then on
    /// `opened` is cancelled.
    pub(crate) async fn attend(
        self,
        clock: Arc<dyn Clock>,
        time_of: TimeOf,
        tasks: &TaskTracker,
        (opened, until): (&CancellationToken, &CancellationToken),
    ) -> Arc<dyn Clock> {
        let Self { stores, late } = self;
        let time = match time_of {
            TimeOf::Clock => None,
            TimeOf::Store => Some(Arc::new(SharedClock::new(Arc::clone(&clock)))),
        };
        if !late && time_is_known(time.as_deref(), &stores).await {
            stores.open();
            opened.cancel();
        } else {
            let (opened, until) = (opened.clone(), until.clone());
            let late = prepare_late(stores.clone(), time.clone(), Arc::clone(&clock));
            tasks.spawn(async move {
                if until.run_until_cancelled(late).await.is_some() {
                    opened.cancel();
                }
            });
        }
        let Some(time) = time else { return clock };
        tasks.spawn(Arc::clone(&time).follow(stores, until.clone()));
        time
    }
}

/// Whether the server knows what time it is; asks a few times.
async fn time_is_known(time: Option<&SharedClock>, stores: &neo4j::Stores) -> bool {
    let Some(time) = time else { return true };
    let asked = async {
        for _ in 0..TIME_QUESTIONS {
            if time.measure(stores).await.is_some() {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(PREPARE_TIMEOUT, asked).await.unwrap_or(false)
}

/// Opens all stores. A Neo4j that cannot be reached is no error: the server says so in its health.
pub(crate) async fn open(config: &Config, ids: &dyn IdGen) -> anyhow::Result<Opened> {
    let limits = JobLimits {
        per_key: config.jobs_per_key,
        scans_per_hour: config.scans_per_hour,
    };
    match &config.store {
        StoreChoice::Sqlite => {
            let (folder, place) = (config.data_dir.clone(), config.artifacts.clone());
            let stores = tokio::task::spawn_blocking(move || {
                let stores = Stores::from(atg_db::sqlite::open_with(&folder, limits)?);
                Ok((stores, place.open()?))
            });
            let (mut stores, artifacts) = stores.await?.map_err(|error| explained(error, config))?;
            check_place(&artifacts).await?;
            stores.artifacts = Arc::new(artifacts);
            Ok(Opened { stores, shared: None })
        }
        StoreChoice::Neo4j(_) => {
            let place = config.artifacts.clone();
            let artifacts = tokio::task::spawn_blocking(move || place.open()).await?;
            let artifacts = artifacts.context("opening the place of the results")?;
            check_place(&artifacts).await?;
            let shared = neo4j(config, ids)?;
            let late = is_late(shared.migrate(), config).await?;
            let stores = Stores {
                graph: Arc::clone(&shared.graph),
                jobs: Arc::clone(&shared.jobs),
                keys: Arc::clone(&shared.keys),
                replicas: Some(Arc::clone(&shared.replicas)),
                artifacts: Arc::new(artifacts),
            };
            let shared = Some(Shared { stores: shared, late });
            Ok(Opened { stores, shared })
        }
    }
}

/// Refuses a place that only its operator can mend; one that cannot be reached is waited for.
async fn check_place(artifacts: &ObjectArtifacts) -> anyhow::Result<()> {
    let problem = match tokio::time::timeout(PREPARE_TIMEOUT, artifacts.check()).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => {
            let wrong = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<PlaceProblem>());
            if let Some(wrong) = wrong {
                anyhow::bail!(
                    "{wrong}\n  hint: ATG_ARTIFACT_URL must name a container that is there, and the AZURE_STORAGE_… \
                     settings a key or an identity that may read and write blobs in it"
                );
            }
            crate::error::chain(&error)
        }
        Err(_) => format!("no answer within {} s", PREPARE_TIMEOUT.as_secs()),
    };
    tracing::warn!(
        error = problem,
        "the place of the results cannot be reached: the server starts, and uses it as soon as it can"
    );
    Ok(())
}

/// Whether Neo4j is still to be prepared: it did not answer in time.
async fn is_late(preparing: impl Future<Output = Result<(), StoreError>>, config: &Config) -> anyhow::Result<bool> {
    let Some(problem) = in_time(preparing, config).await? else {
        return Ok(false);
    };
    tracing::warn!(
        error = problem,
        "Neo4j cannot be used: the server starts, answers 503, and goes on as soon as it can"
    );
    Ok(true)
}

/// Why a Neo4j cannot be used that may be used later; `None` when it can.
async fn in_time(
    call: impl Future<Output = Result<(), StoreError>>,
    config: &Config,
) -> anyhow::Result<Option<String>> {
    match tokio::time::timeout(PREPARE_TIMEOUT, call).await {
        Ok(Ok(())) => Ok(None),
        Ok(Err(error)) if error.is_retryable() => Ok(Some(format!("{:#}", placed(error, config)))),
        Ok(Err(error)) => Err(explained(error, config)),
        Err(_) => {
            let silence = StoreError::Unavailable {
                doing: "looking at the schema",
                source: format!("no answer within {} s", PREPARE_TIMEOUT.as_secs()).into(),
            };
            Ok(Some(format!("{:#}", placed(silence, config))))
        }
    }
}

/// Prepares a Neo4j that could not be reached at the start, as soon as it can be.
async fn prepare_late(shared: neo4j::Stores, time: Option<Arc<SharedClock>>, clock: Arc<dyn Clock>) {
    let mut said = String::new();
    loop {
        clock.sleep_until(clock.now() + PREPARE_AGAIN).await;
        match shared.migrate().await {
            Ok(()) if !time_is_known(time.as_deref(), &shared).await => {}
            Ok(()) => {
                shared.open();
                tracing::info!("Neo4j can be reached, its schema is current");
                return;
            }
            Err(error) => {
                let problem = crate::error::chain(&error);
                if problem != said {
                    tracing::warn!(error = problem, "Neo4j cannot be used yet");
                    said = problem;
                }
            }
        }
    }
}

/// The stored keys alone, made if they are missing: for commands beside the server.
///
/// # Errors
/// When they cannot be opened.
pub async fn open_keys(config: &Config, ids: &dyn IdGen) -> anyhow::Result<Arc<dyn KeyStore>> {
    match &config.store {
        StoreChoice::Sqlite => {
            let keys = SqliteKeys::open(&config.data_dir).map_err(|error| explained(error, config))?;
            Ok(Arc::new(keys))
        }
        StoreChoice::Neo4j(_) => {
            let shared = neo4j(config, ids)?;
            shared.prepare().await.map_err(|error| explained(error, config))?;
            Ok(shared.keys)
        }
    }
}

/// The stored keys as a server finds them before it starts.
pub(crate) enum PresentKeys {
    /// There is no place where some may be.
    None,
    /// They can be asked for.
    Stored(Arc<dyn KeyStore>),
    /// Nobody can say at the moment, for this reason.
    Away(String),
}

/// The stored keys, if there are any; makes no folder for them, and changes no schema.
pub(crate) async fn present_keys(config: &Config, ids: &dyn IdGen) -> anyhow::Result<PresentKeys> {
    match &config.store {
        StoreChoice::Sqlite if SqliteKeys::is_there(&config.data_dir) => {
            open_keys(config, ids).await.map(PresentKeys::Stored)
        }
        StoreChoice::Sqlite => Ok(PresentKeys::None),
        StoreChoice::Neo4j(_) => {
            let shared = neo4j(config, ids)?;
            Ok(match in_time(shared.look(), config).await? {
                None => PresentKeys::Stored(shared.keys),
                Some(problem) => PresentKeys::Away(problem),
            })
        }
    }
}

/// The stores of Neo4j, not asked yet.
///
/// # Errors
/// When the configuration names no Neo4j, or an address that cannot be one.
pub(crate) fn neo4j(config: &Config, ids: &dyn IdGen) -> anyhow::Result<neo4j::Stores> {
    let StoreChoice::Neo4j(settings) = &config.store else {
        anyhow::bail!("this needs ATG_STORE=neo4j");
    };
    let mut settings = settings.as_ref().clone();
    settings.instance = format!("server-{:032x}", ids.random_u128());
    let limits = JobLimits {
        per_key: config.jobs_per_key,
        scans_per_hour: config.scans_per_hour,
    };
    neo4j::Stores::new(&settings, limits).map_err(|error| explained(error, config))
}

/// Why the stores cannot be opened, and what to do about it.
pub(crate) fn explained(error: StoreError, config: &Config) -> anyhow::Error {
    let embedded = matches!(config.store, StoreChoice::Sqlite);
    let hint = match &error {
        StoreError::Corrupt { .. } if embedded => {
            "\n  hint: restore a backup (atg-server restore FILE --force); if only graph.db is damaged, atg-server \
             reset-graph sets it aside: jobs and results stay, and the next scan fills a new graph"
        }
        StoreError::Unavailable { .. } if embedded => "\n  hint: the folder must be writable, with room on its disk",
        StoreError::Unavailable { .. } => {
            "\n  hint: NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD must be those of a Neo4j that runs"
        }
        StoreError::Corrupt { .. }
        | StoreError::Fenced { .. }
        | StoreError::Refused(_)
        | StoreError::NotFound { .. }
        | StoreError::TooLarge { .. }
        | StoreError::TooNew { .. }
        | StoreError::HalfImported { .. }
        | StoreError::Locked { .. } => "",
    };
    let error = placed(error, config);
    anyhow::anyhow!("{error:#}{hint}")
}

/// An error and whose it is.
fn placed(error: StoreError, config: &Config) -> anyhow::Error {
    let place = match &config.store {
        StoreChoice::Sqlite => format!("opening the data folder {}", config.data_dir.display()),
        StoreChoice::Neo4j(settings) => format!("opening the stores at {}", settings.uri),
    };
    anyhow::Error::new(error).context(place)
}
