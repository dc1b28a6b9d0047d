//! Taking in a file, and proving that the store holds it.

use std::io::Read;

use super::artifacts;
use super::error::MoveError;
use super::export::{hand_out, parts};
use super::line::{Manifest, Part, PartEnd};
use super::read::{Item, Reader};
use super::record::Record;
use super::write::Tally;
use super::{Begun, MoveTarget};
use crate::ArtifactStore;

/// Records that are written at a time.
const BATCH_RECORDS: usize = 2_000;
/// Bytes of bodies that are written at a time, about.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// An import that is to be made.
pub struct Import<'i> {
    /// Where to.
    pub target: &'i dyn MoveTarget,
    /// Where artifacts are to lie.
    pub artifacts: &'i dyn ArtifactStore,
    /// Is told how many records of a part were written, and how many of it were read back.
    pub said: &'i mut (dyn FnMut(Step, Part, u64) + Send),
}

/// What an import does with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is written.
    Writing,
    /// It is read back and compared.
    Comparing,
}

/// What was taken in.
pub struct Imported {
    /// What the store holds now.
    pub manifest: Manifest,
    /// Whether the store was empty.
    pub begun: Begun,
}

/// What a file holds.
pub struct Checked {
    /// All of it.
    pub manifest: Manifest,
}

/// Reads a file to its end without a store.
///
/// # Errors
/// When it is not whole.
pub fn check(file: impl Read) -> Result<Checked, MoveError> {
    let mut reader = Reader::new(file)?;
    loop {
        if let Item::Manifest(manifest) = reader.next()? {
            return Ok(Checked { manifest });
        }
    }
}

impl Import<'_> {
    /// Reads the file in constant memory, once, and writes what it holds. Until it is proved that the store holds the
    /// same, the store keeps its mark.
    ///
    /// # Errors
    /// When the store is not empty, the file is not whole, or the store does not hold the same at the end.
    pub async fn read(mut self, file: impl Read + Send) -> Result<Imported, MoveError> {
        let mut reader = Reader::new(file)?;
        let begun = self.target.begin().await?;
        let manifest = loop {
            match reader.next()? {
                Item::Begin(part) => self.part(&mut reader, part).await?,
                Item::Artifact(head) => {
                    artifacts::read(&mut reader, self.artifacts, head.name(), head.size_bytes).await?;
                }
                Item::Manifest(manifest) => break manifest,
                Item::Record(_) | Item::End | Item::Bytes(..) => {
                    return Err(MoveError::not_whole("its lines are not in order"));
                }
            }
        };
        self.prove(&manifest).await?;
        self.target.end().await?;
        Ok(Imported { manifest, begun })
    }

    async fn part(&mut self, reader: &mut Reader<impl Read>, part: Part) -> Result<(), MoveError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut count = 0;
        loop {
            match reader.next()? {
                Item::Record(record) => {
                    bytes += size(&record);
                    batch.push(record);
                    if batch.len() >= BATCH_RECORDS || bytes >= BATCH_BYTES {
                        count += u64::try_from(batch.len()).unwrap_or_default();
                        self.target.write(part, std::mem::take(&mut batch)).await?;
                        bytes = 0;
                        (self.said)(Step::Writing, part, count);
                    }
                }
                Item::End => {
                    if !batch.is_empty() {
                        self.target.write(part, batch).await?;
                    }
                    return Ok(());
                }
                Item::Begin(_) | Item::Artifact(_) | Item::Bytes(..) | Item::Manifest(_) => {
                    return Err(MoveError::not_whole("its lines are not in order"));
                }
            }
        }
    }

    /// Compares what the store holds with what the file held, record by record.
    async fn prove(&mut self, manifest: &Manifest) -> Result<(), MoveError> {
        let written = self.target.written().await?;
        let tenants = written.begin().await?;
        let mut differs = Vec::new();
        let mut found = Vec::new();
        for part in parts(tenants) {
            let mut tally = Tally::default();
            let mut count = 0;
            let said = &mut *self.said;
            let graph_digest = hand_out(written.as_ref(), part, &mut |record| {
                count += 1;
                said(Step::Comparing, part, count);
                tally.take(&record).map(drop)
            })
            .await?;
            found.push(tally.end(part, graph_digest));
        }
        for sent in &manifest.parts {
            match found.iter().find(|found| found.part == sent.part) {
                Some(found) => differs.extend(difference(sent, found)),
                None if sent.records.is_empty() => {}
                None => differs.push(format!("{} is missing", sent.part)),
            }
        }
        let known = |part: Part| manifest.parts.iter().any(|sent| sent.part == part);
        let more = found
            .iter()
            .filter(|found| !known(found.part) && !found.records.is_empty());
        differs.extend(more.map(|found| format!("{} was not in the file", found.part)));
        if differs.is_empty() {
            return Ok(());
        }
        Err(MoveError::Differs { differs })
    }
}

/// How a part that was read back differs from what was sent.
fn difference(sent: &PartEnd, found: &PartEnd) -> Option<String> {
    if sent == found {
        return None;
    }
    if sent.records != found.records {
        return Some(format!(
            "{}: {:?} in the file, {:?} in the store",
            sent.part, sent.records, found.records
        ));
    }
    let graph = sent.graph_digest != found.graph_digest;
    let what = if graph {
        "the digest of its graph"
    } else {
        "the digest of its records"
    };
    Some(format!("{}: {what} is another", sent.part))
}

/// About how many bytes a record takes, as far as it may take many.
fn size(record: &Record) -> usize {
    match record {
        Record::Node(node) => node
            .seen
            .as_ref()
            .and_then(|seen| seen.body.as_ref())
            .map_or(0, String::len),
        Record::Cache(cache) => cache.value.0.len(),
        Record::Event(event) => event.body.len(),
        Record::Job(job) => job.params.len() + job.result.as_ref().map_or(0, String::len),
        Record::Edge(edge) => edge.asserted.len() * 100,
        Record::Idempotency(_)
        | Record::Key(_)
        | Record::Tenant(_)
        | Record::Names(_)
        | Record::Scan(_)
        | Record::Ledger(_)
        | Record::Partition(_)
        | Record::Change(_) => 0,
    }
}
