//! Artifacts through `object_store`: a local folder, or a blob container that replicas share.
//!
//! An upload is made in parts and becomes visible as a whole when it is complete: a local one is
//! staged under a name of its own and renamed, a blob's blocks are committed. What a crash leaves of a
//! staged one is found by its name (`…#1`) and swept.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::ArtifactName;
use atg_models::{Fence, JobId};
use futures_util::StreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::graph_rules::hex;
use crate::limits;
use crate::{ArtifactStore, ByteStream, StoreError};

/// What the blob service calls a container that is not there.
const NO_CONTAINER: &str = "ContainerNotFound";
/// How its refusals read.
const REFUSED: &[&str] = &["status code: 401", "status code: 403"];

/// What is wrong with the place itself, for its operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum PlaceProblem {
    /// The folder was there at the start: what is mounted there is no longer.
    #[error("the folder of the results has gone")]
    NoFolder,
    /// Nobody has made it, or somebody has removed it.
    #[error("the container of the results does not exist")]
    NoContainer(#[source] object_store::Error),
    /// A wrong key, or an identity without a role.
    #[error("the storage account refuses the key or identity of this server")]
    Refused(#[source] object_store::Error),
}

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
        std::fs::create_dir_all(folder.join(FOLDER)).map_err(|source| cannot(Box::new(source)))?;
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
        let upload = self.store.put_multipart(key).await.map_err(not_written)?;
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
                break Err(not_written(error));
            }
            writer.put(chunk);
        };
        match outcome {
            Ok(()) => {
                if let Err(error) = writer.finish().await {
                    self.take_back(key).await;
                    return Err(not_written(error));
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
    /// Looks whether the place can be used. [`PlaceProblem`] is the source of an error that waiting does not mend.
    pub async fn check(&self) -> Result<(), StoreError> {
        const DOING: &str = "looking at the place of the results";
        let nothing = Key::from(format!("{FOLDER}/nothing"));
        self.first_byte(&nothing, DOING).await.map(drop)
    }

    /// The size of what is there. A container that is missing is not taken for an artifact that is: a blob service
    /// answers a question for the size alone with no word about which of both it is.
    async fn first_byte(&self, key: &Key, doing: &'static str) -> Result<Option<u64>, StoreError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..1)),
            ..GetOptions::default()
        };
        match self.store.get_opts(key, options).await.map_err(failed(doing)) {
            Ok(found) => Ok(Some(found.meta.size)),
            Err(StoreError::NotFound { .. }) => self.has_folder(doing).await.map(|()| None),
            Err(error) => Err(error),
        }
    }

    /// Removes what is there; answers whether something was.
    async fn remove(&self, key: &Key, doing: &'static str) -> Result<bool, StoreError> {
        match self.store.delete(key).await.map_err(failed(doing)) {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn has_folder(&self, doing: &'static str) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        match tokio::fs::try_exists(folder.join(FOLDER)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(unavailable(doing, PlaceProblem::NoFolder)),
            Err(error) => Err(StoreError::Unavailable {
                doing,
                source: Box::new(error),
            }),
        }
    }

    /// Removes what an upload has staged that could not be flushed or renamed: on a full disk each further try would
    /// leave one more. What cannot be removed now is swept later.
    async fn take_back(&self, key: &Key) {
        let (Some(folder), Some(name)) = (&self.folder, key.filename()) else {
            return;
        };
        let Some(folder) = folder.join(key.as_ref()).parent().map(Path::to_owned) else {
            return;
        };
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
    async fn put(&self, name: ArtifactName, bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError> {
        self.upload(&key(name), bytes, cap_bytes).await
    }

    async fn size(&self, name: ArtifactName) -> Result<Option<u64>, StoreError> {
        const DOING: &str = "looking for an artifact";
        match self.store.head(&key(name)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => self.first_byte(&key(name), DOING).await,
            Err(error) => Err(failed(DOING)(error)),
        }
    }

    async fn open(&self, name: ArtifactName, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        const DOING: &str = "reading an artifact";
        if range.as_ref().is_some_and(Range::is_empty) {
            let present = self.size(name).await?;
            present.ok_or(StoreError::NotFound { what: "artifact" })?;
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&key(name), options).await.map_err(failed(DOING))?;
        Ok(found.into_stream().map(|part| part.map_err(failed(DOING))).boxed())
    }

    async fn delete(&self, job: JobId) -> Result<(), StoreError> {
        const DOING: &str = "removing an artifact";
        let lease = Fence::ZERO;
        self.remove(&key(ArtifactName { job, lease }), DOING).await?;
        let mut listed = self.store.list(Some(&Key::from(format!("{FOLDER}/{job}"))));
        while let Some(meta) = listed.next().await {
            let meta = match meta.map_err(problem) {
                Ok(meta) => meta,
                // What was in it has gone with it.
                Err(Ok(PlaceProblem::NoContainer(_))) => return Ok(()),
                Err(Ok(problem)) => return Err(unavailable(DOING, problem)),
                Err(Err(other)) => return Err(failed(DOING)(other)),
            };
            self.remove(&meta.location, DOING).await?;
        }
        if let Some(folder) = &self.folder {
            // It stays while something is staged in it, and goes with the sweep of that.
            let _ = tokio::fs::remove_dir(folder.join(FOLDER).join(job.to_string())).await;
        }
        Ok(())
    }

    async fn sweep(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        const DOING: &str = "removing old artifacts";
        let mut removed: u64 = 0;
        let mut listed = self.store.list(Some(&Key::from(FOLDER)));
        while let Some(meta) = listed.next().await {
            let meta = meta.map_err(failed(DOING))?;
            if meta.last_modified.timestamp() < before.unix_timestamp() {
                removed += u64::from(self.remove(&meta.location, DOING).await?);
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

fn key(name: ArtifactName) -> Key {
    Key::from(format!("{FOLDER}/{}", file(name)))
}

/// Where an artifact lies among the others.
pub(crate) fn file(name: ArtifactName) -> String {
    let ArtifactName { job, lease } = name;
    if lease == Fence::ZERO {
        return format!("{job}.zip");
    }
    format!("{job}/{}.zip", lease.get())
}

/// Removes staged files, which a local store does not list, and the folders of jobs of which nothing is left.
fn sweep_staged(folder: &Path, before: OffsetDateTime) -> u64 {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Never through a link, which may lead anywhere.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            removed += sweep_staged(&path, before);
            // One that is not empty stays.
            let _ = std::fs::remove_dir(&path);
            continue;
        }
        let staged = entry.file_name().to_string_lossy().contains('#');
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let old = modified.is_ok_and(|modified| OffsetDateTime::from(modified) < before);
        if staged && old && std::fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    removed
}

fn unavailable(doing: &'static str, problem: PlaceProblem) -> StoreError {
    let source = Box::new(problem);
    StoreError::Unavailable { doing, source }
}

fn failed(doing: &'static str) -> impl Fn(object_store::Error) -> StoreError {
    move |error| {
        let source: Box<dyn std::error::Error + Send + Sync> = match problem(error) {
            Ok(problem) => Box::new(problem),
            Err(object_store::Error::NotFound { .. }) => return StoreError::NotFound { what: "artifact" },
            Err(other) => Box::new(other),
        };
        StoreError::Unavailable { doing, source }
    }
}

/// What is written needs no artifact to be there before: something else is missing.
fn not_written(error: object_store::Error) -> StoreError {
    let source: Box<dyn std::error::Error + Send + Sync> = match problem(error) {
        Ok(problem) => Box::new(problem),
        Err(other) => Box::new(other),
    };
    StoreError::Unavailable {
        doing: "writing an artifact",
        source,
    }
}

/// What is wrong with the place, if that is what an error is about. A list says it in its cause only.
fn problem(error: object_store::Error) -> Result<PlaceProblem, object_store::Error> {
    use object_store::Error;
    if says(&error, &[NO_CONTAINER]) {
        return Ok(PlaceProblem::NoContainer(error));
    }
    let refuses = matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. });
    if refuses || says(&error, REFUSED) {
        return Ok(PlaceProblem::Refused(error));
    }
    Err(error)
}

fn says(error: &(dyn std::error::Error + 'static), words: &[&str]) -> bool {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    chain.any(|error| {
        let text = error.to_string();
        words.iter().any(|words| text.contains(words))
    })
}
