//! The driver against a real server, where there is one (`cargo xtask test` starts it).

pub(super) mod cutter;
mod jobs;
mod keys;
mod migrations;
mod moving;
mod silence;
mod stranger;
mod strangers;
mod tls;
pub(super) mod world;

use super::config::Neo4jConfig;
use super::driver::{Driver, Outcome, Statement, Trouble, Tx, Value, transaction};

/// The server of the test run; `None` without one.
pub(super) fn server() -> Option<Neo4jConfig> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static OPENED: AtomicU32 = AtomicU32::new(0);
    #[allow(
        clippy::disallowed_methods,
        reason = "what `cargo xtask test` started is named in the environment"
    )]
    let setting = |name: &str| std::env::var(name).ok();
    let Some(uri) = setting("NEO4J_TEST_URI") else {
        eprintln!("left out: NEO4J_TEST_URI is not set (cargo xtask test starts a Neo4j)");
        return None;
    };
    Some(Neo4jConfig {
        uri,
        user: setting("NEO4J_TEST_USER").unwrap_or_else(|| "neo4j".to_owned()),
        password: setting("NEO4J_TEST_PASSWORD").unwrap_or_default().into(),
        database: None,
        ca_file: None,
        pool_size: 4,
        instance: format!("test-{}-{}", std::process::id(), OPENED.fetch_add(1, Ordering::Relaxed)),
    })
}

async fn write(driver: &Driver, text: &'static str) -> Result<u64, crate::StoreError> {
    Ok(transaction!(driver, "testing", |tx| async {
        tx.one(Statement::new(text)).await?.map_or(Ok(0), |row| row.count("n"))
    }))
}

async fn node_count(tx: &mut Tx<'_>, rows: &Value) -> Outcome<u64> {
    let text = "UNWIND $rows AS row CREATE (x:DriverTest {a: row.a, b: row.b}) RETURN count(x) AS n";
    let made = tx.one(Statement::new(text).with("rows", rows.clone())).await?;
    made.map_or(Ok(0), |row| row.count("n"))
}

#[tokio::test]
async fn values_go_there_and_back() {
    let Some(config) = server() else { return };
    let driver = Driver::new(&config).unwrap();
    let text = "RETURN $text AS text, $int AS int, $float AS float, $flag AS flag, $none AS none, $list AS list";
    let statement = Statement::new(text)
        .with("text", "ß \u{1F600} \u{0}")
        .with("int", i64::MAX)
        .with("float", 0.1)
        .with("flag", true)
        .with("none", Value::Null)
        .with("list", vec!["a", "b"]);
    let rows = driver.read("testing", statement).await.unwrap();
    let row = &rows[0];
    assert_eq!(row.text("text").unwrap(), "ß \u{1F600} \u{0}");
    assert_eq!(row.get::<i64>("int").unwrap(), i64::MAX);
    assert!((row.get::<f64>("float").unwrap() - 0.1).abs() < f64::EPSILON);
    assert!(row.get::<bool>("flag").unwrap());
    assert_eq!(row.maybe::<String>("none").unwrap(), None);
    assert_eq!(row.get::<Vec<String>>("list").unwrap(), ["a", "b"]);
    assert!(row.text("none").is_err());
}

#[tokio::test]
async fn a_transaction_is_there_whole_or_not_at_all() {
    let Some(config) = server() else { return };
    let driver = Driver::new(&config).unwrap();
    let wipe = "MATCH (x:DriverTest) DETACH DELETE x RETURN count(x) AS n";
    write(&driver, wipe).await.unwrap();
    let rows = Value::rows((0..10_i64).map(|n| vec![("a", Value::from(n)), ("b", Value::from("b"))]));
    let failing = async |driver: &Driver| -> Result<u64, crate::StoreError> {
        Ok(transaction!(driver, "testing", |tx| async {
            node_count(tx, &rows).await?;
            Err::<u64, _>(Trouble::Unreadable("on purpose".to_owned()))
        }))
    };
    assert!(failing(&driver).await.is_err());
    let working = async |driver: &Driver| -> Result<u64, crate::StoreError> {
        Ok(transaction!(driver, "testing", |tx| node_count(tx, &rows)))
    };
    assert_eq!(working(&driver).await.unwrap(), 10);
    assert_eq!(write(&driver, wipe).await.unwrap(), 10);
}

#[tokio::test]
async fn a_read_that_writes_is_refused() {
    let Some(config) = server() else { return };
    let driver = Driver::new(&config).unwrap();
    let refused = driver
        .read("testing", Statement::new("CREATE (x:DriverTest) RETURN 1 AS n"))
        .await;
    assert!(matches!(refused, Err(crate::StoreError::Corrupt { .. })));
}

/// The driver's own `run` sends a statement again after an error that comes behind RUN. Ours must not.
#[tokio::test]
async fn a_failed_statement_runs_once() {
    let Some(config) = server() else { return };
    let driver = Driver::new(&config).unwrap();
    let wipe = "MATCH (x:OnceTest) DETACH DELETE x RETURN count(x) AS n";
    write(&driver, wipe).await.unwrap();
    let outcome = write(
        &driver,
        "CREATE (x:OnceTest) WITH x UNWIND [1, 0] AS d RETURN 1 / d AS n",
    )
    .await;
    assert!(matches!(outcome, Err(crate::StoreError::Corrupt { .. })), "{outcome:?}");
    assert_eq!(write(&driver, wipe).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be_at_once() {
    let config = Neo4jConfig {
        uri: "bolt://127.0.0.1:1".to_owned(),
        user: "neo4j".to_owned(),
        password: "irrelevant".to_owned().into(),
        database: None,
        ca_file: None,
        pool_size: 1,
        instance: "test".to_owned(),
    };
    let driver = Driver::new(&config).unwrap();
    assert!(!driver.answers().await);
    let error = write(&driver, "RETURN 1 AS n").await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
