//! The canonical text of a graph, and its digest.
//!
//! One line a node, by id, then one line an edge, by key; the members of each object sorted. What
//! a second scan of the same tenant would not find again is left out: generations, times, the source,
//! tombstones.

use std::fmt::Write as _;

use atg_models::canonical;
use atg_models::graph::Node;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::graph_rules::{StoredEdge, StoredNode};

/// SHA-256 over the lines, each with its line feed.
#[derive(Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    /// Takes the next line.
    pub(crate) fn line(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// Lower-case hex.
    pub(crate) fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A node's line.
pub(crate) fn node_line(stored: &StoredNode) -> String {
    let Node {
        tenant_id,
        id,
        display_id,
        kind,
        type_,
        api_version,
        name,
        subscription_id,
        resource_group,
        location,
        tags,
        body: _,
        observed,
        source: _,
        owner,
        observed_at: _,
    } = &stored.node;
    let rest = canonical::print(&json!({
        "display_id": display_id,
        "id": id,
        "kind": kind,
        "location": location,
        "name": name,
        "observed": observed,
        "owner": owner,
        "resource_group": resource_group,
        "subscription_id": subscription_id,
        "tags": tags,
        "tenant_id": tenant_id,
        "type": type_,
    }));
    // The body is canonical text already; parsing it only to print it again would be most of the work.
    let api_version = canonical::print(&json!(api_version));
    let body = stored.body.as_deref().unwrap_or("null");
    let members = rest.strip_prefix('{').unwrap_or(&rest);
    format!("{{\"api_version\":{api_version},\"body\":{body},{members}")
}

/// An edge's line.
pub(crate) fn edge_line(edge: &StoredEdge) -> String {
    let rest = canonical::print(&json!({
        "qualifier": edge.qualifier,
        "relation": edge.relation,
        "source": edge.source,
        "target": edge.target,
    }));
    let properties = edge.properties.as_deref().unwrap_or("{}");
    let members = rest.strip_prefix('{').unwrap_or(&rest);
    format!("{{\"properties\":{properties},{members}")
}
