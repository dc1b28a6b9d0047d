//! How a body is stored: compressed from some size on.

use std::io::Read as _;

use crate::graph_rules;
use crate::limits;
use crate::sqlite::fault::{Fault, Outcome};

/// An observation, ready to be written.
pub(super) type Prepared = graph_rules::Prepared<Blob>;

/// A body as it is stored.
pub(in crate::sqlite) struct Blob {
    pub(in crate::sqlite) codec: i64,
    pub(in crate::sqlite) bytes: Vec<u8>,
}

const PLAIN: i64 = 0;
const ZSTD: i64 = 1;
const ZSTD_LEVEL: i32 = 1;

/// Compresses the bodies of a page; making a context for each would cost more than the work.
#[derive(Default)]
pub(in crate::sqlite) struct Packer(Option<zstd::bulk::Compressor<'static>>);

impl Packer {
    /// Packs a prepared observation's body.
    pub(super) fn packed(&mut self, prepared: graph_rules::Prepared) -> Prepared {
        prepared.map_body(|text| self.pack(text))
    }

    pub(in crate::sqlite) fn pack(&mut self, text: String) -> Blob {
        if text.len() >= limits::COMPRESS_FROM_BYTES
            && let Some(bytes) = self.compress(text.as_bytes())
        {
            return Blob { codec: ZSTD, bytes };
        }
        Blob {
            codec: PLAIN,
            bytes: text.into_bytes(),
        }
    }

    /// `None` when it cannot be done: the body is stored plain then.
    fn compress(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_none() {
            self.0 = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        self.0.as_mut()?.compress(bytes).ok()
    }
}

/// The text of a stored body.
pub(in crate::sqlite) fn unpack(codec: i64, bytes: Vec<u8>) -> Outcome<String> {
    let plain = match codec {
        PLAIN => bytes,
        ZSTD => {
            let mut plain = Vec::new();
            let limit = u64::try_from(limits::BODY_BYTES).unwrap_or(u64::MAX);
            zstd::stream::read::Decoder::new(bytes.as_slice())?
                .take(limit)
                .read_to_end(&mut plain)?;
            plain
        }
        _ => return Err(Fault::Row(format!("unknown body codec {codec}"))),
    };
    String::from_utf8(plain).map_err(|error| Fault::Row(error.to_string()))
}
