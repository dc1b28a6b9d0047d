//! A database of its own for each case: one server is all there is, so the cases take turns.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::neo4j::driver::{Driver, Statement, transaction};
use crate::neo4j::schema::STEPS;
use crate::neo4j::{Neo4jConfig, migrations};

/// Whose turn it is.
static TURN: Mutex<()> = Mutex::const_new(());

/// The database as long as this lives: nobody else uses it.
pub(crate) struct Turn {
    pub(crate) config: Neo4jConfig,
    pub(crate) driver: Arc<Driver>,
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    /// Another server's way to the same database.
    pub(crate) fn another(&self) -> Arc<Driver> {
        let instance = super::server().unwrap().instance;
        let config = self.config.clone();
        Arc::new(Driver::new(&Neo4jConfig { instance, ..config }).unwrap())
    }
}

/// An empty database of this version; `None` where there is no server.
pub(crate) async fn fresh() -> Option<Turn> {
    let config = super::server()?;
    let guard = TURN.lock().await;
    let driver = Arc::new(Driver::new(&config).unwrap());
    wipe(&driver).await.unwrap();
    migrations::migrate(&driver).await.unwrap();
    Some(Turn {
        config,
        driver,
        _guard: guard,
    })
}

/// Removes all nodes but those that say what the schema is, as far as this version knows it.
async fn wipe(driver: &Driver) -> Result<(), crate::StoreError> {
    let known = STEPS.iter().map(|step| step.number).max();
    loop {
        let text = "MATCH (x) WHERE NOT x:MigrationLock AND NOT (x:Migration AND x.number <= $known)
            WITH x LIMIT 20000 DETACH DELETE x RETURN count(x) AS n";
        let removed = transaction!(driver, "wiping", |tx| async {
            let wipe = Statement::new(text).with("known", known);
            tx.one(wipe).await?.map_or(Ok(0), |row| row.count("n"))
        });
        if removed == 0 {
            return Ok(());
        }
    }
}
