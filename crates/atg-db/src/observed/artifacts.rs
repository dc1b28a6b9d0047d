//! An artifact store whose calls are seen.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use atg_models::job::ArtifactName;
use atg_models::{Clock, JobId};
use time::OffsetDateTime;

use super::{StoreObserver, Watch};
use crate::{ArtifactStore, ByteStream, StoreError};

/// An artifact store whose calls are seen.
pub struct ObservedArtifacts {
    inner: Arc<dyn ArtifactStore>,
    watch: Watch,
}

impl ObservedArtifacts {
    /// Shows the calls to `inner`.
    pub fn new(inner: Arc<dyn ArtifactStore>, observer: Arc<dyn StoreObserver>, clock: Arc<dyn Clock>) -> Self {
        let store = "artifacts";
        Self {
            inner,
            watch: Watch { store, observer, clock },
        }
    }
}

#[async_trait]
impl ArtifactStore for ObservedArtifacts {
    async fn put(&self, name: ArtifactName, bytes: ByteStream, cap_bytes: u64) -> Result<(String, u64), StoreError> {
        self.watch.call("put", self.inner.put(name, bytes, cap_bytes)).await
    }

    async fn size(&self, name: ArtifactName) -> Result<Option<u64>, StoreError> {
        self.watch.call("size", self.inner.size(name)).await
    }

    async fn open(&self, name: ArtifactName, range: Option<Range<u64>>) -> Result<ByteStream, StoreError> {
        self.watch.call("open", self.inner.open(name, range)).await
    }

    async fn delete(&self, job: JobId) -> Result<(), StoreError> {
        self.watch.call("delete", self.inner.delete(job)).await
    }

    async fn sweep(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        self.watch.call("sweep", self.inner.sweep(before)).await
    }
}
