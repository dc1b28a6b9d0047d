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
        let partial = path.with_extension("part");
        let failed = |source| ClientError::File {
            path: partial.display().to_string(),
            source,
        };
        let mut file = tokio::fs::File::create(&partial).await.map_err(failed)?;
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
        tokio::fs::rename(&partial, path).await.map_err(failed)?;
        Ok(Downloaded {
            path: path.to_owned(),
            size_bytes,
            sha256: found,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
