//! Fetches what a job has published into a file, goes on where a connection was cut, and checks the hash.
//!
//! The bytes lie in `FILE.part` until they are whole and right: a file of the target's name always is.

mod part;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use atg_models::JobId;
use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use self::part::Part;
use crate::{Client, ClientError, limits};

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
    /// Fetches a job's zip into `path`. `on_bytes` is told how much there is by now and, if known, how much
    /// there will be. What an earlier call has left in `FILE.part` is not fetched again.
    pub async fn download(
        &self,
        job: JobId,
        path: &Path,
        on_bytes: impl FnMut(u64, Option<u64>),
    ) -> Result<Downloaded, ClientError> {
        let url = self.url(&format!("api/v1/operations/{job}/download"))?;
        self.fetch(url, path, on_bytes).await
    }

    /// Fetches one file of a job's artifact into `path`, like the whole.
    pub async fn download_file(
        &self,
        job: JobId,
        name: &str,
        path: &Path,
        on_bytes: impl FnMut(u64, Option<u64>),
    ) -> Result<Downloaded, ClientError> {
        let mut url = self.url(&format!("api/v1/operations/{job}/files"))?;
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
        if !name.split('/').all(is_plain) {
            return Err(ClientError::Settings(format!(
                "“{name}” is no path of a file in an artifact"
            )));
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(name.split('/'));
        }
        self.fetch(url, path, on_bytes).await
    }

    async fn fetch(
        &self,
        url: Url,
        path: &Path,
        mut on_bytes: impl FnMut(u64, Option<u64>),
    ) -> Result<Downloaded, ClientError> {
        let mut part = Part::open(&beside(path)).await?;
        let mut published = None;
        let (mut fruitless, mut cuts) = (0, 0);
        loop {
            let before = part.size_bytes();
            let error = match self.piece(&url, &mut part, &mut published, &mut on_bytes).await {
                Ok(sha256) => {
                    let found = part.sha256();
                    if found == sha256 {
                        let size_bytes = part.size_bytes();
                        part.put_in_place(path).await?;
                        return Ok(Downloaded {
                            path: path.to_owned(),
                            size_bytes,
                            sha256,
                        });
                    }
                    // What an earlier run has left may be of another file.
                    if part.has_old_bytes() {
                        part.start_over().await?;
                        continue;
                    }
                    part.remove().await;
                    return Err(ClientError::Damaged {
                        found,
                        published: sha256,
                    });
                }
                Err(error) => error,
            };
            cuts += 1;
            fruitless = if part.size_bytes() == before { fruitless + 1 } else { 0 };
            let is_worth_it = fruitless <= limits::DOWNLOAD_TRIES && cuts <= limits::DOWNLOAD_CUTS_MAX;
            if !error.is_retryable() || !is_worth_it {
                // Bytes that the server no longer offers are of no use, and neither are none.
                if !error.is_retryable() || part.size_bytes() == 0 {
                    part.remove().await;
                }
                return Err(error);
            }
            let doubled = limits::RESUME_WAIT * 2_u32.saturating_pow(fruitless.min(10));
            let asked = error.retry_after().unwrap_or_default();
            tokio::time::sleep(doubled.max(asked).min(limits::RESUME_WAIT_MAX)).await;
        }
    }

    /// One request: appends what comes of it, and answers the published hash when all is there.
    async fn piece(
        &self,
        url: &Url,
        part: &mut Part,
        published: &mut Option<String>,
        on_bytes: &mut impl FnMut(u64, Option<u64>),
    ) -> Result<String, ClientError> {
        let mut request = self.request(Method::GET, url.clone());
        if part.size_bytes() > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.size_bytes()));
            // An earlier run's bytes have no tag: the hash at the end decides about them.
            if let Some(sha256) = &*published {
                request = request.header(IF_RANGE, format!("\"{sha256}\""));
            }
        }
        let response = match self.send(request).await {
            // More than there is: of another file.
            Err(ClientError::Refused { status: 416, .. }) => {
                part.start_over().await?;
                self.send(self.request(Method::GET, url.clone())).await?
            }
            answer => answer?,
        };
        let sha256 = sha256_of(&response)?;
        *published = Some(sha256.clone());
        let total = if response.status() == StatusCode::PARTIAL_CONTENT {
            let (from, total) =
                content_range(response.headers()).ok_or_else(|| not_understood(&response, "Content-Range"))?;
            if from != part.size_bytes() {
                return Err(not_understood(&response, "a range that was not asked for"));
            }
            Some(total)
        } else {
            if part.size_bytes() > 0 {
                part.start_over().await?;
            }
            response.content_length()
        };
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            part.append(&chunk.map_err(|error| self.cut(error))?).await?;
            on_bytes(part.size_bytes(), total);
        }
        if total.is_some_and(|total| part.size_bytes() < total) {
            return Err(self.cut(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)));
        }
        Ok(sha256)
    }
}

/// The entity tag is the SHA-256; a proxy may have made it weak.
fn sha256_of(response: &Response) -> Result<String, ClientError> {
    let tag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
    let text = tag.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"'));
    let is_hash = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.filter(is_hash)
        .map(str::to_ascii_lowercase)
        .ok_or_else(|| not_understood(response, "no SHA-256 as its ETag"))
}

fn not_understood(response: &Response, what: &str) -> ClientError {
    ClientError::NotUnderstood {
        url: response.url().to_string(),
        problem: format!("a download with {what}"),
    }
}

/// `bytes 5-9/10`: the first byte, and how many there are in all.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = text.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
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
