//! A deflated file as a stream, from some byte to another, a chunk in memory at a time.

use std::ops::Range;

use atg_db::{ByteStream, StoreError};
use atg_models::limits::ARTIFACT_CHUNK_BYTES;
use bytes::{Buf as _, Bytes};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use futures_util::StreamExt as _;

use super::damaged;
use super::directory::{Damaged, Record};

/// What is unpacked so far.
pub(super) struct Inflater {
    input: ByteStream,
    chunk: Bytes,
    input_ended: bool,
    state: Decompress,
    crc: Crc,
    record: Record,
    made: u64,
    range: Range<u64>,
}

impl Inflater {
    /// Unpacks `input`, all of the file's bytes, and gives out the `range` of what they become.
    pub(super) fn new(input: ByteStream, record: Record, range: Range<u64>) -> Self {
        Self {
            input,
            chunk: Bytes::new(),
            input_ended: false,
            state: Decompress::new(false),
            crc: Crc::new(),
            record,
            made: 0,
            range,
        }
    }

    /// As a stream, which ends with an error when the file is damaged.
    pub(super) fn stream(self) -> ByteStream {
        let first = Some(self);
        futures_util::stream::unfold(first, |inflater| async {
            let mut inflater = inflater?;
            match inflater.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(inflater))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while self.made < self.range.end {
            if self.chunk.is_empty() && !self.input_ended {
                match self.input.next().await {
                    Some(chunk) => self.chunk = chunk?,
                    None => self.input_ended = true,
                }
            }
            let from = self.made;
            let mut bytes = self.step().map_err(damaged)?;
            // What lies in front of the range is passed over, what lies behind it is cut off.
            let skipped = self.range.start.saturating_sub(from);
            bytes.advance(usize::try_from(skipped).unwrap_or(usize::MAX).min(bytes.len()));
            let behind = self.made.saturating_sub(self.range.end);
            bytes.truncate(
                bytes
                    .len()
                    .saturating_sub(usize::try_from(behind).unwrap_or(usize::MAX)),
            );
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Unpacks at most one chunk. The last byte is given out only after the whole was checked.
    fn step(&mut self) -> Result<Bytes, Damaged> {
        let mut out = Vec::with_capacity(ARTIFACT_CHUNK_BYTES);
        let before = self.state.total_in();
        let status = self
            .state
            .decompress_vec(&self.chunk, &mut out, FlushDecompress::None)
            .map_err(|_| Damaged("a file cannot be unpacked"))?;
        let used = self.state.total_in().saturating_sub(before);
        let stuck = used == 0 && out.is_empty() && (self.input_ended || !self.chunk.is_empty());
        self.chunk
            .advance(usize::try_from(used).unwrap_or(usize::MAX).min(self.chunk.len()));
        self.crc.update(&out);
        self.made = self.made.saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        let whole = self.made == self.record.size_bytes;
        if self.made > self.record.size_bytes || (!whole && (status == Status::StreamEnd || stuck)) {
            return Err(Damaged("a file has another size than its directory says"));
        }
        if whole && self.crc.sum() != self.record.crc {
            return Err(Damaged("a file has another checksum than its directory says"));
        }
        Ok(Bytes::from(out))
    }
}
