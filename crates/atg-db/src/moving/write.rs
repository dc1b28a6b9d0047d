//! Writing the file, in constant memory, to wherever it goes.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use serde::Serialize;

use super::error::MoveError;
use super::line::{ArtifactHead, Header, Manifest, Mark, Part, PartEnd};
use super::record::{Hex, Record};
use crate::graph_rules::Digest;

/// The file, as far as it is written.
pub(super) struct Writer<W: Write> {
    out: zstd::Encoder<'static, BufWriter<W>>,
    manifest: Manifest,
}

/// What was said of a part so far.
#[derive(Default)]
pub(super) struct Tally {
    records: BTreeMap<String, u64>,
    digest: Digest,
}

impl Tally {
    /// Counts a record; its line.
    pub(super) fn take(&mut self, record: &Record) -> Result<String, MoveError> {
        let line = serde_json::to_string(record).map_err(MoveError::not_whole)?;
        self.take_line(record, &line);
        Ok(line)
    }

    /// Counts a record of which the line is known.
    pub(super) fn take_line(&mut self, record: &Record, line: &str) {
        self.digest.line(line);
        match self.records.get_mut(record.sort()) {
            Some(count) => *count += 1,
            None => drop(self.records.insert(record.sort().to_owned(), 1)),
        }
    }

    /// What it comes to.
    pub(super) fn end(self, part: Part, graph_digest: Option<String>) -> PartEnd {
        PartEnd {
            part,
            records: self.records,
            sha256: self.digest.hex(),
            graph_digest,
        }
    }
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, header: Header) -> Result<Self, MoveError> {
        let mut encoder = zstd::Encoder::new(BufWriter::new(out), zstd::DEFAULT_COMPRESSION_LEVEL).map_err(writing)?;
        encoder.include_checksum(true).map_err(writing)?;
        let mut writer = Self {
            out: encoder,
            manifest: Manifest {
                header: header.clone(),
                parts: Vec::new(),
                artifacts: Vec::new(),
                artifacts_left_out: Vec::new(),
            },
        };
        writer.mark(&Mark::AtgExport(header))?;
        Ok(writer)
    }

    pub(super) fn begin(&mut self, part: Part) -> Result<(), MoveError> {
        self.mark(&Mark::Begin(part))
    }

    pub(super) fn record(&mut self, tally: &mut Tally, record: &Record) -> Result<(), MoveError> {
        let line = tally.take(record)?;
        self.line(line.as_bytes())
    }

    pub(super) fn end(&mut self, end: PartEnd) -> Result<(), MoveError> {
        self.mark(&Mark::End(end.clone()))?;
        self.manifest.parts.push(end);
        Ok(())
    }

    pub(super) fn artifact(&mut self, head: ArtifactHead) -> Result<(), MoveError> {
        self.mark(&Mark::Artifact(head.clone()))?;
        self.manifest.artifacts.push(head);
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), MoveError> {
        self.mark(&Mark::Bytes(Hex(bytes.to_vec())))
    }

    pub(super) fn leave_out(&mut self, head: ArtifactHead) {
        self.manifest.artifacts_left_out.push(head);
    }

    /// Ends the file: without this it is not whole.
    pub(super) fn finish(mut self) -> Result<(W, Manifest), MoveError> {
        self.mark(&Mark::Manifest(self.manifest.clone()))?;
        let mut buffer = self.out.finish().map_err(writing)?;
        buffer.flush().map_err(writing)?;
        let out = buffer.into_inner().map_err(|error| writing(error.into_error()))?;
        Ok((out, self.manifest))
    }

    fn mark(&mut self, mark: &impl Serialize) -> Result<(), MoveError> {
        let line = serde_json::to_vec(mark).map_err(MoveError::not_whole)?;
        self.line(&line)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), MoveError> {
        self.out
            .write_all(line)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(writing)
    }
}

fn writing(source: std::io::Error) -> MoveError {
    MoveError::File {
        doing: "writing",
        source,
    }
}
