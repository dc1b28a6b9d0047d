//! What jobs publish: one zip a job.

use std::ops::Range;

use async_trait::async_trait;
use atg_models::JobId;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

use crate::StoreError;

/// Bytes as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Keeps artifacts. One is there whole or not at all.
#[async_trait]
pub trait ArtifactStore: Send + Sync + 'static {
    /// Writes under a temporary name, flushes, and publishes under the job's id. A second put of the
    /// same job replaces the first. Answers SHA-256 (lower-case hex) and size. More than `cap_bytes`
    /// is refused and leaves nothing behind.
    async fn put(&self, id: JobId, bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError>;

    /// The size of a job's artifact, `None` when there is none.
    async fn size(&self, id: JobId) -> Result<Option<u64>, StoreError>;

    /// A range of it, in constant memory; `None` = all.
    async fn open(&self, id: JobId, range: Option<Range<u64>>) -> Result<ByteStream, StoreError>;

    /// Removes it; nothing to remove is no error.
    async fn delete(&self, id: JobId) -> Result<(), StoreError>;

    /// Removes what was written before, left-over temporary files included. Answers how many.
    async fn sweep(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
