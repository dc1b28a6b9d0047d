//! Files into a zip: the same files give the same bytes, and only a few chunks are in memory at a time.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use atg_db::{ByteStream, StoreError};
use atg_iac::OutputFile;
use atg_jobs::{OperationContext, OperationError};
use atg_models::ErrorCode;
use atg_models::job::{ArtifactFile, ArtifactInfo, ArtifactName, JobError};
use atg_models::limits::{ARTIFACT_CHUNK_BYTES, ARTIFACT_MAX_BYTES};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::patience::Patience;

/// Chunks between the packer and the store.
const CHUNKS: usize = 4;

/// The usual trade between size and speed; fixed, because it decides the bytes.
const LEVEL: i64 = 6;

/// Readable by all: what unzip gives the files.
const PERMISSIONS: u32 = 0o644;

/// Packs the files and publishes them under the attempt's name; once more when the store did not answer.
/// `narrower` says how to ask for less when they are too large.
pub(crate) async fn publish(
    context: &dyn OperationContext,
    files: Vec<OutputFile>,
    narrower: &str,
) -> Result<ArtifactInfo, OperationError> {
    let files = Arc::new(sorted(files));
    let listed = list(&files);
    let name = ArtifactName {
        job: context.job_id(),
        lease: context.fence(),
    };
    let mut patience = Patience::new(context.clock());
    loop {
        let stream = stream(Arc::clone(&files));
        match context.artifacts().put(name, stream, ARTIFACT_MAX_BYTES).await {
            Ok((sha256, size_bytes)) => {
                return Ok(ArtifactInfo {
                    lease: name.lease,
                    size_bytes,
                    sha256,
                    files: listed,
                });
            }
            Err(StoreError::TooLarge { limit, .. }) => {
                let message = format!("the files are larger than {limit} bytes: {narrower}");
                return Err(OperationError::Fatal(JobError::new(ErrorCode::InvalidRequest, message)));
            }
            Err(error) => patience.after(error).await?,
        }
    }
}

type Chunk = Result<Bytes, StoreError>;

/// The files by path.
pub(crate) fn sorted(mut files: Vec<OutputFile>) -> Vec<OutputFile> {
    files.sort_by(|one, two| one.path.cmp(&two.path));
    files
}

/// What the zip holds, for the job's record.
pub(crate) fn list(files: &[OutputFile]) -> Vec<ArtifactFile> {
    files
        .iter()
        .map(|file| ArtifactFile {
            path: file.path.clone(),
            size_bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            sha256: hex(&Sha256::digest(&file.bytes)),
            content_type: file.content_type.to_owned(),
        })
        .collect()
}

/// The zip's bytes. Packing happens on a thread of its own and stops when nobody reads on.
pub(crate) fn stream(files: Arc<Vec<OutputFile>>) -> ByteStream {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = pack(&files, Chunks::into(sender.clone())) {
            // Without a reader there is nobody to tell.
            let _ = sender.blocking_send(Err(StoreError::Corrupt {
                doing: "packing an artifact",
                problem: error.to_string(),
            }));
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        let chunk = receiver.recv().await?;
        Some((chunk, receiver))
    })
    .boxed()
}

/// Writes the zip front to back: entries in order, no time but the format's first.
fn pack(files: &[OutputFile], out: impl Write) -> zip::result::ZipResult<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::default())
        .unix_permissions(PERMISSIONS);
    let mut zip = ZipWriter::new_stream(BufWriter::with_capacity(ARTIFACT_CHUNK_BYTES, out));
    for file in files {
        zip.start_file(file.path.as_str(), options)?;
        zip.write_all(&file.bytes)?;
    }
    zip.finish()?.flush()?;
    Ok(())
}

/// A writer into the channel.
struct Chunks {
    reader: mpsc::Sender<Chunk>,
    is_gone: bool,
}

impl Chunks {
    fn into(reader: mpsc::Sender<Chunk>) -> Self {
        Self { reader, is_gone: false }
    }
}

impl Write for Chunks {
    /// That nobody reads any more is said once. A zip that is given up writes its end all the same, and prints
    /// what it then meets.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let sent = self.reader.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        self.is_gone = sent.is_err();
        sent.map(|()| bytes.len())
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
