//! The nodes of the working set.

use std::collections::{BTreeMap, HashMap};

use atg_models::NodeId;
use atg_models::graph::{EdgeEnd, NodeKind};

use super::edges::{EdgeKey, Said};
use super::texts::kind_of;
use super::{Edit, Id, unwind};
use crate::graph_rules::Prepared;
use crate::neo4j::driver::{Outcome, Row, Trouble, Tx};

/// What a node is to the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is stored of it.
    #[default]
    Absent,
    /// It is only referred to.
    Stub,
    /// It was read.
    Observed,
    /// It is gone: its last body is kept, and nothing refers to it.
    Gone,
}

/// A node's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) kind: NodeKind,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            state: State::Absent,
            kind: NodeKind::Stub,
        }
    }
}

/// What is stored of an observed node, as far as the next observation is judged by it.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) generation: i64,
    pub(super) source: i64,
    pub(super) hash: String,
    pub(super) said: String,
}

/// What a body says, by edge and path.
pub(super) type Words = BTreeMap<(EdgeKey, String), Said>;

/// A node of the working set.
#[derive(Default)]
pub(super) struct Node<'p> {
    /// The server's name for it; `None` while it is not stored.
    pub(super) element: Option<String>,
    pub(super) was: Standing,
    pub(super) now: Standing,
    pub(super) content: Content,
    /// The source of the content that is stored.
    pub(super) stored_source: i64,
    /// Whether it was ever observed.
    pub(super) was_seen: bool,
    /// What its body said as texts, where that was asked for.
    pub(super) said_before: Vec<String>,
    /// What its body says, where that changes.
    pub(super) words: Option<Words>,
    /// The observation whose content is to be written.
    pub(super) content_of: Option<&'p Prepared>,
    /// The observation that saw it last.
    pub(super) seen_by: Option<&'p Prepared>,
    /// Of a new stub: what its id says.
    pub(super) place: Option<Place>,
    /// Whether it is swept.
    pub(super) is_swept: bool,
}

/// What the id of a stub says.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) id: NodeId,
    pub(super) type_: Option<String>,
}

/// Nodes by id; what is not in it was not looked for.
#[derive(Default)]
pub(super) struct Nodes<'p> {
    by_id: HashMap<Id, Node<'p>>,
}

impl<'p> Nodes<'p> {
    /// A node that was looked for.
    pub(super) fn get(&mut self, id: &str) -> Outcome<&mut Node<'p>> {
        let found = self.by_id.get_mut(id);
        found.ok_or_else(|| Trouble::Unreadable(format!("{id} was not looked for")))
    }

    /// The server's name for a node that is stored by now.
    pub(super) fn element(&mut self, id: &str) -> Outcome<String> {
        let element = self.get(id)?.element.clone();
        element.ok_or_else(|| Trouble::Unreadable(format!("{id} is the end of an edge and was not stored")))
    }

    /// The shared text of an id.
    pub(super) fn id(&self, id: &str) -> Id {
        match self.by_id.get_key_value(id) {
            Some((known, _)) => Id::clone(known),
            None => Id::from(id),
        }
    }

    pub(super) fn is_known(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether an edge between the two may be stored.
    pub(super) fn may_have_edges(&self, source: &str, target: &str) -> bool {
        let may = |id| self.by_id.get(id).is_none_or(|node| node.element.is_some());
        may(source) && may(target)
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = (&Id, &mut Node<'p>)> {
        self.by_id.iter_mut()
    }

    /// The end of an edge. What is not there becomes a stub; what is gone becomes one again.
    pub(super) fn end(&mut self, end: &EdgeEnd) -> Outcome<Id> {
        let id = self.id(end.id.as_str());
        let node = self.get(&id)?;
        match node.now.state {
            State::Observed => {}
            State::Absent => node.make_stub(
                &end.id,
                end.kind,
                end.type_.as_ref().map(|type_| type_.as_str().to_owned()),
            ),
            State::Gone => {
                node.now = Standing {
                    state: State::Stub,
                    kind: end.kind,
                };
            }
            State::Stub => node.now.kind = better_kind(node.now.kind, end.kind),
        }
        Ok(id)
    }
}

impl<'p> Node<'p> {
    /// The observation that found a stored node as it was, if nothing else became of it.
    pub(super) fn only_renewed_by(&self) -> Option<&'p Prepared> {
        let is_as_it_was = self.content_of.is_none()
            && self.words.is_none()
            && !self.is_swept
            && self.now == self.was
            && self.content.source == self.stored_source;
        self.seen_by.filter(|_| is_as_it_was)
    }

    /// Makes a node for something that is only referred to.
    pub(super) fn make_stub(&mut self, id: &NodeId, kind: NodeKind, type_: Option<String>) {
        self.now = Standing {
            state: State::Stub,
            kind,
        };
        self.place = Some(Place { id: id.clone(), type_ });
    }
}

/// Of two kinds that are stated for one id, a sort that is known before one that is not, then
/// the first by name: the same whichever was read first.
fn better_kind(known: NodeKind, stated: NodeKind) -> NodeKind {
    if stated == known || stated == NodeKind::Stub {
        return known;
    }
    let keep = known != NodeKind::Stub && known.as_str() < stated.as_str();
    if keep { known } else { stated }
}

/// The kind that an assertion keeps of an end: only where the id does not prove it.
pub(super) fn stated_kind(end: &EdgeEnd) -> Option<NodeKind> {
    (end.type_.is_none() && !end.kind.is_derived()).then_some(end.kind)
}

/// Ids to look for. For one whose words may be replaced it says what a body that says the same has as
/// `said`: a node whose own is another brings its words along.
pub(in crate::neo4j::graph) type Wanted = BTreeMap<Id, Option<String>>;

impl Edit<'_> {
    /// Looks for nodes that were not looked for yet.
    pub(in crate::neo4j::graph) async fn load(&mut self, tx: &mut Tx<'_>, wanted: Wanted) -> Outcome<()> {
        const LIVE: &str = "UNWIND $rows AS row MATCH (n:Entity {key: $prefix + row.id})
            RETURN row.id AS id, elementId(n) AS element, n.observed AS observed, n.kind AS kind, n.gen AS gen,
              n.source AS source, n.hash AS hash, n.said AS said, n.first_gen AS first_gen,
              CASE WHEN row.said <> n.said THEN n.says END AS says";
        const GONE: &str = "UNWIND $rows AS row MATCH (n:Tombstone {key: $prefix + row.id})
            RETURN row.id AS id, elementId(n) AS element, false AS observed, n.kind AS kind, n.gen AS gen,
              n.source AS source, n.hash AS hash, n.said AS said, n.first_gen AS first_gen, null AS says";
        // Only a scan that follows another one removes anything.
        const FIRST_TO_SWEEP: i64 = 2;
        let wanted: Wanted = wanted.into_iter().filter(|(id, _)| !self.nodes.is_known(id)).collect();
        let row = |(id, said): (&Id, &Option<String>)| vec![("id", id.as_ref().into()), ("said", said.clone().into())];
        let rows = wanted.iter().map(row).collect();
        self.nodes.by_id.reserve(wanted.len());
        for row in unwind(tx, LIVE, &self.prefix, rows).await? {
            let state = if row.get("observed")? {
                State::Observed
            } else {
                State::Stub
            };
            self.nodes.by_id.insert(row.text("id")?.into(), read(&row, state)?);
        }
        if self.held.generation >= FIRST_TO_SWEEP {
            let missing = wanted.iter().filter(|(id, _)| !self.nodes.is_known(id));
            let rows = missing.map(row).collect();
            for row in unwind(tx, GONE, &self.prefix, rows).await? {
                self.nodes
                    .by_id
                    .insert(row.text("id")?.into(), read(&row, State::Gone)?);
            }
        }
        for id in wanted.into_keys() {
            self.nodes.by_id.entry(id).or_default();
        }
        Ok(())
    }
}

fn read(row: &Row, state: State) -> Outcome<Node<'static>> {
    let was = Standing {
        state,
        kind: kind_of(&row.text("kind")?)?,
    };
    let source = row.get("source")?;
    Ok(Node {
        element: Some(row.text("element")?),
        stored_source: source,
        was,
        now: was,
        content: Content {
            generation: row.get("gen")?,
            source,
            hash: row.maybe("hash")?.unwrap_or_default(),
            said: row.maybe("said")?.unwrap_or_default(),
        },
        was_seen: row.maybe::<i64>("first_gen")?.is_some(),
        said_before: row.maybe("says")?.unwrap_or_default(),
        ..Node::default()
    })
}
