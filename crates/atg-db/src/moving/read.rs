//! Reading the file: every line is checked where it stands, and the end against all that came before.

use std::io::{BufRead as _, BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::error::MoveError;
use super::line::{ArtifactHead, FORMAT, Header, Manifest, Mark, Part};
use super::record::Record;
use super::write::Tally;
use crate::graph_rules::hex;

/// The longest line, in bytes: the largest body, every byte of it escaped.
const LINE_BYTES: u64 = 512 * 1024 * 1024;

/// What comes next.
pub(super) enum Item {
    /// A part begins.
    Begin(Part),
    /// A record of the part that has begun.
    Record(Record),
    /// The part has ended as it should.
    End,
    /// An artifact begins.
    Artifact(ArtifactHead),
    /// Bytes of it, and whether they were the last: then they all are as they should be.
    Bytes(Vec<u8>, bool),
    /// The file has ended as it should.
    Manifest(Manifest),
}

/// A file, as far as it is read.
pub(super) struct Reader<R: Read> {
    lines: BufReader<zstd::Decoder<'static, BufReader<R>>>,
    line: Vec<u8>,
    number: u64,
    seen: Manifest,
    within: Within,
}

/// Where the reader is.
enum Within {
    /// Between two things.
    Nothing,
    Part(Part, Tally),
    Artifact(ArtifactHead, Sha256, u64),
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(super) fn new(file: R) -> Result<Self, MoveError> {
        let decoder = zstd::Decoder::new(file).map_err(|error| broken(&error))?;
        let mut reader = Self {
            lines: BufReader::new(decoder),
            line: Vec::new(),
            number: 0,
            seen: Manifest {
                header: Header {
                    format: FORMAT,
                    version: String::new(),
                    made_at: time::OffsetDateTime::UNIX_EPOCH,
                    store: String::new(),
                },
                parts: Vec::new(),
                artifacts: Vec::new(),
                artifacts_left_out: Vec::new(),
            },
            within: Within::Nothing,
        };
        reader.read_line()?;
        reader.check_format()?;
        match serde_json::from_slice(&reader.line) {
            Ok(Mark::AtgExport(header)) => reader.seen.header = header,
            Ok(_) | Err(_) => return Err(MoveError::not_whole("it does not begin as an export does")),
        }
        Ok(reader)
    }

    /// A newer format may have another header.
    fn check_format(&self) -> Result<(), MoveError> {
        let first: Option<serde_json::Value> = serde_json::from_slice(&self.line).ok();
        let format = first
            .as_ref()
            .and_then(|first| first.get("atg_export")?.get("format")?.as_u64());
        let format = format.and_then(|format| u32::try_from(format).ok());
        match format {
            Some(found) if found > FORMAT => Err(MoveError::TooNew { found, known: FORMAT }),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn next(&mut self) -> Result<Item, MoveError> {
        self.read_line()?;
        if !Mark::is_one(&self.line) {
            return self.record();
        }
        let mark = serde_json::from_slice(&self.line).map_err(|error| self.wrong(error))?;
        match (mark, std::mem::replace(&mut self.within, Within::Nothing)) {
            (Mark::Begin(part), Within::Nothing) => {
                self.within = Within::Part(part, Tally::default());
                Ok(Item::Begin(part))
            }
            (Mark::End(end), Within::Part(part, tally)) => {
                if tally.end(part, end.graph_digest.clone()) != end {
                    return Err(self.wrong(format!("the part {part} is not as it was written")));
                }
                self.seen.parts.push(end);
                Ok(Item::End)
            }
            (Mark::Artifact(head), Within::Nothing) => {
                self.within = Within::Artifact(head.clone(), Sha256::new(), 0);
                Ok(Item::Artifact(head))
            }
            (Mark::Bytes(bytes), Within::Artifact(head, hash, size)) => self.bytes(bytes.0, head, hash, size),
            (Mark::Manifest(manifest), Within::Nothing) => self.finish(manifest),
            (mark, _) => Err(self.wrong(format!("{} does not belong here", name_of(&mark)))),
        }
    }

    fn record(&mut self) -> Result<Item, MoveError> {
        let record: Record = serde_json::from_slice(&self.line).map_err(|error| self.wrong(error))?;
        let line = std::str::from_utf8(&self.line).map_err(|error| self.wrong(error))?;
        match &mut self.within {
            Within::Part(_, tally) => tally.take_line(&record, line),
            Within::Nothing | Within::Artifact(..) => return Err(self.wrong("a record outside of a part")),
        }
        Ok(Item::Record(record))
    }

    fn bytes(&mut self, bytes: Vec<u8>, head: ArtifactHead, mut hash: Sha256, size: u64) -> Result<Item, MoveError> {
        hash.update(&bytes);
        let size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if size < head.size_bytes {
            self.within = Within::Artifact(head, hash, size);
            return Ok(Item::Bytes(bytes, false));
        }
        if size != head.size_bytes || hex(&hash.finalize()) != head.sha256 {
            return Err(self.wrong(format!("the artifact of {} is not as it was published", head.job)));
        }
        self.seen.artifacts.push(head);
        Ok(Item::Bytes(bytes, true))
    }

    fn finish(&mut self, manifest: Manifest) -> Result<Item, MoveError> {
        let Manifest {
            header,
            parts,
            artifacts,
            artifacts_left_out: _,
        } = &manifest;
        if (header, parts, artifacts) != (&self.seen.header, &self.seen.parts, &self.seen.artifacts) {
            return Err(self.wrong("its manifest does not list what is in it, in this order"));
        }
        // To the end of the compressed data, whose check sum stands there.
        let rest = self.lines.fill_buf().map_err(|error| broken(&error))?;
        if !rest.is_empty() {
            return Err(self.wrong("something follows its end"));
        }
        Ok(Item::Manifest(manifest))
    }

    fn read_line(&mut self) -> Result<(), MoveError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.lines).take(LINE_BYTES);
        bounded
            .read_until(b'\n', &mut self.line)
            .map_err(|error| broken(&error))?;
        if self.line.pop() != Some(b'\n') {
            return Err(MoveError::not_whole(format!("it was cut off in line {}", self.number)));
        }
        Ok(())
    }

    fn wrong(&self, problem: impl std::fmt::Display) -> MoveError {
        MoveError::not_whole(format!("line {}: {problem}", self.number))
    }
}

fn name_of(mark: &Mark) -> &'static str {
    match mark {
        Mark::AtgExport(_) => "a beginning",
        Mark::Begin(_) => "the beginning of a part",
        Mark::End(_) => "the end of a part",
        Mark::Artifact(_) => "an artifact",
        Mark::Bytes(_) => "an artifact's bytes",
        Mark::Manifest(_) => "a manifest",
    }
}

fn broken(error: &std::io::Error) -> MoveError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        MoveError::not_whole("it was cut off")
    } else {
        MoveError::not_whole(error)
    }
}
