//! The trait, method by method.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atg_auth::{KeyPrefix, Rotation, StoredKey};
use atg_models::limits::{DEAD_KEY_TTL, STORED_KEYS_MAX};
use rusqlite::{Connection, TransactionBehavior, params};
use time::OffsetDateTime;

use crate::StoreError;
use crate::key_store::{KeyPut, KeyStore};
use crate::limits;
use crate::moving::Record;
use crate::sqlite::database::quick_check;
use crate::sqlite::fault::{Outcome, count, nanos, stopped, unavailable};
use crate::sqlite::folder;
use crate::sqlite::keys::{row, schema};
use crate::sqlite::migrations::migrate;

/// The name of the file in the data folder.
const FILE: &str = "keys.db";

/// The keys of a data folder. Needs no lock of the folder: any number may be open at a time.
#[derive(Clone)]
pub struct SqliteKeys {
    connection: Arc<Mutex<Connection>>,
}

impl SqliteKeys {
    /// Opens the keys of a folder, and makes both if they are missing. Blocks. A damaged file is an error here,
    /// not later.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        crate::sqlite::refuse_half_imported(data_dir)?;
        Self::open_unchecked(data_dir)
    }

    /// As [`SqliteKeys::open`], whatever the folder is.
    pub(in crate::sqlite) fn open_unchecked(data_dir: &Path) -> Result<Self, StoreError> {
        const DOING: &str = "opening the stored keys";
        folder::make_private(data_dir).map_err(unavailable("making the data folder"))?;
        let open = || -> Outcome<Connection> {
            let mut connection = Connection::open(data_dir.join(FILE))?;
            connection.busy_timeout(limits::BUSY_TIMEOUT)?;
            // A revocation that was reported stays one, whatever happens to the power.
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            quick_check(&connection)?;
            migrate(&mut connection, FILE, schema::STEPS)?;
            Ok(connection)
        };
        let connection = open().map_err(|fault| fault.while_doing(DOING))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Whether a folder has keys at all; looks without making anything.
    pub fn is_there(data_dir: &Path) -> bool {
        data_dir.join(FILE).exists()
    }

    /// Runs `work` in one transaction, on a blocking thread.
    async fn run<T, F>(&self, doing: &'static str, how: TransactionBehavior, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let task = tokio::task::spawn_blocking(move || -> Outcome<T> {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(how)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        let outcome = task.await.map_err(|_| stopped(doing))?;
        outcome.map_err(|fault| fault.while_doing(doing))
    }

    /// Takes in what is moved here from another store.
    pub(in crate::sqlite) async fn write_moved(
        &self,
        doing: &'static str,
        records: Vec<Record>,
        write: fn(&Connection, &Record) -> Outcome<()>,
    ) -> Result<(), StoreError> {
        self.write(doing, move |connection| {
            records.iter().try_for_each(|record| write(connection, record))
        })
        .await
    }

    async fn read<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        self.run(doing, TransactionBehavior::Deferred, work).await
    }

    async fn write<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        self.run(doing, TransactionBehavior::Immediate, work).await
    }
}

impl std::fmt::Debug for SqliteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteKeys").finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyStore for SqliteKeys {
    async fn find(&self, prefix: &KeyPrefix) -> Result<Option<StoredKey>, StoreError> {
        let prefix = prefix.clone();
        self.read("reading a key", move |connection| {
            Ok(row::select(connection, "prefix = ?1", [prefix.as_str()])?.pop())
        })
        .await
    }

    async fn put(&self, key: StoredKey) -> Result<KeyPut, StoreError> {
        self.write("adding a key", move |connection| {
            let now = key.created_at;
            let same_name = format!("{} AND name = ?2", row::LIVING);
            if !row::select(connection, &same_name, params![nanos(now), key.record.name])?.is_empty() {
                return Ok(KeyPut::NameTaken);
            }
            add(connection, &key)
        })
        .await
    }

    async fn replace(&self, old: &KeyPrefix, with: Rotation) -> Result<KeyPut, StoreError> {
        let old = old.clone();
        self.write("rotating a key", move |connection| {
            let Rotation {
                successor,
                old_expires_at,
            } = with;
            let now = successor.created_at;
            // First the successor: a taken prefix leaves the old key as it is.
            let put = add(connection, &successor)?;
            if put != KeyPut::Made {
                return Ok(put);
            }
            let sql = format!(
                "UPDATE api_key SET rotated_at = ?1, expires_at = ?2 WHERE prefix = ?3 AND rotated_at IS NULL AND {}",
                row::LIVING
            );
            let changed =
                connection
                    .prepare_cached(&sql)?
                    .execute(params![nanos(now), nanos(old_expires_at), old.as_str()])?;
            if changed == 0 {
                return Err(StoreError::NotFound { what: "living key" }.into());
            }
            Ok(put)
        })
        .await
    }

    async fn revoke(&self, name: &str, now: OffsetDateTime) -> Result<u64, StoreError> {
        let name = name.to_owned();
        self.write("revoking a key", move |connection| {
            let sql = format!("UPDATE api_key SET revoked_at = ?1 WHERE name = ?2 AND {}", row::LIVING);
            let revoked = connection.prepare_cached(&sql)?.execute(params![nanos(now), name])?;
            if revoked > 0 {
                changed(connection)?;
            }
            Ok(u64::try_from(revoked).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read("listing the keys", |connection| row::select(connection, "1", []))
            .await
    }

    async fn touch(&self, uses: Vec<(KeyPrefix, OffsetDateTime)>) -> Result<(), StoreError> {
        self.write("writing down the use of keys", move |connection| {
            let mut update = connection.prepare_cached(
                "UPDATE api_key SET last_used_at = ?2 WHERE prefix = ?1 AND coalesce(last_used_at, 0) < ?2",
            )?;
            for (prefix, at) in uses {
                update.execute(params![prefix.as_str(), nanos(at)])?;
            }
            Ok(())
        })
        .await
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        self.read("looking for changed keys", |connection| {
            let mut find = connection.prepare_cached("SELECT number FROM revision")?;
            Ok(count(find.query_row([], |row| row.get(0))?))
        })
        .await
    }
}

/// Adds a key whose name was looked at.
fn add(connection: &Connection, key: &StoredKey) -> Outcome<KeyPut> {
    let long_dead = nanos(key.created_at - DEAD_KEY_TTL);
    connection
        .prepare_cached("DELETE FROM api_key WHERE revoked_at < ?1 OR expires_at < ?1")?
        .execute([long_dead])?;
    if !row::select(connection, "prefix = ?1", [key.record.prefix.as_str()])?.is_empty() {
        return Ok(KeyPut::PrefixTaken);
    }
    let held: i64 = connection.query_row("SELECT count(*) FROM api_key", [], |row| row.get(0))?;
    if count(held) >= u64::from(STORED_KEYS_MAX) {
        return Err(StoreError::TooLarge {
            what: "the number of stored keys",
            limit: u64::from(STORED_KEYS_MAX),
        }
        .into());
    }
    row::insert(connection, key)?;
    changed(connection)?;
    Ok(KeyPut::Made)
}

/// Tells the servers.
fn changed(connection: &Connection) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE revision SET number = number + 1")?
        .execute([])?;
    Ok(())
}
