//! Fetches a job's zip into a file, and checks that it is what the server published.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use atg_models::JobId;
use futures_util::StreamExt as _;
use reqwest::Method;
use reqwest::header::ETAG;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use crate::{Client, ClientError};

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, equal to the published one.
    pub sha256: String,
}

impl Client {
    /// Fetches a job's zip into `path`: under a temporary name first, so that a file of that name is
    /// always whole. `on_bytes` is told how much has come and, if known, how much there is.
    pub async fn download(
        &self,
        job: JobId,
        path: &Path,
        mut on_bytes: impl FnMut(u64, Option<u64>),
    ) -> Result<Downloaded, ClientError> {
        let url = self.url(&format!("api/v1/operations/{job}/download"))?;
        let response = self.with_retries(|| self.request(Method::GET, url.clone())).await?;
        let published = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
        let published = published.map(|text| text.trim_matches('"').to_owned());
        let total = response.content_length();
        let partial = Partial(beside(path));
        let failed = |source| ClientError::File {
            path: partial.0.display().to_string(),
            source,
        };
        let mut file = tokio::fs::File::create(&partial.0).await.map_err(failed)?;
        let mut hash = Sha256::new();
        let mut size_bytes = 0_u64;
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.unreachable(error))?;
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
            size_bytes = size_bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or_default());
            on_bytes(size_bytes, total);
        }
        file.sync_all().await.map_err(failed)?;
        let found = hex(&hash.finalize());
        if let Some(published) = published.filter(|published| *published != found) {
            return Err(ClientError::Damaged { found, published });
        }
        tokio::fs::rename(&partial.0, path).await.map_err(failed)?;
        Ok(Downloaded {
            path: path.to_owned(),
            size_bytes,
            sha256: found,
        })
    }
}

/// A file that is not whole yet. It is removed when the download ends early, however it does;
/// after the rename there is nothing left to remove.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// `job.zip` → `job.zip.part`: a name that differs from the target's, whatever that ends with.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
