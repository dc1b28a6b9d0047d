//! The data folder: private to its user, and held by one server at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::sqlite::fault::unavailable;

/// Held for as long as any store of the folder is open.
#[derive(Debug)]
pub(crate) struct FolderLock {
    // Closing the file lets go of the lock, whatever way the process ends.
    _file: File,
    /// What the transactions of the folder's files ask before and after they commit.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) faults: crate::faults::Faults,
}

/// Makes the folder if it is missing and takes its lock.
pub(crate) fn claim(folder: &Path) -> Result<FolderLock, StoreError> {
    make_private(folder).map_err(unavailable("making the data folder"))?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(unavailable("opening the data folder's lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock {
            _file: file,
            #[cfg(any(test, feature = "faults"))]
            faults: crate::faults::Faults::default(),
        }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            folder: folder.display().to_string(),
        }),
        Err(TryLockError::Error(source)) => Err(unavailable("locking the data folder")(source)),
    }
}

/// A file that says that a database is open: one that is found at start means an unclean stop.
#[derive(Debug)]
pub(crate) struct OpenMarker {
    path: PathBuf,
    /// Whether it was there already.
    pub(crate) was_unclean: bool,
}

impl OpenMarker {
    pub(crate) fn set(database: &Path) -> Result<Self, StoreError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".open");
        let path = PathBuf::from(name);
        let was_unclean = path.exists() || has_log(database);
        let mark = || -> std::io::Result<()> {
            File::create(&path)?;
            // A mark that a power cut takes away says nothing.
            let folder = path.parent().map(File::open).transpose()?;
            folder.map_or(Ok(()), |folder| folder.sync_all())
        };
        mark().map_err(unavailable("marking the database as open"))?;
        Ok(Self { path, was_unclean })
    }

    pub(crate) fn clear(&self) {
        // One that stays costs a check at the next start, no more.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a write-ahead log was left behind: a clean stop folds it in.
fn has_log(database: &Path) -> bool {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).is_ok_and(|log| log.len() > 0)
}

#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    const OWNER_ONLY: u32 = 0o700;
    DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(OWNER_ONLY))
}

#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}
