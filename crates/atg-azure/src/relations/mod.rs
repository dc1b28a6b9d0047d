//! What a body says about other things: the curated catalogue, references, parts, edges.
//!
//! Relies on bodies that are redacted already. Must never do I/O, read a clock or depend on the
//! order of pages, rows or members: the same body gives the same edges.

mod address;
mod alias;
mod catalogue;
mod contain;
mod derive;
mod ends;
mod facts;
mod parts;
pub(crate) mod path;
mod reference;
mod resolve;
#[cfg(test)]
mod tests;
mod trie;
mod walk;

pub use derive::{Derived, Subject, derive};
pub(crate) use ends::{arm_end, directory_type, is_global, object_end, region, tenant_end};
pub(crate) use parts::MATERIALISED;
pub use reference::arm_id;
pub(crate) use reference::object_id;
