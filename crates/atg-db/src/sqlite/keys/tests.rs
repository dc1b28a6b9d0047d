//! What is SQLite's own of the keys: the file beside a server, and what it says when it is broken.

use std::fs;
use std::sync::Arc;

use atg_auth::{ApiKey, KeyRecord, Scope, StoredKey, Tenants};
use atg_models::Environment;
use atg_models::limits::STORED_KEYS_MAX;

use super::SqliteKeys;
use crate::contract::world::at;
use crate::sqlite::open;
use crate::{KeyPut, KeyStore as _, StoreError};

fn key(number: u8) -> StoredKey {
    let key = ApiKey::generate(Environment::Dev, [number; 32]);
    StoredKey::new(
        KeyRecord::of(&key, format!("k{number}"), Scope::Read, Tenants::All),
        at(0),
    )
}

#[tokio::test]
async fn a_command_changes_what_a_server_holds() {
    let folder = tempfile::tempdir().unwrap();
    let server = open(folder.path()).unwrap();
    let before = server.keys.revision().await.unwrap();
    let command = SqliteKeys::open(folder.path()).unwrap();
    assert_eq!(command.put(key(1)).await.unwrap(), KeyPut::Made);
    assert!(server.keys.revision().await.unwrap() > before);
    assert_eq!(server.keys.list().await.unwrap(), [key(1)]);
    server.keys.touch(vec![(key(1).record.prefix, at(9))]).await.unwrap();
    assert_eq!(command.list().await.unwrap()[0].last_used_at, Some(at(9)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_missing_is_made_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a/b");
    assert!(!SqliteKeys::is_there(&data));
    SqliteKeys::open(&data).unwrap();
    assert!(SqliteKeys::is_there(&data));
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_folder_and_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path: Arc<std::path::Path> = folder.path().into();
    let writers = (1..=8).map(|number| {
        let path = Arc::clone(&path);
        async move {
            let opened = tokio::task::spawn_blocking(move || SqliteKeys::open(&path));
            opened.await.unwrap().unwrap().put(key(number)).await.unwrap()
        }
    });
    let put = futures_util::future::join_all(writers).await;
    assert_eq!(put, [KeyPut::Made; 8]);
    let keys = SqliteKeys::open(folder.path()).unwrap();
    assert_eq!(keys.list().await.unwrap().len(), 8);
    assert_eq!(keys.revision().await.unwrap(), 8);
}

#[tokio::test]
async fn the_number_of_keys_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let fill = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ?1)
        INSERT INTO api_key(name, prefix, digest, environment, scope, tenants, created_at)
        SELECT 'n' || x, printf('%08x', x), zeroblob(32), 'dev', 'read', 'all', 0 FROM n";
    let other = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    other.execute(fill, [STORED_KEYS_MAX - 1]).unwrap();
    assert_eq!(keys.put(key(0xfe)).await.unwrap(), KeyPut::Made);
    let full = keys.put(key(0xff)).await;
    assert!(matches!(full, Err(StoreError::TooLarge { .. })), "{full:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.db");
    drop(SqliteKeys::open(folder.path()).unwrap());
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let refused = SqliteKeys::open(folder.path());
    assert!(
        matches!(&refused, Err(StoreError::TooNew { file, found: 99, .. }) if file == "keys.db"),
        "{refused:?}"
    );
    fs::write(&file, "this is no database, however long it may be").unwrap();
    let broken = SqliteKeys::open(folder.path());
    assert!(matches!(&broken, Err(StoreError::Corrupt { .. })), "{broken:?}");
    assert!(broken.unwrap_err().to_string().contains("stored keys"));
}
