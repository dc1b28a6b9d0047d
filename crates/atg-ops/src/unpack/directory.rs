//! The parts of a zip that say where a file lies. Pure: bytes in, places out.
//!
//! What our own archives are made of, and nothing else: no comment, no encryption, no zip64 (an artifact has
//! less than 4 GiB and fewer than 65,535 files).

use atg_models::limits;

/// Bytes of the record that ends a zip.
pub(super) const END_BYTES: u64 = 22;
/// Bytes in front of a file's name in its own header.
pub(super) const HEADER_BYTES: u64 = 30;
/// Bytes in front of a file's name in the directory.
const RECORD_BYTES: usize = 46;

const END_SIGN: [u8; 4] = *b"PK\x05\x06";
const RECORD_SIGN: [u8; 4] = *b"PK\x01\x02";
const HEADER_SIGN: [u8; 4] = *b"PK\x03\x04";

/// A value that stands in a zip64 record instead.
const ELSEWHERE: u32 = u32::MAX;
/// The flag of an encrypted file.
const ENCRYPTED: u16 = 1;

/// What is wrong with a zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged(pub(super) &'static str);

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// As it is.
    Stored,
    /// RFC 1951.
    Deflated,
}

/// A file of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) size_bytes: u64,
    /// Where its own header begins.
    pub(super) header_at: u64,
}

/// Where the directory lies, from the record at the zip's end.
pub(super) fn place(end: &[u8], zip_bytes: u64) -> Result<std::ops::Range<u64>, Damaged> {
    let signed = end.first_chunk() == Some(&END_SIGN);
    let (Some(bytes), Some(at), true) = (u32_at(end, 12), u32_at(end, 16), signed) else {
        return Err(Damaged("it has no end"));
    };
    let place = u64::from(at)..u64::from(at).saturating_add(u64::from(bytes));
    if at == ELSEWHERE || place.end > zip_bytes {
        return Err(Damaged("its directory lies outside"));
    }
    Ok(place)
}

/// The directory, as its bytes come: at most one chunk and one record are held.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// What of them was read.
    read: usize,
}

impl Records {
    /// Takes more bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next file and whether its name is `name`; `None` until more bytes come.
    pub(super) fn next(&mut self, name: &str) -> Result<Option<(Record, bool)>, Damaged> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let Some(fixed) = rest.get(..RECORD_BYTES) else {
            return Ok(None);
        };
        if fixed.first_chunk() != Some(&RECORD_SIGN) {
            return Err(Damaged("its directory is not one"));
        }
        let length = |at| u16_at(fixed, at).map_or(0, usize::from);
        let name_end = RECORD_BYTES.saturating_add(length(28));
        let end = name_end.saturating_add(length(30)).saturating_add(length(32));
        let Some(whole) = rest.get(..end) else {
            return Ok(None);
        };
        let record = record(fixed).ok_or(Damaged("its directory holds what this version cannot read"))?;
        let is_it = whole.get(RECORD_BYTES..name_end) == Some(name.as_bytes());
        self.read = self.read.saturating_add(end);
        Ok(Some((record, is_it)))
    }
}

fn record(fixed: &[u8]) -> Option<Record> {
    let known = |at| u32_at(fixed, at).filter(|value| *value != ELSEWHERE).map(u64::from);
    let method = match u16_at(fixed, 10)? {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => return None,
    };
    if u16_at(fixed, 8)? & ENCRYPTED != 0 {
        return None;
    }
    let record = Record {
        method,
        crc: u32_at(fixed, 16)?,
        packed_bytes: known(20)?,
        size_bytes: known(24)?,
        header_at: known(42)?,
    };
    (record.packed_bytes <= limits::ARTIFACT_MAX_BYTES).then_some(record)
}

/// Where a file's bytes begin, from its own header.
pub(super) fn data_at(header: &[u8], header_at: u64) -> Result<u64, Damaged> {
    let signed = header.first_chunk() == Some(&HEADER_SIGN);
    let (Some(name), Some(extra), true) = (u16_at(header, 26), u16_at(header, 28), signed) else {
        return Err(Damaged("a file has no header"));
    };
    let front = HEADER_BYTES
        .saturating_add(u64::from(name))
        .saturating_add(u64::from(extra));
    Ok(header_at.saturating_add(front))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}
