//! What is true of a graph in every backend: hashes, winners, what an id says, the export's text.
//!
//! Pure functions over values. Must never: know how a backend stores them.

mod alias;
mod export;
mod id;
mod observation;
mod page;
mod source;
mod stored;

pub(crate) use alias::alias_value;
pub(crate) use export::{Digest, edge_line, hex, node_line};
pub(crate) use id::{name_in, place};
pub(crate) use observation::{Prepared, prepare, properties};
pub(crate) use page::{Ready, ready, too_large};
pub(crate) use source::{Standing, source_number, source_of, wins};
pub(crate) use stored::{EdgeKey, StoredEdge, StoredNode};
