//! A server that stops talking, wherever it does: every call ends within its bound.

use std::time::Duration;

use tokio::time::Instant;

use super::stranger::{Does, Stranger, server, success};
use super::strangers::said;
use super::write;
use crate::StoreError;
use crate::neo4j::driver::{Driver, Statement};
use crate::neo4j::limits::Bounds;

/// Each is told apart from the others by its length.
const BOUNDS: Bounds = Bounds {
    acquire: Duration::from_millis(150),
    read: Duration::from_millis(300),
    long_read: Duration::from_millis(600),
    begin: Duration::from_millis(200),
    statement: Duration::from_millis(400),
    rollback: Duration::from_millis(100),
    health: Duration::from_millis(100),
};
/// What has not ended by then does not end.
const NEVER: Duration = Duration::from_secs(20);

/// Says so much, then nothing any more.
async fn silent_behind(script: Vec<Does>) -> (Stranger, Driver) {
    let stranger = Stranger::start(script).await;
    let driver = Driver::new(&stranger.config()).unwrap().within(BOUNDS);
    (stranger, driver)
}

/// So many answers of a server.
fn answers(count: usize) -> Vec<Does> {
    let mut script = server();
    // RUN names its columns, and PULL has no more.
    script.extend((0..count).map(|_| success(&[])));
    script.truncate(count);
    script
}

/// How long something took that has to end with such an error.
async fn ends<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>, words: &str) -> Duration {
    let started = Instant::now();
    let ended = tokio::time::timeout(NEVER, call).await;
    let error = ended.unwrap_or_else(|_| panic!("{words}: never ends")).unwrap_err();
    let text = said(&error);
    assert!(
        error.is_retryable() && text.contains(words),
        "“{words}” is not in: {text}"
    );
    started.elapsed()
}

async fn read(driver: &Driver) -> Result<usize, StoreError> {
    Ok(driver.read("testing", Statement::new("RETURN 1 AS n")).await?.len())
}

#[tokio::test]
async fn a_read_ends() {
    // Nothing at all; not to the sign-in; not to the statement.
    for count in 0..=2 {
        let (_stranger, driver) = silent_behind(answers(count)).await;
        let took = ends(read(&driver), "no answer within").await;
        assert!(took >= BOUNDS.read, "{count}: {took:?}");
    }
}

#[tokio::test]
async fn the_question_for_the_health_ends() {
    for count in 0..=2 {
        let (_stranger, driver) = silent_behind(answers(count)).await;
        let asked = tokio::time::timeout(NEVER, driver.answers()).await;
        assert_eq!(asked, Ok(false), "{count}");
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_begin_is_not_tried_again() {
    for count in 0..=2 {
        let (stranger, driver) = silent_behind(answers(count)).await;
        ends(write(&driver, "RETURN 1 AS n"), "no transaction was begun in time").await;
        assert_eq!(stranger.connections(), 1, "{count}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_not_answered_is_tried_once_more() {
    // Not to RUN, not to PULL, not to COMMIT.
    for count in 3..=5 {
        let (stranger, driver) = silent_behind(answers(count)).await;
        let took = ends(write(&driver, "RETURN 1 AS n"), "no answer within").await;
        assert!(took >= 2 * BOUNDS.statement, "{count}: {took:?}");
        assert_eq!(stranger.connections(), 2, "{count}");
    }
}

#[tokio::test]
async fn a_connection_is_not_waited_for_without_end() {
    let (_stranger, driver) = silent_behind(answers(0)).await;
    let read_long = Duration::from_secs(3);
    let driver = driver.within(Bounds {
        read: read_long,
        ..BOUNDS
    });
    let (first, second) = (read(&driver), read(&driver));
    let late = async {
        tokio::task::yield_now().await;
        ends(read(&driver), "all connections to Neo4j are in use").await
    };
    let (first, second, _) = tokio::join!(first, second, late);
    assert!(first.is_err() && second.is_err());
}
