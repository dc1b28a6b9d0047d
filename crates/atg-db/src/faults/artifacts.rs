//! An object store that fails on purpose: between the parts of an upload, where the trait of artifacts ends.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use crate::faults::{FaultPoint, Faults, Moment};

/// An object store whose writes fail when they are told to.
#[derive(Debug)]
pub struct FaultyObjectStore {
    inner: Arc<dyn ObjectStore>,
    faults: Faults,
}

impl FaultyObjectStore {
    /// Over another store.
    pub fn new(inner: Arc<dyn ObjectStore>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

impl fmt::Display for FaultyObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

fn pass(faults: &Faults, point: FaultPoint, moment: Moment) -> Result<()> {
    faults
        .pass(point, moment)
        .map_err(|error| object_store::Error::Generic {
            store: "faulty",
            source: Box::new(error),
        })
}

#[async_trait]
impl ObjectStore for FaultyObjectStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        pass(&self.faults, FaultPoint::OpenArtifact, Moment::Before)?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        pass(&self.faults, FaultPoint::OpenArtifact, Moment::After)?;
        let faults = self.faults.clone();
        Ok(Box::new(FaultyUpload { inner, faults }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let before = self.faults.clone();
        let after = self.faults.clone();
        let locations = locations.map(move |location| {
            pass(&before, FaultPoint::DeleteArtifact, Moment::Before)?;
            location
        });
        let deleted = self.inner.delete_stream(locations.boxed());
        deleted
            .map(move |location| {
                let location = location?;
                pass(&after, FaultPoint::DeleteArtifact, Moment::After)?;
                Ok(location)
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match pass(&self.faults, FaultPoint::SweepArtifacts, Moment::Before) {
            Ok(()) => {
                let faults = self.faults.clone();
                let end = futures_util::stream::once(async move {
                    pass(&faults, FaultPoint::SweepArtifacts, Moment::After).err()
                });
                let end = end.filter_map(|error| async move { error.map(Err) });
                self.inner.list(prefix).chain(end).boxed()
            }
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    faults: Faults,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if let Err(error) = pass(&self.faults, FaultPoint::WriteArtifact, Moment::Before) {
            return std::future::ready(Err(error)).boxed();
        }
        let faults = self.faults.clone();
        let write = self.inner.put_part(data);
        async move {
            write.await?;
            pass(&faults, FaultPoint::WriteArtifact, Moment::After)
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        pass(&self.faults, FaultPoint::PublishArtifact, Moment::Before)?;
        let put = self.inner.complete().await?;
        pass(&self.faults, FaultPoint::PublishArtifact, Moment::After)?;
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        pass(&self.faults, FaultPoint::AbortArtifact, Moment::Before)?;
        self.inner.abort().await?;
        pass(&self.faults, FaultPoint::AbortArtifact, Moment::After)
    }
}
