//! All stores of one Neo4j, over one driver.

use std::sync::Arc;

use super::config::Neo4jConfig;
use time::OffsetDateTime;

use super::driver::{Driver, Statement, Trouble};
use super::{Neo4jGraph, Neo4jJobs, Neo4jKeys, Neo4jReplicas, migrate, moving, pending_migrations};
use crate::{GraphStore, JobLimits, JobStore, KeyStore, ReplicaStore, StoreError};

/// What several servers keep together.
#[derive(Clone)]
pub struct Stores {
    /// The graph.
    pub graph: Arc<dyn GraphStore>,
    /// The jobs.
    pub jobs: Arc<dyn JobStore>,
    /// The stored API keys.
    pub keys: Arc<dyn KeyStore>,
    /// Requests and tickets.
    pub replicas: Arc<dyn ReplicaStore>,
    config: Neo4jConfig,
    driver: Arc<Driver>,
}

impl Stores {
    /// The stores of a server that is not asked yet. Until [`Stores::prepare`] has succeeded every call says that
    /// the database is not available.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn new(config: &Neo4jConfig, limits: JobLimits) -> Result<Self, StoreError> {
        let driver = Arc::new(Driver::closed(config)?);
        Ok(Self {
            graph: Arc::new(Neo4jGraph::new(Arc::clone(&driver))),
            jobs: Arc::new(Neo4jJobs::new(Arc::clone(&driver), limits)),
            keys: Arc::new(Neo4jKeys::new(Arc::clone(&driver))),
            replicas: Arc::new(Neo4jReplicas::new(Arc::clone(&driver))),
            config: config.clone(),
            driver,
        })
    }

    /// What the database's clock says. Answered before [`Stores::open`] too: who claims by it must know it first.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn now(&self) -> Result<OffsetDateTime, StoreError> {
        const DOING: &str = "asking for the time";
        let ask = Statement::new("RETURN datetime.realtime().epochMillis * 1000000 AS now");
        let rows = Box::pin(self.driver.read_unopened(DOING, ask)).await?;
        let now = rows.first().map(|row| row.moment("now"));
        let now = now.unwrap_or_else(|| Err(Trouble::Unreadable("no row".to_owned())));
        now.map_err(|trouble| trouble.while_doing(DOING))
    }

    /// Lets calls through without changing the schema: for who reads, and finds nothing where there is none.
    ///
    /// # Errors
    /// As [`Stores::prepare`].
    pub async fn look(&self) -> Result<(), StoreError> {
        Box::pin(pending_migrations(&self.config)).await?;
        self.driver.open();
        Ok(())
    }

    /// Brings the schema up to this version, and lets calls through.
    ///
    /// # Errors
    /// As [`Stores::migrate`].
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.migrate().await?;
        self.open();
        Ok(())
    }

    /// Brings the schema up to this version.
    ///
    /// # Errors
    /// The server does not answer, a newer version has written the database ([`StoreError::TooNew`]), or an import into
    /// it did not end ([`StoreError::HalfImported`]).
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // Boxed: callers nest deep, and this happens once.
        Box::pin(migrate(&self.config)).await?;
        if Box::pin(moving::is_unfinished(&Driver::new(&self.config)?)).await? {
            let place = self.config.uri.clone();
            return Err(StoreError::HalfImported { place });
        }
        Ok(())
    }

    /// Lets calls through: the schema is current.
    pub fn open(&self) {
        self.driver.open();
    }
}
