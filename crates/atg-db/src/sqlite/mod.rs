//! The embedded backend: one folder with a file for the graph, one for jobs, one for keys, and the artifacts.
//!
//! Relies on the folder's lock: there is one server, so one writer a file; keys alone are written beside it. Must never be opened on a
//! file system that does not keep locks (SQLite's own rule).

mod backup;
mod care;
mod database;
mod fault;
mod folder;
mod graph;
mod jobs;
mod keys;
mod migrations;
mod moving;
#[cfg(test)]
mod tests;
mod trouble;
mod words;
mod writer;

use std::path::Path;
use std::sync::Arc;

pub use backup::{BackedUp, BackupError, Manifest, backup, restore};
pub use care::{Checked, check, set_graph_aside};
pub use graph::SqliteGraph;
pub use jobs::SqliteJobs;
pub use keys::SqliteKeys;
pub use moving::{SqliteSource, SqliteTarget};

use crate::{JobLimits, ObjectArtifacts, StoreError};

/// All stores of a data folder.
#[derive(Debug, Clone)]
pub struct Stores {
    /// The graph.
    pub graph: Arc<SqliteGraph>,
    /// The jobs.
    pub jobs: Arc<SqliteJobs>,
    /// What jobs publish.
    pub artifacts: Arc<ObjectArtifacts>,
    /// The stored API keys.
    pub keys: Arc<SqliteKeys>,
}

/// Opens a data folder, and makes it if it is missing. Blocks: it may check files after an unclean
/// stop. The folder is let go of when the last store is dropped.
pub fn open(data_dir: &Path) -> Result<Stores, StoreError> {
    open_with(data_dir, JobLimits::default())
}

/// As [`open`], with other limits of jobs for each key.
pub fn open_with(data_dir: &Path, limits: JobLimits) -> Result<Stores, StoreError> {
    open_under(Arc::new(folder::claim(data_dir)?), data_dir, limits)
}

/// As [`open`], with transactions that fail when they are told to.
#[cfg(any(test, feature = "faults"))]
pub(crate) fn open_faulty(data_dir: &Path, faults: &crate::faults::Faults) -> Result<Stores, StoreError> {
    let mut lock = folder::claim(data_dir)?;
    lock.faults = faults.clone();
    open_under(Arc::new(lock), data_dir, JobLimits::default())
}

fn open_under(lock: Arc<folder::FolderLock>, data_dir: &Path, limits: JobLimits) -> Result<Stores, StoreError> {
    // A restore that is finished first puts whole data over those of an import.
    if !backup::is_half_restored(data_dir) {
        refuse_half_imported(data_dir)?;
    }
    open_unchecked(lock, data_dir, limits)
}

/// A folder into which an import did not end is of no use to anybody but another import.
fn refuse_half_imported(data_dir: &Path) -> Result<(), StoreError> {
    if moving::is_unfinished(data_dir) {
        let place = data_dir.display().to_string();
        return Err(StoreError::HalfImported { place });
    }
    Ok(())
}

fn open_unchecked(lock: Arc<folder::FolderLock>, data_dir: &Path, limits: JobLimits) -> Result<Stores, StoreError> {
    backup::finish_restore(data_dir).map_err(|error| StoreError::Unavailable {
        doing: "finishing a restore",
        source: Box::new(error),
    })?;
    Ok(Stores {
        graph: Arc::new(SqliteGraph::open(data_dir, Arc::clone(&lock))?),
        jobs: Arc::new(SqliteJobs::open(data_dir, lock, limits)?),
        artifacts: Arc::new(ObjectArtifacts::in_folder(&data_dir.join("artifacts"))?),
        keys: Arc::new(SqliteKeys::open_unchecked(data_dir)?),
    })
}
