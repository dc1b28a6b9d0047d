//! The stores of a folder, fixed and read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use atg_models::TenantId;
use rusqlite::{Connection, OpenFlags};

use super::jobs::{read_jobs, read_keys};
use super::{graph_read, is_unfinished};
use crate::moving::{MoveError, MoveSource, Record, Take};
use crate::sqlite::fault::{Fault, Outcome};
use crate::sqlite::{backup, graph, jobs, keys};
use crate::{StoreError, limits};

/// For errors.
const DOING: &str = "exporting";
/// What is held of a folder; `None` for a file that is not there.
#[derive(Default)]
struct Held {
    jobs: Option<Connection>,
    graph: Option<Connection>,
    /// Read at once: their file keeps no state for a reader, it would let nobody revoke a key meanwhile.
    keys: Vec<Record>,
}

/// The databases of a folder, each held at one state from [`MoveSource::begin`] on.
pub struct SqliteSource {
    folder: PathBuf,
    held: Mutex<Held>,
}

impl SqliteSource {
    /// Of a data folder, whether a server runs on it or not.
    ///
    /// # Errors
    /// The folder holds no data, or what an import did not bring to its end.
    pub fn new(data_dir: &Path) -> Result<Self, MoveError> {
        if is_unfinished(data_dir) {
            return Err(MoveError::Store(StoreError::HalfImported {
                place: data_dir.display().to_string(),
            }));
        }
        if !data_dir.join("jobs.db").exists() || backup::is_half_restored(data_dir) {
            return Err(MoveError::NoData {
                place: data_dir.display().to_string(),
            });
        }
        Ok(Self::of(data_dir))
    }

    /// As [`SqliteSource::new`], whatever the folder is.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.to_owned(),
            held: Mutex::default(),
        }
    }

    fn fix(&self) -> Result<Vec<TenantId>, MoveError> {
        let open = |file: &str, steps: &[&str]| {
            let path = self.folder.join(file);
            path.exists().then(|| hold(&path, file, steps)).transpose()
        };
        // Jobs first: what a job calls done is in the graph.
        let mut held = Held {
            jobs: open("jobs.db", jobs::STEPS)?,
            graph: open("graph.db", graph::STEPS)?,
            keys: Vec::new(),
        };
        if let Some(keys) = open("keys.db", keys::STEPS)? {
            read_keys(&keys, &mut |key| {
                held.keys.push(key);
                Ok(())
            })?;
        }
        let tenants = held.graph.as_ref().map(graph_read::tenants).transpose()?;
        *self.held() = held;
        Ok(tenants.unwrap_or_default())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MoveSource for SqliteSource {
    fn store(&self) -> &'static str {
        "sqlite"
    }

    async fn begin(&self) -> Result<Vec<TenantId>, MoveError> {
        tokio::task::block_in_place(|| self.fix())
    }

    async fn jobs(&self, take: Take<'_>) -> Result<(), MoveError> {
        tokio::task::block_in_place(|| {
            // Let go of when it is read.
            let jobs = self.held().jobs.take();
            jobs.map_or(Ok(()), |jobs| read_jobs(&jobs, take))
        })
    }

    async fn keys(&self, take: Take<'_>) -> Result<(), MoveError> {
        let keys = std::mem::take(&mut self.held().keys);
        keys.into_iter().try_for_each(take)
    }

    async fn tenant(&self, tenant: TenantId, take: Take<'_>) -> Result<String, MoveError> {
        tokio::task::block_in_place(|| {
            let held = self.held();
            let Some(graph) = &held.graph else {
                return Ok(String::new());
            };
            graph_read::tenant(graph, tenant, take)?;
            Ok(graph::digest(graph, tenant)?)
        })
    }
}

pub(super) fn failed(fault: Fault) -> MoveError {
    MoveError::Store(fault.while_doing(DOING))
}

impl From<Fault> for MoveError {
    fn from(fault: Fault) -> Self {
        failed(fault)
    }
}

impl From<rusqlite::Error> for MoveError {
    fn from(error: rusqlite::Error) -> Self {
        failed(error.into())
    }
}

/// Opens a file and holds it at the state that it has now.
fn hold(path: &Path, file: &str, steps: &[&str]) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(limits::STATEMENTS);
    connection.execute_batch("BEGIN")?;
    // The state is fixed by the first read, not by BEGIN.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        let file = file.to_owned();
        return Err(StoreError::TooNew { file, found, known }.into());
    }
    if found < known {
        return Err(Fault::Row(format!(
            "{file} has schema {found}, this version writes {known}: start the server on it once"
        )));
    }
    Ok(connection)
}
