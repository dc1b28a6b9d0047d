//! What jobs have published, within the file.

use std::io::{Read, Write};

use atg_models::job::ArtifactName;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::error::MoveError;
use super::line::ArtifactHead;
use super::read::{Item, Reader};
use super::write::Writer;
use crate::graph_rules::hex;
use crate::{ArtifactStore, StoreError};

/// Bytes of an artifact in one line.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks that wait to be written.
const CHUNKS: usize = 2;

/// Writes an artifact, if it is there as it was published; else it is left out.
pub(super) async fn write<W: Write>(
    writer: &mut Writer<W>,
    store: &dyn ArtifactStore,
    head: ArtifactHead,
) -> Result<(), MoveError> {
    if !is_whole(store, &head).await? {
        writer.leave_out(head);
        return Ok(());
    }
    let name = head.name();
    writer.artifact(head)?;
    let mut bytes = store.open(name, None).await?;
    while let Some(some) = bytes.next().await {
        for chunk in some?.chunks(CHUNK_BYTES) {
            writer.bytes(chunk)?;
        }
    }
    Ok(())
}

/// Whether what lies under a job's name is what the job published. An empty one never is.
async fn is_whole(store: &dyn ArtifactStore, head: &ArtifactHead) -> Result<bool, MoveError> {
    if head.size_bytes == 0 || store.size(head.name()).await? != Some(head.size_bytes) {
        return Ok(false);
    }
    let mut hash = Sha256::new();
    let mut bytes = match store.open(head.name(), None).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    while let Some(some) = bytes.next().await {
        hash.update(some?);
    }
    Ok(hex(&hash.finalize()) == head.sha256)
}

/// Puts an artifact into the store as it is read.
pub(super) async fn read<R: Read>(
    reader: &mut Reader<R>,
    store: &dyn ArtifactStore,
    name: ArtifactName,
    size_bytes: u64,
) -> Result<(), MoveError> {
    let (send, receive) = mpsc::channel::<Result<Bytes, StoreError>>(CHUNKS);
    let chunks = stream::unfold(
        receive,
        |mut receive| async move { Some((receive.recv().await?, receive)) },
    );
    let put = store.put(name, chunks.boxed(), size_bytes);
    let feed = async move {
        loop {
            let (bytes, last) = match reader.next() {
                Ok(Item::Bytes(bytes, last)) => (bytes, last),
                Ok(_) => return Err(MoveError::not_whole("an artifact without its bytes")),
                Err(error) => {
                    let cut = StoreError::Unavailable {
                        doing: "importing an artifact",
                        source: "the file ended".into(),
                    };
                    let _ = send.send(Err(cut)).await;
                    return Err(error);
                }
            };
            // Whoever takes no more says why itself.
            if send.send(Ok(bytes.into())).await.is_err() || last {
                return Ok(());
            }
        }
    };
    let (put, fed) = tokio::join!(put, feed);
    fed?;
    put?;
    Ok(())
}
