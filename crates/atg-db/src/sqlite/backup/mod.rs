//! A data folder in one file, and back.
//!
//! A backup is made beside a running server. Its parts are taken so that together they are a state that a
//! kill could have left behind, which every start knows how to go on from:
//! - **Jobs first.** All databases are fixed within milliseconds, the jobs before the graph. So what a job
//!   calls done is in the graph; a scan that had come further by then is taken up where its ledger says.
//! - **Artifacts last**, those that the copied jobs name and no others. One is published before its job is
//!   completed, so each is there, unless its time has passed since.
//!
//! The file is a zstd-compressed tar with a manifest of digests at its end: one that was cut off has none.

mod manifest;
mod restore;
mod write;

use std::path::{Path, PathBuf};

pub(crate) use manifest::is_database;
pub use manifest::{BackedUp, Manifest};
pub(crate) use restore::finish as finish_restore;
pub use restore::restore;
pub use write::backup;

/// Whether a restore into the folder was decided and is not finished: the next start does that.
pub(crate) fn is_half_restored(data_dir: &Path) -> bool {
    data_dir.join(restore::READY).exists()
}

use crate::StoreError;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store's own reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read or written.
    #[error("{doing} {path}", path = path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A database of the folder is damaged: a copy of it would be of no use.
    #[error("{file} is damaged: {problem}")]
    Damaged {
        /// Which.
        file: String,
        /// What SQLite says.
        problem: String,
    },
    /// There is nothing to back up.
    #[error("{folder} holds no jobs.db: it is not a data folder", folder = folder.display())]
    NoData {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// What would be replaced.
    #[error("{folder} holds data already: name another folder, or replace them with --force", folder = folder.display())]
    NotEmpty {
        /// Where.
        folder: PathBuf,
    },
    /// The file is no backup, or not a whole one.
    #[error("{file} is not a whole backup: {problem}", file = file.display())]
    NotWhole {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { doing, path, source }
}

/// Makes the names in a folder last.
fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error("flushing", folder))
}
