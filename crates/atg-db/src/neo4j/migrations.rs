//! The schema: numbered steps, recorded in the database, applied at start.
//!
//! A step is done by whoever holds the lock of the one `MigrationLock` node. Statements about the schema can
//! stand in no transaction with data, so each runs in its own while the lock is held, before the step is
//! recorded: what was begun and not recorded is done again, which changes nothing.

use super::driver::{Driver, Outcome, Statement, Tx, transaction};
use super::schema::STEPS;
use crate::StoreError;

/// A step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its place; the first is 1.
    pub number: i64,
    /// What it is about.
    pub name: &'static str,
    /// What is run, each by itself; each the same the second time.
    pub statements: &'static [&'static str],
}

/// What the errors call the database.
const DATABASE: &str = "the Neo4j database";
/// So that the lock is one node, and a number is recorded once.
const FIRST: &[&str] = &[
    "CREATE CONSTRAINT migration_lock IF NOT EXISTS FOR (x:MigrationLock) REQUIRE x.id IS UNIQUE",
    "CREATE CONSTRAINT migration_number IF NOT EXISTS FOR (x:Migration) REQUIRE x.number IS UNIQUE",
];

/// The steps that the database lacks. Writes nothing; one statement.
pub(crate) async fn pending(driver: &Driver) -> Result<Vec<Migration>, StoreError> {
    lacking(driver, STEPS).await
}

/// Brings the database to this version and answers what was done for that. Any number of servers may do so at
/// once. One statement when there is nothing to do.
pub(crate) async fn migrate(driver: &Driver) -> Result<Vec<Migration>, StoreError> {
    bring_to(driver, STEPS).await
}

async fn lacking(driver: &Driver, steps: &[Migration]) -> Result<Vec<Migration>, StoreError> {
    let recorded = Statement::new("MATCH (m:Migration) RETURN m.number AS number");
    let doing = "looking at the schema";
    let rows = driver.read(doing, recorded).await?;
    let recorded = rows
        .iter()
        .map(|row| row.get("number"))
        .collect::<Outcome<Vec<i64>>>()
        .map_err(|trouble| trouble.while_doing(doing))?;
    let known = steps.iter().map(|step| step.number).max().unwrap_or_default();
    if let Some(found) = recorded.iter().copied().find(|number| *number > known) {
        let file = DATABASE.to_owned();
        return Err(StoreError::TooNew { file, found, known });
    }
    let lacks = |step: &&Migration| !recorded.contains(&step.number);
    Ok(steps.iter().filter(lacks).copied().collect())
}

async fn bring_to(driver: &Driver, steps: &[Migration]) -> Result<Vec<Migration>, StoreError> {
    let pending = lacking(driver, steps).await?;
    if pending.is_empty() {
        return Ok(pending);
    }
    for text in FIRST {
        change_schema(driver, text).await?;
    }
    for step in &pending {
        take_step(driver, step).await?;
        tracing::info!(number = step.number, name = step.name, "the schema was changed");
    }
    let wait = Statement::new("CALL db.awaitIndexes(60)");
    driver.read_long("waiting for new indexes", wait).await?;
    Ok(pending)
}

/// Does a step and records it, unless another server has done so while this one waited.
async fn take_step(driver: &Driver, step: &Migration) -> Result<(), StoreError> {
    transaction!(driver, "changing the schema", |tx| async {
        if lock_and_look(tx, step.number).await? {
            return Ok(());
        }
        for text in step.statements {
            change_schema(driver, text).await?;
        }
        let record = "CREATE (m:Migration {number: $number, name: $name,
            at: datetime.realtime().epochMillis * 1000000})";
        let record = Statement::new(record)
            .with("number", step.number)
            .with("name", step.name);
        tx.run(record).await.map(drop)
    });
    Ok(())
}

/// Takes the lock; whether the step is recorded already.
async fn lock_and_look(tx: &mut Tx<'_>, number: i64) -> Outcome<bool> {
    let lock = "MERGE (l:MigrationLock {id: 'schema'}) SET l._lock = $mark";
    let mark = tx.mark().to_owned();
    tx.run(Statement::new(lock).with("mark", mark)).await?;
    let look = Statement::new("MATCH (m:Migration {number: $number}) RETURN m.number AS number");
    Ok(tx.one(look.with("number", number)).await?.is_some())
}

/// On a connection of its own.
async fn change_schema(driver: &Driver, text: &'static str) -> Result<(), StoreError> {
    transaction!(driver, "changing the schema", |tx| async {
        tx.run(Statement::new(text)).await.map(drop)
    });
    Ok(())
}
