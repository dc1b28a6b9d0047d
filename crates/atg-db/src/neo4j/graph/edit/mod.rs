//! One change of a tenant's graph, decided in memory.
//!
//! What a page touches is read in batches, the rules are applied to that working set in the order of the
//! page, and what has become of it is written in batches. A step that needs to know of edges is only noted
//! ([`Step`]) until it is certain which edges must be read. What depends on several rows (answers to look-ups,
//! nodes that nothing refers to any more, kinds of stubs) is settled once, by [`Edit::settle`].
//!
//! Relies on `scan::hold`: nothing else writes to the tenant until the transaction ends.

mod ask;
mod edges;
mod load;
mod moved;
mod names;
mod nodes;
mod observe;
mod orphans;
mod rows;
mod say;
mod texts;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::neo4j::driver::{Outcome, Tx};
use crate::neo4j::graph::scan::Held;

use edges::{Edge, EdgeKey, Step};
pub(in crate::neo4j) use moved::write_moved;
pub(super) use moved::{listed_key, moved_assertions};
use names::Names;
use nodes::Nodes;
pub(super) use observe::Stored;
pub(super) use orphans::forget_changes;
pub(super) use rows::delete;
use rows::unwind;
use say::{Listed, ListedKey};

/// A node's id within the tenant.
pub(super) type Id = Arc<str>;

/// A change in progress. `'p` is the page that it comes from.
pub(super) struct Edit<'p> {
    held: Held,
    /// The tenant's part of every key.
    prefix: String,
    nodes: Nodes<'p>,
    names: Names,
    /// What is to be done to edges, in order.
    steps: Vec<Step>,
    edges: HashMap<EdgeKey, Edge>,
    listed: HashMap<ListedKey, Listed>,
    /// Hashes before and after, of nodes whose content changes.
    changes: BTreeMap<Id, (Option<String>, Option<String>)>,
    /// Nodes that may have lost their last edge.
    orphans: BTreeSet<Id>,
}

impl Edit<'_> {
    pub(super) fn new(held: Held) -> Self {
        Self {
            held,
            prefix: key_prefix(held.tenant_id),
            nodes: Nodes::default(),
            names: Names::default(),
            steps: Vec::new(),
            edges: HashMap::new(),
            listed: HashMap::new(),
            changes: BTreeMap::new(),
            orphans: BTreeSet::new(),
        }
    }

    /// Settles what depends on more than one row, and writes. The last step of every change but one: whoever made it
    /// raises the tenant's revision (`scan::changed`).
    pub(super) async fn settle(mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        self.answer_lookups(tx).await?;
        self.take_steps(tx).await?;
        self.write(tx).await?;
        self.remove_orphans(tx).await
    }

    /// Remembers how a scan changed a node. The first scan of a tenant adds all that it sees, so
    /// nothing is kept for it.
    fn note_change(&mut self, id: &Id, before: Option<String>, after: Option<String>) {
        const FIRST: i64 = 1;
        if self.held.generation == FIRST {
            return;
        }
        let change = self.changes.entry(Arc::clone(id)).or_insert((before, None));
        change.1 = after;
    }
}

/// What every key of a tenant begins with.
pub(super) fn key_prefix(tenant: atg_models::TenantId) -> String {
    format!("{tenant}/")
}
