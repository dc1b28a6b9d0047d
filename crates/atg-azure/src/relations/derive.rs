//! From a body to everything that it says about its node: edges, aliases, look-ups.

use atg_models::graph::{Alias, AssertedEdge, EdgeEnd, EndDirection, Lookup, Node, NodeKind, Relation};
use atg_models::{ArmId, ArmType, NodeId, TenantId, canonical};
use serde_json::Value;
use uuid::Uuid;

use crate::relations::catalogue::{CATALOGUE, Row};
use crate::relations::path::text_member;
use crate::relations::{alias, contain, ends, reference, walk};

/// A node and its body.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub(crate) tenant: TenantId,
    /// The node as an end of edges.
    pub(crate) end: EdgeEnd,
    /// Its id, unless it is a directory object.
    pub(crate) arm: Option<ArmId>,
    /// The types whose rows apply: the id's, and the body's where it says another.
    pub(crate) types: Vec<String>,
    pub(crate) body: &'a Value,
}

impl<'a> Subject<'a> {
    /// An ARM resource.
    pub fn arm(tenant: TenantId, id: &ArmId, body: &'a Value) -> Self {
        let end = ends::arm_end(id);
        let mut types: Vec<_> = end.type_.iter().map(|type_| type_.as_str().to_owned()).collect();
        if let Some(said) = text_member(body, "type") {
            let said = ArmType::new(said);
            if end.type_.as_ref() != Some(&said) {
                types.push(said.as_str().to_owned());
            }
        }
        Self {
            tenant,
            end,
            arm: Some(id.clone()),
            types,
            body,
        }
    }

    /// A directory object.
    pub fn object(tenant: TenantId, id: Uuid, kind: NodeKind, body: &'a Value) -> Self {
        Self {
            tenant,
            end: ends::object_end(id, kind),
            arm: None,
            types: ends::directory_type(kind).into_iter().map(str::to_owned).collect(),
            body,
        }
    }

    /// A stored node, with its stored body; `None` for what was never read, and for the tenant
    /// and derived nodes, whose bodies say nothing.
    pub fn of_node(node: &'a Node) -> Option<Self> {
        let body = node.body.as_ref()?;
        if node.type_.is_some() {
            return Some(Self::arm(node.tenant_id, &reference::arm_id(&node.display_id)?, body));
        }
        ends::directory_type(node.kind)?;
        Some(Self::object(
            node.tenant_id,
            reference::object_id(node.id.as_str())?,
            node.kind,
            body,
        ))
    }
}

/// What a body says. Sorted and without doubles, so that the order of members does not show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Derived {
    /// Edges whose ends are known.
    pub edges: Vec<AssertedEdge>,
    /// Names that the body publishes.
    pub aliases: Vec<Alias>,
    /// Edges whose other end is known by an alias.
    pub lookups: Vec<Lookup>,
    #[cfg(test)]
    pub(crate) fired: Vec<String>,
}

impl Derived {
    /// Adds an edge, unless it would lead from a thing to itself.
    pub(crate) fn edge(&mut self, edge: AssertedEdge) {
        if edge.source.id != edge.target.id {
            self.edges.push(edge);
        }
    }

    /// Notes for tests that a row found something.
    #[cfg(test)]
    pub(crate) fn fired(&mut self, row: &Row) {
        self.fired.push(row.id.clone());
    }

    /// Only tests count which rows fire.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same call as in tests")]
    pub(crate) const fn fired(&mut self, _row: &Row) {}

    fn settle(&mut self) {
        self.edges.sort_unstable_by(|a, b| {
            edge_key(a)
                .cmp(&edge_key(b))
                .then_with(|| edge_rest(a).cmp(&edge_rest(b)))
        });
        self.edges.dedup_by(|b, a| edge_key(a) == edge_key(b));
        self.aliases.sort_unstable();
        self.aliases.dedup();
        self.lookups.sort_unstable_by(|a, b| {
            let by_key = lookup_key(a).cmp(&lookup_key(b));
            by_key.then_with(|| lookup_rest(a).cmp(&lookup_rest(b)))
        });
        self.lookups.dedup_by(|b, a| lookup_key(a) == lookup_key(b));
    }
}

/// Derives what the subject's body says.
pub fn derive(subject: &Subject<'_>) -> Derived {
    let mut derived = Derived::default();
    walk::walk(&CATALOGUE, subject, &mut derived);
    contain::contain(subject, &mut derived);
    alias::publish(subject, &mut derived.aliases);
    derived.settle();
    derived
}

fn edge_key(edge: &AssertedEdge) -> (&NodeId, Relation, &NodeId, &str, &str) {
    (
        &edge.source.id,
        edge.relation,
        &edge.target.id,
        &edge.qualifier,
        &edge.path,
    )
}

/// What decides between two statements of one edge; made only for those.
fn edge_rest(edge: &AssertedEdge) -> (String, &str, &str) {
    (
        print(&edge.properties),
        &edge.source.display_id,
        &edge.target.display_id,
    )
}

fn lookup_key(lookup: &Lookup) -> (&Alias, &NodeId, Relation, EndDirection, &str, &str) {
    (
        &lookup.alias,
        &lookup.anchor.id,
        lookup.relation,
        lookup.direction,
        &lookup.qualifier,
        &lookup.path,
    )
}

fn lookup_rest(lookup: &Lookup) -> (String, &str) {
    (print(&lookup.properties), &lookup.anchor.display_id)
}

fn print(properties: &serde_json::Map<String, Value>) -> String {
    if properties.is_empty() {
        return String::new();
    }
    canonical::print(&Value::Object(properties.clone()))
}
