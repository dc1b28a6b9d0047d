//! A file that is not whole yet.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::hex;
use crate::{ClientError, limits};

/// An open `FILE.part`, with the hash of what it holds.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    size_bytes: u64,
    has_old_bytes: bool,
}

impl Part {
    /// Opens what is there, or makes it. Nobody else may be writing it.
    pub(super) async fn open(path: &Path) -> Result<Self, ClientError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|source| failed(path, source))?;
        file.try_lock().map_err(|_| ClientError::File {
            path: path.display().to_string(),
            source: std::io::Error::other("another download is writing it"),
        })?;
        let mut part = Self {
            path: path.to_owned(),
            file: File::from_std(file),
            hash: Sha256::new(),
            size_bytes: 0,
            has_old_bytes: false,
        };
        let mut piece = vec![0; limits::FILE_PIECE_BYTES];
        loop {
            let read = part.file.read(&mut piece).await;
            let read = read.map_err(|source| failed(path, source))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            part.count(bytes);
        }
        part.has_old_bytes = part.size_bytes > 0;
        Ok(part)
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether some bytes are of an earlier run.
    pub(super) fn has_old_bytes(&self) -> bool {
        self.has_old_bytes
    }

    pub(super) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    pub(super) async fn append(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let written = self.file.write_all(bytes).await;
        written.map_err(|source| failed(&self.path, source))?;
        self.count(bytes);
        Ok(())
    }

    pub(super) async fn start_over(&mut self) -> Result<(), ClientError> {
        let emptied = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.rewind().await
        };
        emptied.await.map_err(|source| failed(&self.path, source))?;
        self.hash = Sha256::new();
        (self.size_bytes, self.has_old_bytes) = (0, false);
        Ok(())
    }

    /// Makes it durable, and replaces `target` in one step.
    pub(super) async fn put_in_place(mut self, target: &Path) -> Result<(), ClientError> {
        let put = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            tokio::fs::rename(&self.path, target).await
        };
        put.await.map_err(|source| failed(target, source))
    }

    pub(super) async fn remove(self) {
        // What is left is in nobody's way: the next run starts with it.
        let _ = tokio::fs::remove_file(&self.path).await;
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size_bytes = self.size_bytes.saturating_add(size);
    }
}

fn failed(path: &Path, source: std::io::Error) -> ClientError {
    ClientError::File {
        path: path.display().to_string(),
        source,
    }
}
