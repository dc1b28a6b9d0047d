//! What a backup says it holds.

use std::io::{Read, Write};

use atg_models::Fence;
use atg_models::job::ArtifactName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::graph_rules::hex;
use crate::object_artifacts;

/// The name of the manifest in a backup.
pub(super) const MANIFEST: &str = "manifest.json";
/// The layout that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Where artifacts lie in a data folder.
pub(super) const ARTIFACTS: &str = "artifacts/artifacts";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the backup's layout.
    pub format: u32,
    /// Of the program that wrote it.
    pub version: String,
    /// When.
    #[serde(with = "atg_models::time_text")]
    pub made_at: OffsetDateTime,
    /// Its files.
    pub files: Vec<BackedUp>,
    /// Artifacts that jobs name and that are not there any more, or not as they were published.
    pub left_out: Vec<String>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// In the data folder.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

impl Manifest {
    /// How many databases it holds.
    pub fn databases(&self) -> usize {
        self.files.iter().filter(|file| is_database(&file.path)).count()
    }

    /// How many artifacts it holds.
    pub fn artifacts(&self) -> usize {
        self.files.len() - self.databases()
    }

    /// The bytes of all files, not compressed.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// Whether this is the name of a database of a data folder.
pub(crate) fn is_database(name: &str) -> bool {
    name.strip_suffix(".db")
        .is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// Whether this is the path of an artifact of a data folder.
pub(super) fn is_artifact(path: &str) -> bool {
    path.strip_prefix(ARTIFACTS)
        .and_then(|path| path.strip_prefix('/'))
        .is_some_and(|path| artifact_name(path).is_some_and(|name| object_artifacts::file(name) == path))
}

fn artifact_name(path: &str) -> Option<ArtifactName> {
    let (job, lease) = path
        .strip_suffix(".zip")
        .map(|path| path.split_once('/').unwrap_or((path, "0")))?;
    Some(ArtifactName {
        job: job.parse().ok()?,
        lease: Fence::new(lease.parse().ok()?),
    })
}

/// Counts and digests what passes through it, read or written.
pub(super) struct Digesting<T> {
    inner: T,
    hash: Sha256,
    size_bytes: u64,
}

impl<T> Digesting<T> {
    pub(super) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size_bytes: 0,
        }
    }

    /// What has passed, and what it passed through.
    pub(super) fn done(self, path: &str) -> (BackedUp, T) {
        let Self {
            inner,
            hash,
            size_bytes,
        } = self;
        let passed = BackedUp {
            path: path.to_owned(),
            size_bytes,
            sha256: hex(&hash.finalize()),
        };
        (passed, inner)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size_bytes = self
            .size_bytes
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.note(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.note(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_data_folder_are_taken() {
        let id = "scan-00000000-0000-0000-0000-000000000001";
        assert!(is_database("jobs.db") && is_database("keys.db"));
        for other in ["x.db-wal", "../jobs.db", "a/jobs.db", ".db", "jobs.DB", "lock"] {
            assert!(!is_database(other), "{other}");
        }
        assert!(is_artifact(&format!("{ARTIFACTS}/{id}.zip")));
        assert!(is_artifact(&format!("{ARTIFACTS}/{id}/12.zip")));
        for other in [
            format!("{ARTIFACTS}/../{id}.zip"),
            format!("{id}.zip"),
            format!("{ARTIFACTS}/x.zip"),
            format!("{ARTIFACTS}/{id}/0.zip"),
            format!("{ARTIFACTS}/{id}/01.zip"),
            format!("{ARTIFACTS}/{id}/1/2.zip"),
            format!("{ARTIFACTS}/{id}/../1.zip"),
        ] {
            assert!(!is_artifact(&other), "{other}");
        }
    }
}
