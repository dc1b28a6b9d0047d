//! The schema: made once by however many servers start, and refused when it is a newer one.

use futures_util::future::join_all;

use super::world::{Turn, fresh};
use crate::StoreError;
use crate::neo4j::driver::{Driver, Statement, transaction};
use crate::neo4j::schema::STEPS;
use crate::neo4j::{migrate, migrations, pending_migrations};

/// A database that no version has seen.
async fn bare() -> Option<Turn> {
    let turn = fresh().await?;
    run(&turn.driver, "MATCH (x) DETACH DELETE x").await;
    for (show, drop) in [
        ("SHOW CONSTRAINTS YIELD name RETURN name", "DROP CONSTRAINT $name"),
        (
            "SHOW INDEXES YIELD name, type WHERE type = 'RANGE' RETURN name",
            "DROP INDEX $name",
        ),
    ] {
        for name in names(&turn.driver, show).await {
            let dropping = async || -> Result<(), StoreError> {
                transaction!(turn.driver, "testing", |tx| async {
                    let drop = Statement::new(drop).with("name", name.as_str());
                    tx.run(drop).await.map(std::mem::drop)
                });
                Ok(())
            };
            dropping().await.unwrap();
        }
    }
    Some(turn)
}

async fn run(driver: &Driver, text: &'static str) {
    let running = async || -> Result<(), StoreError> {
        transaction!(driver, "testing", |tx| async {
            tx.run(Statement::new(text)).await.map(drop)
        });
        Ok(())
    };
    running().await.unwrap();
}

async fn names(driver: &Driver, text: &'static str) -> Vec<String> {
    let rows = driver.read("testing", Statement::new(text)).await.unwrap();
    rows.iter().map(|row| row.text("name").unwrap()).collect()
}

/// How many constraints and indexes the steps make; each constraint has an index of its own.
fn expected() -> (usize, usize) {
    let texts = || STEPS.iter().flat_map(|step| step.statements);
    let constraints = texts().filter(|text| text.starts_with("CREATE CONSTRAINT")).count() + 2;
    (constraints, texts().count() + 2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_make_one_schema() {
    let Some(turn) = bare().await else { return };
    let drivers: Vec<_> = (0..8).map(|_| turn.another()).collect();
    let done = join_all(drivers.iter().map(|driver| migrations::migrate(driver))).await;
    for done in done {
        done.unwrap();
    }
    let (constraints, indexes) = expected();
    let show = "SHOW CONSTRAINTS YIELD name RETURN name";
    assert_eq!(names(&turn.driver, show).await.len(), constraints);
    let show = "SHOW INDEXES YIELD name, type, state WHERE type = 'RANGE' AND state = 'ONLINE' RETURN name";
    assert_eq!(names(&turn.driver, show).await.len(), indexes);
    let recorded = "MATCH (m:Migration) WHERE m.at > 0 RETURN m.name AS name ORDER BY m.number";
    let steps: Vec<_> = STEPS.iter().map(|step| step.name).collect();
    assert_eq!(names(&turn.driver, recorded).await, steps);
    let locks = "MATCH (l:MigrationLock) RETURN l.id AS name";
    assert_eq!(names(&turn.driver, locks).await, ["schema"]);
}

#[tokio::test]
async fn what_would_be_done_is_said_and_not_done() {
    let Some(turn) = bare().await else { return };
    assert_eq!(pending_migrations(&turn.config).await.unwrap(), STEPS);
    assert_eq!(pending_migrations(&turn.config).await.unwrap(), STEPS);
    assert_eq!(
        names(&turn.driver, "SHOW CONSTRAINTS YIELD name RETURN name").await,
        [""; 0]
    );
    assert_eq!(migrate(&turn.config).await.unwrap(), STEPS);
    assert_eq!(pending_migrations(&turn.config).await.unwrap(), []);
    assert_eq!(migrate(&turn.config).await.unwrap(), []);
}

#[tokio::test]
async fn a_step_that_was_begun_is_finished() {
    let Some(turn) = bare().await else { return };
    // The server was killed behind the first statement of the second step.
    for text in STEPS[0].statements.iter().chain(&STEPS[1].statements[..1]) {
        run(&turn.driver, text).await;
    }
    run(&turn.driver, "CREATE (m:Migration {number: 1, name: 'graph', at: 1})").await;
    assert_eq!(migrate(&turn.config).await.unwrap(), STEPS[1..]);
    assert_eq!(pending_migrations(&turn.config).await.unwrap(), []);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let Some(turn) = fresh().await else { return };
    run(&turn.driver, "CREATE (m:Migration {number: 99, name: 'later', at: 1})").await;
    let refused = migrate(&turn.config).await;
    assert!(
        matches!(&refused, Err(StoreError::TooNew { found: 99, .. })),
        "{refused:?}"
    );
    let text = refused.unwrap_err().to_string();
    let known = STEPS.len();
    let expected = format!("the Neo4j database has schema 99, this version knows {known}: use a newer atg");
    assert_eq!(text, expected);
    assert!(pending_migrations(&turn.config).await.is_err());
    run(&turn.driver, "MATCH (m:Migration {number: 99}) DELETE m").await;
}
