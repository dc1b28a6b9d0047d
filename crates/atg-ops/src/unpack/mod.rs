//! One file out of an artifact's zip, without unpacking the rest.
//!
//! Relies on ranges of the [`ArtifactStore`] and on how the archives of this crate are written. Must never: hold
//! more than a few chunks in memory, or occupy a thread while a client reads slowly.

mod directory;
mod inflate;
#[cfg(test)]
mod tests;

use std::ops::Range;

use atg_db::{ArtifactStore, ByteStream, StoreError};
use atg_models::job::ArtifactName;
use futures_util::StreamExt as _;

use directory::{Damaged, Method, Record, Records};

/// Where a file lies in its zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(Record);

impl Entry {
    /// Unpacked.
    pub fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }
}

/// Looks a file up in a job's artifact, which has `zip_bytes`. `None` when it holds no such file.
pub async fn find(
    artifacts: &dyn ArtifactStore,
    name: ArtifactName,
    zip_bytes: u64,
    path: &str,
) -> Result<Option<Entry>, StoreError> {
    let end = read(
        artifacts,
        name,
        zip_bytes.saturating_sub(directory::END_BYTES)..zip_bytes,
    )
    .await?;
    let place = directory::place(&end, zip_bytes).map_err(damaged)?;
    let mut records = Records::default();
    let mut bytes = artifacts.open(name, Some(place)).await?;
    while let Some(chunk) = bytes.next().await {
        records.push(&chunk?);
        while let Some((record, is_it)) = records.next(path).map_err(damaged)? {
            if is_it {
                return Ok(Some(Entry(record)));
            }
        }
    }
    Ok(None)
}

/// The bytes of a file from `range.start` to `range.end`, unpacked. What is damaged ends the stream with an error.
pub async fn open(
    artifacts: &dyn ArtifactStore,
    name: ArtifactName,
    entry: &Entry,
    range: Range<u64>,
) -> Result<ByteStream, StoreError> {
    let Entry(record) = *entry;
    let header = record.header_at..record.header_at.saturating_add(directory::HEADER_BYTES);
    let header = read(artifacts, name, header).await?;
    let data_at = directory::data_at(&header, record.header_at).map_err(damaged)?;
    let at = |offset: u64| data_at.saturating_add(offset);
    match record.method {
        Method::Stored => artifacts.open(name, Some(at(range.start)..at(range.end))).await,
        Method::Deflated => {
            let packed = artifacts.open(name, Some(data_at..at(record.packed_bytes))).await?;
            Ok(inflate::Inflater::new(packed, record, range).stream())
        }
    }
}

/// A few bytes of a known place.
async fn read(artifacts: &dyn ArtifactStore, name: ArtifactName, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
    let mut bytes = artifacts.open(name, Some(range)).await?;
    let mut whole = Vec::new();
    while let Some(chunk) = bytes.next().await {
        whole.extend_from_slice(&chunk?);
    }
    Ok(whole)
}

fn damaged(Damaged(problem): Damaged) -> StoreError {
    StoreError::Corrupt {
        doing: "reading a file of an artifact",
        problem: problem.to_owned(),
    }
}
