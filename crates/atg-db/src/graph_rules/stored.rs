//! Nodes and edges as a backend reads them: what is JSON is still its text.

use atg_models::NodeId;
use atg_models::graph::{Node, Relation};
use serde_json::{Map, Value};

use crate::graph_store::EdgeRow;

/// A node with its body as its text.
pub(crate) struct StoredNode {
    pub(crate) node: Node,
    pub(crate) body: Option<String>,
}

impl StoredNode {
    /// With its body.
    pub(crate) fn whole(self) -> serde_json::Result<Node> {
        let mut node = self.node;
        node.body = self.body.map(|body| serde_json::from_str(&body)).transpose()?;
        Ok(node)
    }
}

/// An edge with its properties as their text.
pub(crate) struct StoredEdge {
    pub(crate) source: NodeId,
    pub(crate) relation: Relation,
    pub(crate) target: NodeId,
    pub(crate) qualifier: String,
    pub(crate) properties: Option<String>,
}

/// What tells edges apart, in the order of the export: source, relation, target, qualifier.
pub(crate) type EdgeKey = (NodeId, &'static str, NodeId, String);

impl StoredEdge {
    /// See [`EdgeKey`].
    pub(crate) fn key(&self) -> EdgeKey {
        (
            self.source.clone(),
            self.relation.as_str(),
            self.target.clone(),
            self.qualifier.clone(),
        )
    }

    /// As [`StoredEdge::key`], borrowed: for sorting.
    pub(crate) fn place(&self) -> (&str, &'static str, &str, &str) {
        (
            self.source.as_str(),
            self.relation.as_str(),
            self.target.as_str(),
            &self.qualifier,
        )
    }

    /// With its properties.
    pub(crate) fn whole(self) -> serde_json::Result<EdgeRow> {
        let properties = match self.properties {
            Some(text) => serde_json::from_str(&text)?,
            None => Map::<String, Value>::new(),
        };
        Ok(EdgeRow {
            source: self.source,
            relation: self.relation,
            target: self.target,
            qualifier: self.qualifier,
            properties,
        })
    }
}
