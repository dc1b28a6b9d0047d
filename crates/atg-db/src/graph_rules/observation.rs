//! What can be done of an observation before its transaction: printing and hashing.

use atg_models::canonical;
use atg_models::graph::{Alias, AssertedEdge, EdgeEnd, Lookup, Node, Observation};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::graph_rules::too_large;
use crate::limits;

/// An observation, ready to be written. `B` is a body as the backend stores it.
pub(crate) struct Prepared<B = String> {
    /// Without its body.
    pub(crate) node: Node,
    /// Its tags as JSON; `None` when it has none.
    pub(crate) tags: Option<String>,
    /// Its body.
    pub(crate) body: Option<B>,
    /// What a rescan of an unchanged thing finds again.
    pub(crate) hash: [u8; 32],
    /// What its body says of other things.
    pub(crate) said: [u8; 32],
    pub(crate) edges: Vec<AssertedEdge>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) lookups: Vec<Lookup>,
}

/// Prepares one observation; its body is canonical text.
pub(crate) fn prepare(observation: Observation) -> Result<Prepared, StoreError> {
    let Observation {
        mut node,
        edges,
        aliases,
        lookups,
    } = observation;
    // The body is printed once, for its hash and for the row.
    let body = node.body.take().map(|body| canonical::print(&body));
    too_large("body", body.as_ref().map_or(0, String::len), limits::BODY_BYTES)?;
    let mut hash = Sha256::new_with_prefix(node.content_hash());
    hash.update(body.as_deref().unwrap_or_default());
    let hash = hash.finalize().into();
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

impl<B> Prepared<B> {
    /// With its body in another form.
    pub(crate) fn map_body<C>(self, map: impl FnOnce(B) -> C) -> Prepared<C> {
        let Self {
            node,
            tags,
            body,
            hash,
            said,
            edges,
            aliases,
            lookups,
        } = self;
        Prepared {
            node,
            tags,
            body: body.map(map),
            hash,
            said,
            edges,
            aliases,
            lookups,
        }
    }
}

/// Properties as they are stored: canonical text, nothing for none.
pub(crate) fn properties(properties: &Map<String, Value>) -> Option<String> {
    (!properties.is_empty()).then(|| canonical::print(&Value::Object(properties.clone())))
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
