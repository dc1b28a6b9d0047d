//! A folder that an import fills.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::graph_write::Writing;
use super::jobs::{write_event, write_idempotency, write_job, write_key};
use super::source::SqliteSource;
use crate::moving::{Begun, MoveError, MoveSource, MoveTarget, Part, Record};
use crate::sqlite::backup::is_half_restored;
use crate::sqlite::fault::{Fault, Outcome, unavailable};
use crate::sqlite::folder::{self, FolderLock};
use crate::sqlite::{Stores, open_unchecked};
use crate::{JobLimits, StoreError};

/// For errors.
const DOING: &str = "importing";
/// Stands in a folder as long as an import into it has not ended.
const MARK: &str = "import.unfinished";
/// What an import has written, and what lies beside it.
const FILES: [&str; 3] = ["jobs.db", "graph.db", "keys.db"];
const BESIDE: [&str; 5] = ["", "-wal", "-shm", "-journal", ".open"];
/// What tells that somebody uses a file, and how it is called.
const HOLDS: [(&str, &[(&str, &str)]); 3] = [
    ("jobs.db", &[("job", "jobs"), ("idempotency", "idempotency keys")]),
    ("graph.db", &[("tenant", "tenants")]),
    ("keys.db", &[("api_key", "stored keys")]),
];

/// Whether an import into this folder did not end.
pub(in crate::sqlite) fn is_unfinished(data_dir: &Path) -> bool {
    data_dir.join(MARK).exists()
}

/// The data of an import that did not end are replaced by whole ones.
pub(in crate::sqlite) fn forget_unfinished(data_dir: &Path) -> std::io::Result<()> {
    match fs::remove_file(data_dir.join(MARK)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A folder to import into. Nobody else holds it as long as this lives.
pub struct SqliteTarget {
    folder: PathBuf,
    lock: Arc<FolderLock>,
    stores: Mutex<Option<Stores>>,
}

impl SqliteTarget {
    /// Takes a folder, and makes it if it is missing.
    ///
    /// # Errors
    /// A server holds it.
    pub fn new(data_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            folder: data_dir.to_owned(),
            lock: Arc::new(folder::claim(data_dir)?),
            stores: Mutex::default(),
        })
    }

    fn stores(&self) -> Result<Stores, StoreError> {
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.clone().ok_or(StoreError::NotFound { what: "begun import" })
    }

    /// What is in the folder, in words; nothing when it is empty.
    fn holds(&self) -> Outcome<String> {
        let mut found = Vec::new();
        for (file, tables) in HOLDS {
            let path = self.folder.join(file);
            if !path.exists() {
                continue;
            }
            let connection = rusqlite::Connection::open(path)?;
            for (table, name) in tables {
                let known =
                    connection.query_row("SELECT count(*) FROM sqlite_schema WHERE name = ?1", [table], |row| {
                        row.get::<_, i64>(0)
                    })?;
                let sql = format!("SELECT count(*) FROM {table}");
                let count: i64 = if known > 0 {
                    connection.query_row(&sql, [], |row| row.get(0))?
                } else {
                    0
                };
                if count > 0 {
                    found.push(format!("{count} {name}"));
                }
            }
        }
        Ok(found.join(", "))
    }

    fn prepare(&self) -> Result<Begun, MoveError> {
        let mark = self.folder.join(MARK);
        let is_restored = is_half_restored(&self.folder);
        let begun = if mark.exists() && !is_restored {
            for file in FILES {
                for beside in BESIDE {
                    let path = self.folder.join(format!("{file}{beside}"));
                    if path.exists() {
                        fs::remove_file(path).map_err(unavailable(DOING))?;
                    }
                }
            }
            Begun::Again
        } else {
            let holds = self.holds().map_err(|fault| fault.while_doing(DOING))?;
            if !holds.is_empty() || is_restored {
                let place = self.folder.display().to_string();
                return Err(MoveError::NotEmpty { place, holds });
            }
            Begun::New
        };
        File::create(&mark)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync(&self.folder))
            .map_err(unavailable(DOING))?;
        let stores = open_unchecked(Arc::clone(&self.lock), &self.folder, JobLimits::default())?;
        *self.stores.lock().unwrap_or_else(PoisonError::into_inner) = Some(stores);
        Ok(begun)
    }
}

#[async_trait]
impl MoveTarget for SqliteTarget {
    async fn look(&self) -> Result<(), MoveError> {
        if is_unfinished(&self.folder) {
            return Ok(());
        }
        let holds = tokio::task::block_in_place(|| self.holds()).map_err(|fault| fault.while_doing(DOING))?;
        if holds.is_empty() {
            return Ok(());
        }
        let place = self.folder.display().to_string();
        Err(MoveError::NotEmpty { place, holds })
    }

    async fn begin(&self) -> Result<Begun, MoveError> {
        tokio::task::block_in_place(|| self.prepare())
    }

    async fn write(&self, part: Part, records: Vec<Record>) -> Result<(), StoreError> {
        let stores = self.stores()?;
        match part {
            Part::Jobs => stores.jobs.write_moved(DOING, records, job).await,
            Part::Keys => stores.keys.write_moved(DOING, records, key).await,
            Part::Tenant(tenant) => {
                let tenant = tenant.to_string();
                stores
                    .graph
                    .write_moved(DOING, move |session| {
                        let mut writing = Writing::new(session, &tenant)?;
                        records.into_iter().try_for_each(|record| writing.write(record))
                    })
                    .await
            }
        }
    }

    async fn written(&self) -> Result<Box<dyn MoveSource>, StoreError> {
        Ok(Box::new(SqliteSource::of(&self.folder)))
    }

    async fn end(&self) -> Result<(), StoreError> {
        tokio::task::block_in_place(|| {
            // Closes the files, each with its log folded in.
            let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(stores);
            for file in FILES {
                let flush = File::open(self.folder.join(file)).and_then(|file| file.sync_all());
                flush.map_err(unavailable(DOING))?;
            }
            fs::remove_file(self.folder.join(MARK))
                .and_then(|()| sync(&self.folder))
                .map_err(unavailable(DOING))
        })
    }
}

fn job(connection: &rusqlite::Connection, record: &Record) -> Outcome<()> {
    match record {
        Record::Job(job) => write_job(connection, job),
        Record::Event(event) => write_event(connection, event),
        Record::Idempotency(row) => write_idempotency(connection, row),
        Record::Key(_)
        | Record::Tenant(_)
        | Record::Node(_)
        | Record::Edge(_)
        | Record::Names(_)
        | Record::Scan(_)
        | Record::Ledger(_)
        | Record::Partition(_)
        | Record::Change(_)
        | Record::Cache(_) => Err(misplaced()),
    }
}

fn key(connection: &rusqlite::Connection, record: &Record) -> Outcome<()> {
    if let Record::Key(key) = record {
        write_key(connection, key)
    } else {
        Err(misplaced())
    }
}

fn misplaced() -> Fault {
    Fault::Row("a record of another part".to_owned())
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
