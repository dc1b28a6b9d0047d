//! What one page of a collection says about the graph.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::arm_id::ArmType;
use crate::graph::{Node, NodeKind, Relation};
use crate::ids::NodeId;

/// One end of an edge, with what is needed to make a stub of it if it is not in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EdgeEnd {
    /// The node's key.
    pub id: NodeId,
    /// The id as the asserting body spelled it.
    pub display_id: String,
    /// The kind that the id proves.
    pub kind: NodeKind,
    /// The ARM type that the id proves.
    pub type_: Option<ArmType>,
    /// The name that the id, or the derived value, carries.
    pub name: String,
}

/// An edge as one body states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssertedEdge {
    /// Where the edge starts.
    pub source: EdgeEnd,
    /// How the ends relate.
    pub relation: Relation,
    /// Where it ends.
    pub target: EdgeEnd,
    /// Empty but for relations that hold several times between the same ends.
    pub qualifier: String,
    /// Where in the asserting body it is said, array positions as `[*]`.
    pub path: String,
    /// Further facts (cut-off sub-path, key name and version, scope, condition).
    pub properties: Map<String, Value>,
}

/// The sort of a name other than its id by which bodies refer to a thing.
///
/// The catalogue's `match` decides: two rows with the same sort of value and the same target
/// types share a kind. The text is part of the stored key and of no wire format.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AliasKind(pub String);

/// A name under which a body can be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alias {
    /// The sort of name.
    pub kind: AliasKind,
    /// The name, canonical for its sort.
    pub value: String,
}

/// Which end of the edge the node found by a look-up becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndDirection {
    /// The found node is the edge's target.
    ToFound,
    /// The found node is the edge's source.
    FromFound,
}

/// An edge whose other end is known by an alias only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// The alias that answers it.
    pub alias: Alias,
    /// The end that is known: the asserting body, or its anchor.
    pub anchor: EdgeEnd,
    /// How the ends relate.
    pub relation: Relation,
    /// Which end the found node becomes.
    pub direction: EndDirection,
    /// As [`AssertedEdge::qualifier`].
    pub qualifier: String,
    /// As [`AssertedEdge::path`].
    pub path: String,
    /// As [`AssertedEdge::properties`].
    pub properties: Map<String, Value>,
}

/// A node that was read, and all that its body says.
///
/// Storing it replaces what the same body said before: its edges, aliases and look-ups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The node.
    pub node: Node,
    /// Edges whose ends the body names by id.
    pub edges: Vec<AssertedEdge>,
    /// Names that the body publishes for its node.
    pub aliases: Vec<Alias>,
    /// Edges whose other end the body names otherwise.
    pub lookups: Vec<Lookup>,
}

/// An edge that a listing states page by page (a group's members): it belongs to its
/// collection, is renewed by it, and goes when the collection was read whole without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedEdge {
    /// The node whose listing says so.
    pub by: NodeId,
    /// What it says.
    pub edge: AssertedEdge,
}

/// All that one page says. Applied in one transaction together with its ledger entry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphBatch {
    /// Bodies.
    pub observations: Vec<Observation>,
    /// Memberships and the like.
    pub listed: Vec<ListedEdge>,
}

impl GraphBatch {
    /// Whether the page said nothing.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty() && self.listed.is_empty()
    }
}
