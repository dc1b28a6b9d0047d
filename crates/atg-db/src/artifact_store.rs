//! What jobs publish: one zip a job, under the name of the attempt that made it.

use std::ops::Range;

use async_trait::async_trait;
use atg_models::JobId;
use atg_models::job::ArtifactName;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

use crate::StoreError;

/// Bytes as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Keeps artifacts. One is there whole or not at all.
#[async_trait]
pub trait ArtifactStore: Send + Sync + 'static {
    /// Writes under a temporary name, flushes, and publishes under `name`. A second put of the same
    /// name replaces the first. Answers SHA-256 (lower-case hex) and size. More than `cap_bytes`
    /// is refused and leaves nothing behind.
    async fn put(&self, name: ArtifactName, bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError>;

    /// Its size, `None` when there is none.
    async fn size(&self, name: ArtifactName) -> Result<Option<u64>, StoreError>;

    /// A range of it, in constant memory; `None` = all.
    async fn open(&self, name: ArtifactName, range: Option<Range<u64>>) -> Result<ByteStream, StoreError>;

    /// Removes what every attempt of a job has published; nothing to remove is no error.
    async fn delete(&self, job: JobId) -> Result<(), StoreError>;

    /// Removes what was written before, left-over temporary files included. Answers how many.
    async fn sweep(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
