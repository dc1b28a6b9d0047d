//! Artifacts through `object_store`: a local folder, or a blob container that replicas share.
//!
//! An upload is made in parts and becomes visible as a whole when it is complete: a local one is
//! staged under a name of its own and renamed, a blob's blocks are committed. What a crash leaves of a
//! staged one is found by its name (`…#1`) and swept.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::JobId;
use futures_util::StreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::graph_rules::hex;
use crate::limits;
use crate::{ArtifactStore, ByteStream, StoreError};

/// Keeps artifacts in an object store.
#[derive(Debug)]
pub struct ObjectArtifacts {
    store: Arc<dyn ObjectStore>,
    /// Where a local store keeps its files, for what a crash leaves behind.
    folder: Option<PathBuf>,
}

impl ObjectArtifacts {
    /// In a local folder, which is made if it is missing. Every file is flushed before it is there.
    pub fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        let cannot = |source| StoreError::Unavailable {
            doing: "opening the artifacts' folder",
            source,
        };
        std::fs::create_dir_all(folder).map_err(|source| cannot(Box::new(source)))?;
        let local = LocalFileSystem::new_with_prefix(folder).map_err(|source| cannot(Box::new(source)))?;
        Ok(Self {
            store: Arc::new(local.with_fsync(true)),
            folder: Some(folder.to_owned()),
        })
    }

    /// In any store of which the keys under `artifacts/` are ours.
    pub fn in_store(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None }
    }

    /// The same artifacts through another store over this one.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn over(&self, wrap: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Self {
        Self {
            store: wrap(Arc::clone(&self.store)),
            folder: self.folder.clone(),
        }
    }

    async fn upload(&self, key: &Key, mut bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError> {
        const DOING: &str = "writing an artifact";
        let upload = self.store.put_multipart(key).await.map_err(failed(DOING))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, limits::UPLOAD_PART_BYTES);
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        let outcome = loop {
            let chunk = match bytes.next().await {
                None => break Ok(()),
                Some(Err(error)) => break Err(error),
                Some(Ok(chunk)) => chunk,
            };
            size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if size > cap_bytes {
                break Err(StoreError::TooLarge {
                    what: "artifact",
                    limit: cap_bytes,
                });
            }
            hash.update(&chunk);
            if let Err(error) = writer.wait_for_capacity(limits::UPLOAD_PARTS).await {
                break Err(failed(DOING)(error));
            }
            writer.put(chunk);
        };
        match outcome {
            Ok(()) => {
                if let Err(error) = writer.finish().await {
                    self.take_back(key).await;
                    return Err(failed(DOING)(error));
                }
                Ok((hex(&hash.finalize()), size))
            }
            Err(error) => {
                // What cannot be taken back now is swept later.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }
}

impl ObjectArtifacts {
    /// Removes what an upload has staged that could not be flushed or renamed: on a full disk each further try would
    /// leave one more. What cannot be removed now is swept later.
    async fn take_back(&self, key: &Key) {
        let (Some(folder), Some(name)) = (&self.folder, key.filename()) else {
            return;
        };
        let folder = folder.join(FOLDER);
        let staged = format!("{name}#");
        let _ = tokio::task::spawn_blocking(move || {
            let entries = std::fs::read_dir(folder)?;
            for entry in entries.flatten() {
                if entry.file_name().to_string_lossy().starts_with(&staged) {
                    std::fs::remove_file(entry.path())?;
                }
            }
            std::io::Result::Ok(())
        })
        .await;
    }
}

#[async_trait]
impl ArtifactStore for ObjectArtifacts {
    async fn put(&self, id: JobId, bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError> {
        self.upload(&key(id), bytes, cap_bytes).await
    }

    async fn size(&self, id: JobId) -> Result<Option<u64>, StoreError> {
        match self.store.head(&key(id)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("looking for an artifact")(error)),
        }
    }

    async fn open(&self, id: JobId, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        const DOING: &str = "reading an artifact";
        if range.as_ref().is_some_and(Range::is_empty) {
            let present = self.size(id).await?;
            present.ok_or(StoreError::NotFound { what: "artifact" })?;
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&key(id), options).await.map_err(failed(DOING))?;
        Ok(found.into_stream().map(|part| part.map_err(failed(DOING))).boxed())
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        match self.store.delete(&key(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("removing an artifact")(error)),
        }
    }

    async fn sweep(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        const DOING: &str = "removing old artifacts";
        let mut removed = 0;
        let mut listed = self.store.list(Some(&Key::from(FOLDER)));
        while let Some(meta) = listed.next().await {
            let meta = meta.map_err(failed(DOING))?;
            if meta.last_modified.timestamp() < before.unix_timestamp() {
                match self.store.delete(&meta.location).await {
                    Ok(()) => removed += 1,
                    Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(failed(DOING)(error)),
                }
            }
        }
        if let Some(folder) = &self.folder {
            let folder = folder.join(FOLDER);
            let staged = tokio::task::spawn_blocking(move || sweep_staged(&folder, before)).await;
            removed += staged.map_err(|source| StoreError::Unavailable {
                doing: DOING,
                source: Box::new(source),
            })?;
        }
        Ok(removed)
    }
}

const FOLDER: &str = "artifacts";

fn key(id: JobId) -> Key {
    Key::from(format!("{FOLDER}/{id}.zip"))
}

/// Removes staged files, which a local store does not list.
fn sweep_staged(folder: &Path, before: OffsetDateTime) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let old = entries.flatten().filter(|entry| {
        let staged = entry.file_name().to_string_lossy().contains('#');
        let modified = entry.metadata().and_then(|meta| meta.modified());
        staged && modified.is_ok_and(|modified| OffsetDateTime::from(modified) < before)
    });
    let removed = old.filter(|entry| std::fs::remove_file(entry.path()).is_ok()).count();
    u64::try_from(removed).unwrap_or(u64::MAX)
}

fn failed(doing: &'static str) -> impl Fn(object_store::Error) -> StoreError {
    move |error| {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return StoreError::NotFound { what: "artifact" };
        }
        StoreError::Unavailable {
            doing,
            source: Box::new(error),
        }
    }
}
