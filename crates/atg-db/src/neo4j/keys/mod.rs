//! API keys in Neo4j. Whoever changes them holds the lock of the one `KeyRevision` node, whose number grows with
//! every change but their use.

mod moved;
mod row;
mod store;

pub use store::Neo4jKeys;

pub(super) use moved::{read_moved, write_moved};
