//! What can be done before the writer's turn: printing, hashing, compressing.

use std::io::Read as _;

use atg_models::canonical;
use atg_models::graph::{Alias, AssertedEdge, EdgeEnd, Lookup, Node, Observation, Source};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::limits;
use crate::sqlite::fault::{Fault, Outcome};

/// An observation, ready to be written.
pub(super) struct Prepared {
    /// Without its body.
    pub(super) node: Node,
    /// Its tags as JSON; `None` when it has none.
    pub(super) tags: Option<String>,
    /// Its body.
    pub(super) body: Option<Blob>,
    /// What a rescan of an unchanged thing finds again.
    pub(super) hash: [u8; 32],
    /// What its body says of other things.
    pub(super) said: [u8; 32],
    pub(super) edges: Vec<AssertedEdge>,
    pub(super) aliases: Vec<Alias>,
    pub(super) lookups: Vec<Lookup>,
}

/// A body as it is stored.
pub(super) struct Blob {
    pub(super) codec: i64,
    pub(super) bytes: Vec<u8>,
}

const PLAIN: i64 = 0;
const ZSTD: i64 = 1;
const ZSTD_LEVEL: i32 = 1;

/// Compresses the bodies of a page; making a context for each would cost more than the work.
#[derive(Default)]
pub(super) struct Packer(Option<zstd::bulk::Compressor<'static>>);

/// Prepares one observation.
pub(super) fn prepare(observation: Observation, packer: &mut Packer) -> Result<Prepared, StoreError> {
    let Observation {
        mut node,
        edges,
        aliases,
        lookups,
    } = observation;
    // The body is printed once, for its hash and for the row.
    let body = node.body.take().map(|body| canonical::print(&body));
    let mut hash = Sha256::new_with_prefix(node.content_hash());
    hash.update(body.as_deref().unwrap_or_default());
    let hash = hash.finalize().into();
    let body = body.map(|body| packer.pack(body)).transpose()?;
    let tags = (!node.tags.is_empty()).then(|| canonical::print(&serde_json::json!(node.tags)));
    Ok(Prepared {
        hash,
        said: said_hash(&edges, &aliases, &lookups),
        tags,
        body,
        node,
        edges,
        aliases,
        lookups,
    })
}

impl Packer {
    fn pack(&mut self, text: String) -> Result<Blob, StoreError> {
        if text.len() > limits::BODY_BYTES {
            return Err(StoreError::TooLarge {
                what: "body",
                limit: u64::try_from(limits::BODY_BYTES).unwrap_or(u64::MAX),
            });
        }
        if text.len() >= limits::COMPRESS_FROM_BYTES
            && let Some(bytes) = self.compress(text.as_bytes())
        {
            return Ok(Blob { codec: ZSTD, bytes });
        }
        Ok(Blob {
            codec: PLAIN,
            bytes: text.into_bytes(),
        })
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
pub(super) fn unpack(codec: i64, bytes: Vec<u8>) -> Outcome<String> {
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

/// Properties as they are stored: canonical text, nothing for none.
pub(super) fn properties(properties: &Map<String, Value>) -> Option<String> {
    (!properties.is_empty()).then(|| canonical::print(&Value::Object(properties.clone())))
}

/// The sources in the order in which they win: who owns the truth first, who copies it after, who
/// reads it out of another body last. The number is stored.
pub(super) const fn source_number(source: Source) -> i64 {
    match source {
        Source::Arm => 0,
        Source::Graph => 1,
        Source::Arg => 2,
        Source::Derived => 3,
    }
}

/// The counterpart of [`source_number`].
pub(super) fn source_of(number: i64) -> Outcome<Source> {
    match number {
        0 => Ok(Source::Arm),
        1 => Ok(Source::Graph),
        2 => Ok(Source::Arg),
        3 => Ok(Source::Derived),
        _ => Err(Fault::Row(format!("unknown source {number}"))),
    }
}

fn said_hash(edges: &[AssertedEdge], aliases: &[Alias], lookups: &[Lookup]) -> [u8; 32] {
    let mut hash = Feed(Sha256::new());
    for edge in edges {
        let AssertedEdge {
            source,
            relation,
            target,
            qualifier,
            path,
            properties,
        } = edge;
        hash.end(source);
        hash.end(target);
        hash.texts(&[relation.as_str(), qualifier, path]);
        hash.properties(properties);
    }
    for Alias { kind, value } in aliases {
        hash.texts(&["alias", &kind.0, value]);
    }
    for lookup in lookups {
        let Lookup {
            alias,
            anchor,
            relation,
            direction,
            qualifier,
            path,
            properties,
        } = lookup;
        let to_found = matches!(direction, atg_models::graph::EndDirection::ToFound);
        hash.end(anchor);
        hash.texts(&[
            "lookup",
            &alias.kind.0,
            &alias.value,
            relation.as_str(),
            qualifier,
            path,
        ]);
        hash.texts(&[if to_found { "to" } else { "from" }]);
        hash.properties(properties);
    }
    hash.0.finalize().into()
}

struct Feed(Sha256);

impl Feed {
    fn texts(&mut self, texts: &[&str]) {
        for text in texts {
            self.0.update(text.len().to_le_bytes());
            self.0.update(text.as_bytes());
        }
    }

    /// What the store keeps of an end: the spelling is not part of it.
    fn end(&mut self, end: &EdgeEnd) {
        let type_ = end.type_.as_ref().map_or("", |type_| type_.as_str());
        self.texts(&[end.id.as_str(), end.kind.as_str(), type_]);
    }

    fn properties(&mut self, map: &Map<String, Value>) {
        if !map.is_empty() {
            self.texts(&[&properties(map).unwrap_or_default()]);
        }
    }
}
