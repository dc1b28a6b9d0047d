//! Moving the stores of a Neo4j.
//!
//! A tenant is read as one state, by its revision; jobs before it, at a moment without a claim. What is written carries a
//! mark, and jobs that are not over are held back until all is proved. Only what is ours is counted and removed: the
//! database may hold more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use atg_models::TenantId;

use super::config::Neo4jConfig;
use super::driver::{Driver, Outcome, Row, Statement, Trouble, Tx, Value, transaction};
use super::jobs::{self, Fixed};
use super::{graph, keys, migrations};
use crate::StoreError;
use crate::moving::{Begun, MoveError, MoveSource, MoveTarget, Part, Record, Take};

/// For errors.
const EXPORTING: &str = "exporting";
const IMPORTING: &str = "importing";
/// Nodes that one transaction removes.
const REMOVED_AT_ONCE: u32 = 5_000;
/// How often a moment without a claim is looked for.
const LOOKS: u32 = 50;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// All that is kept, by label: how many there are, and how to remove some.
macro_rules! kept {
    ($($label:literal: $name:literal),+ $(,)?) => {
        /// What is counted of a label, and how it is called.
        const COUNTS: &[(&str, &str)] = &[
            $((concat!("MATCH (x:", $label, ") RETURN count(x) AS n"), $name)),+
        ];
        const REMOVALS: &[&str] = &[
            $(concat!("MATCH (x:", $label, ") WITH x LIMIT $limit DETACH DELETE x RETURN count(*) AS n")),+
        ];
    };
}
kept! {
    "TenantRecord": "tenants", "Job": "jobs", "ApiKey": "stored keys", "Idempotency": "idempotency keys",
    "Entity": "nodes", "Tombstone": "tombstones", "Scan": "scans", "LedgerEntry": "entries of ledgers",
    "LedgerPart": "partitions of ledgers", "Listed": "listed edges", "Alias": "aliases", "Lookup": "look-ups",
    "Change": "changes", "Cache": "cached values", "JobEvent": "events of jobs",
}

/// Whether an import into this database did not end.
pub(super) async fn is_unfinished(driver: &Driver) -> Result<bool, StoreError> {
    let look = Statement::new("MATCH (x:UnfinishedImport) RETURN count(x) AS n");
    let rows = driver.read("looking for an import", look).await?;
    let count = rows.first().map_or(Ok(0), |row| row.count("n"));
    Ok(count.map_err(|trouble| trouble.while_doing("looking for an import"))? > 0)
}

/// What a Neo4j keeps, handed out.
pub struct Neo4jSource {
    driver: Arc<Driver>,
    place: String,
    /// Whether it is read back after an import, whose mark is still there.
    is_import: bool,
    fixed: Mutex<Fixed>,
    /// The generation of each tenant when the jobs were fixed.
    tenants: Mutex<Vec<(TenantId, i64)>>,
}

impl Neo4jSource {
    /// Of a database; it is not asked yet.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn new(config: &Neo4jConfig) -> Result<Self, StoreError> {
        Ok(Self::of(Arc::new(Driver::new(config)?), &config.uri, false))
    }

    fn of(driver: Arc<Driver>, place: &str, is_import: bool) -> Self {
        Self {
            driver,
            place: place.to_owned(),
            is_import,
            fixed: Mutex::default(),
            tenants: Mutex::default(),
        }
    }

    /// The database is one of this version, and whole.
    async fn check(&self) -> Result<(), MoveError> {
        let lacking = Box::pin(migrations::pending(&self.driver)).await?;
        if !lacking.is_empty() {
            return Err(MoveError::Store(StoreError::Corrupt {
                doing: EXPORTING,
                problem: format!("the schema of {} is not current: run atg-server migrate", self.place),
            }));
        }
        if !self.is_import && is_unfinished(&self.driver).await? {
            let place = self.place.clone();
            return Err(StoreError::HalfImported { place }.into());
        }
        Ok(())
    }

    /// The tenants that there are, each with its generation.
    async fn tenants(&self) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows = self
            .driver
            .read(
                EXPORTING,
                Statement::new("MATCH (t:TenantRecord) RETURN t.id AS id, t.gen AS gen"),
            )
            .await?;
        let read = |row: &Row| Ok((row.parsed::<TenantId>("id")?, row.get("gen")?));
        let tenants = rows.iter().map(read).collect::<Outcome<Vec<_>>>();
        let mut tenants = tenants.map_err(|trouble| trouble.while_doing(EXPORTING))?;
        tenants.sort_by_key(|(id, _)| id.to_string());
        Ok(tenants)
    }
}

#[async_trait]
impl MoveSource for Neo4jSource {
    fn store(&self) -> &'static str {
        "neo4j"
    }

    async fn begin(&self) -> Result<Vec<TenantId>, MoveError> {
        self.check().await?;
        for _ in 0..LOOKS {
            let before = jobs::queue(&self.driver).await?;
            let fixed = jobs::fix(&self.driver, before.0).await?;
            let tenants = self.tenants().await?;
            if jobs::queue(&self.driver).await? == before {
                let ids = tenants.iter().map(|(id, _)| *id).collect();
                *self.fixed.lock().unwrap_or_else(PoisonError::into_inner) = fixed;
                *self.tenants.lock().unwrap_or_else(PoisonError::into_inner) = tenants;
                return Ok(ids);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(MoveError::Store(StoreError::Unavailable {
            doing: EXPORTING,
            source: "jobs were claimed all the time".into(),
        }))
    }

    async fn jobs(&self, take: Take<'_>) -> Result<(), MoveError> {
        let fixed = std::mem::take(&mut *self.fixed.lock().unwrap_or_else(PoisonError::into_inner));
        jobs::read_moved(&self.driver, &fixed, take).await
    }

    async fn keys(&self, take: Take<'_>) -> Result<(), MoveError> {
        keys::read_moved(&self.driver, take).await
    }

    async fn tenant(&self, tenant: TenantId, take: Take<'_>) -> Result<String, MoveError> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = tenants.into_iter().find(|(id, _)| *id == tenant);
        let (_, generation) = known.ok_or(StoreError::NotFound { what: "tenant" })?;
        graph::read_moved(&self.driver, tenant, generation, take).await
    }
}

/// A Neo4j that an import fills.
pub struct Neo4jTarget {
    driver: Arc<Driver>,
    place: String,
}

impl Neo4jTarget {
    /// Of a database; it is not asked yet.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn new(config: &Neo4jConfig) -> Result<Self, StoreError> {
        Ok(Self {
            driver: Arc::new(Driver::new(config)?),
            place: config.uri.clone(),
        })
    }

    /// What is in the database, in words; nothing when it is empty.
    async fn holds(&self) -> Result<String, StoreError> {
        let mut holds = Vec::new();
        for (text, name) in COUNTS {
            let rows = self.driver.read(IMPORTING, Statement::new(text)).await?;
            let count = rows.first().map_or(Ok(0), |row| row.count("n"));
            let count = count.map_err(|trouble| trouble.while_doing(IMPORTING))?;
            if count > 0 {
                holds.push(format!("{count} {name}"));
            }
        }
        Ok(holds.join(", "))
    }

    async fn remove_all(&self) -> Result<(), StoreError> {
        let queue = "MATCH (x:JobQueue) DELETE x RETURN count(*) AS n";
        let removals = REMOVALS.iter().copied().chain([queue]);
        for text in removals {
            loop {
                let removed = transaction!(self.driver, IMPORTING, |tx| async {
                    let row = tx.one(Statement::new(text).with("limit", REMOVED_AT_ONCE)).await?;
                    row.map_or(Ok(0), |row| row.count("n"))
                });
                if removed == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn mark(&self) -> Result<(), StoreError> {
        let text = "MERGE (x:UnfinishedImport {id: 'import'}) SET x.last = $mark";
        transaction!(self.driver, IMPORTING, |tx| async {
            let mark = tx.mark().to_owned();
            tx.run(Statement::new(text).with("mark", mark)).await.map(drop)
        });
        Ok(())
    }
}

#[async_trait]
impl MoveTarget for Neo4jTarget {
    async fn look(&self) -> Result<(), MoveError> {
        if is_unfinished(&self.driver).await? {
            return Ok(());
        }
        let holds = self.holds().await?;
        if holds.is_empty() {
            return Ok(());
        }
        let place = self.place.clone();
        Err(MoveError::NotEmpty { place, holds })
    }

    async fn begin(&self) -> Result<Begun, MoveError> {
        Box::pin(migrations::migrate(&self.driver)).await?;
        self.look().await?;
        let is_again = is_unfinished(&self.driver).await?;
        self.mark().await?;
        if !is_again {
            return Ok(Begun::New);
        }
        self.remove_all().await?;
        Ok(Begun::Again)
    }

    async fn write(&self, part: Part, records: Vec<Record>) -> Result<(), StoreError> {
        transaction!(self.driver, IMPORTING, |tx| async {
            if is_carried_out(tx).await? {
                return Ok(());
            }
            match part {
                Part::Jobs => jobs::write_moved(tx, &records).await,
                Part::Keys => keys::write_moved(tx, &records).await,
                Part::Tenant(tenant) => graph::write_moved(tx, tenant, &records).await,
            }
        });
        Ok(())
    }

    async fn written(&self) -> Result<Box<dyn MoveSource>, StoreError> {
        Ok(Box::new(Neo4jSource::of(Arc::clone(&self.driver), &self.place, true)))
    }

    async fn end(&self) -> Result<(), StoreError> {
        transaction!(self.driver, IMPORTING, |tx| async {
            tx.run(Statement::new(jobs::RELEASE)).await?;
            tx.run(Statement::new("MATCH (x:UnfinishedImport) DELETE x"))
                .await
                .map(drop)
        });
        Ok(())
    }
}

/// Notes this transaction on the mark; whether it was there before, so that all of it was carried out.
async fn is_carried_out(tx: &mut Tx<'_>) -> Outcome<bool> {
    let text = "MATCH (x:UnfinishedImport {id: 'import'}) SET x._lock = $mark
        WITH x, x.last = $mark AS before SET x.last = $mark RETURN before";
    let mark = tx.mark().to_owned();
    let row = tx.one(Statement::new(text).with("mark", Value::from(mark))).await?;
    let row =
        row.ok_or_else(|| Trouble::Unreadable("the import's mark is gone: another one has ended it".to_owned()))?;
    row.get("before")
}
