//! What a database promises whatever is in it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tempfile::TempDir;

use super::*;
use crate::sqlite::folder;

const PLAN: Plan = Plan {
    file: "test.db",
    steps: &["CREATE TABLE word(k INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"],
};

fn database() -> (Database, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let lock = Arc::new(folder::claim(folder.path()).unwrap());
    (Database::open(folder.path(), lock, &PLAN).unwrap(), folder)
}

async fn words(database: &Database) -> i64 {
    let count = |connection: &Connection| Ok(connection.query_row("SELECT count(*) FROM word", [], |row| row.get(0))?);
    database.read("counting", Duration::from_secs(10), count).await.unwrap()
}

/// A full disk is a state to wait out, not a damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_passes() {
    let (database, _folder) = database();
    let fill = |session: &mut Session| {
        session.connection.pragma_update(None, "max_page_count", 10)?;
        for n in 0..10_000 {
            session.word(&format!("a word that takes some room {n}"))?;
        }
        Ok(())
    };
    let full = database.write("filling", fill).await;
    assert!(matches!(&full, Err(error) if error.is_retryable()), "{full:?}");
    assert_eq!(words(&database).await, 0);
    let after = database
        .write("going on", |session| {
            session.connection.pragma_update(None, "max_page_count", 10_000)?;
            session.word("a word that takes some room 0")
        })
        .await;
    assert!(after.is_ok(), "{after:?}");
    assert_eq!(
        words(&database).await,
        1,
        "a word of the transaction that failed is made again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_stopped() {
    let (database, _folder) = database();
    let endless = |connection: &Connection| {
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
        Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
    };
    let late = database
        .read("counting for ever", Duration::from_millis(50), endless)
        .await;
    assert!(matches!(&late, Err(error) if error.is_retryable()), "{late:?}");
    assert_eq!(words(&database).await, 0, "the connection is of use again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_does_not_wait_for_a_writer() {
    let (database, _folder) = database();
    let database = Arc::new(database);
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let writing = database.write("writing slowly", move |session| {
        session.word("new")?;
        let _ = begun.send(());
        let _ = wait.recv_timeout(Duration::from_secs(10));
        Ok(())
    });
    let reading = async {
        has_begun.await.unwrap();
        assert_eq!(words(&database).await, 0);
        go_on.send(()).unwrap();
    };
    let (written, ()) = futures_util::join!(writing, reading);
    written.unwrap();
    assert_eq!(words(&database).await, 1);
}

/// A stream that loses its worker says so instead of ending early.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_ends_with_an_error() {
    let (database, _folder) = database();
    let broken = |_: &Connection, sender: &PageSender<u8>| {
        sender.send(vec![1, 2]);
        Err(Fault::Row("broken".to_owned()))
    };
    let items: Vec<_> = database.stream("streaming", broken).await.unwrap().collect().await;
    assert_eq!(items.len(), 3);
    assert!(matches!(items[2], Err(StoreError::Corrupt { .. })), "{items:?}");

    let whole = |_: &Connection, sender: &PageSender<u8>| {
        sender.send(vec![1]);
        Ok(())
    };
    let items: Vec<_> = database.stream("streaming", whole).await.unwrap().collect().await;
    assert!(matches!(items.as_slice(), [Ok(1)]), "{items:?}");
}

/// Connections pass from read to read: the interrupt of one that is given up must not reach the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_given_up_does_not_stop_another() {
    let (database, _folder) = database();
    let busy = |connection: &Connection| {
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300) SELECT max(x) FROM n";
        Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
    };
    let read = || database.read("counting", Duration::from_secs(10), busy);
    for round in 0..3_000_u64 {
        let given_up = tokio::time::timeout(Duration::from_micros(round % 300), read());
        let (_, whole, another) = tokio::join!(given_up, read(), read());
        assert!(whole.is_ok() && another.is_ok(), "round {round}: {whole:?} {another:?}");
    }
}
