//! A document in the making: takes the snapshot, the edges, and the snapshot again. Pure.
//!
//! The order is the same whatever the form of the document is, so that placeholders are too.

use std::collections::BTreeSet;

use atg_db::EdgeRow;
use atg_models::TenantId;
use atg_models::api::GenerateSpecRequest;
use atg_models::graph::Node;

use super::access::Access;
use super::body::Words;
use super::describe::{Described, Relationships, describe};
use super::names::{KEY_BYTES, Names};
use super::outline::Outline;
use super::value::Values;

/// What a document is made of.
pub(super) struct Draft {
    pub(super) names: Names,
    pub(super) outline: Outline,
    pub(super) access: Access,
    pub(super) described: Vec<Described>,
    /// Stands for the tenant's domain.
    pub(super) domain: Option<String>,
    relationships: Relationships,
    words: Words,
}

impl Draft {
    /// One that nothing was read for.
    pub(super) fn new(key: &[u8; KEY_BYTES], tenant: TenantId, request: &GenerateSpecRequest) -> Self {
        let mut names = Names::new(key);
        let domain = request.domain_name.as_deref().map(plain);
        let tenant = names.thing("tenant", &format!("tenant:{tenant}"));
        let limit = request.limit.unwrap_or(u64::MAX);
        Self {
            outline: Outline::new(tenant, limit, domain.clone()),
            names,
            access: Access::default(),
            described: Vec::new(),
            domain,
            relationships: Relationships::new(),
            words: Words::default(),
        }
    }

    /// First: every node, by id.
    pub(super) fn outline(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.outline.add(&mut self.names, node);
        }
    }

    /// Second: every edge.
    pub(super) fn edges(&mut self, rows: &[EdgeRow]) {
        for row in rows {
            let ends = (
                self.outline.find(&self.names, row.source.as_str()),
                self.outline.find(&self.names, row.target.as_str()),
            );
            // Regions and tags are no things of the document.
            let (Some((source, entry)), Some((target, _))) = ends else {
                continue;
            };
            self.access.add(&self.outline, source, row.relation, target);
            if entry.described {
                self.relationships
                    .entry(source)
                    .or_default()
                    .push((row.relation, target));
            }
        }
    }

    /// Third: every node again, by id.
    pub(super) fn describe(&mut self, nodes: &[Node]) {
        for node in nodes {
            let found = self.outline.find(&self.names, node.id.as_str());
            let Some((at, _)) = found.filter(|(_, entry)| entry.described) else {
                continue;
            };
            // Several edges of one relation between the same ends are told once.
            let related = self.relationships.remove(&at).unwrap_or_default();
            let related: BTreeSet<_> = related.into_iter().collect();
            let mut values = Values {
                names: &mut self.names,
                outline: &self.outline,
                domain: self.domain.as_deref(),
            };
            self.described
                .push(describe(at, node, &related, &mut self.words, &mut values));
        }
    }
}

/// A domain is the caller's own text: it must not become markup.
fn plain(domain: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    domain.chars().filter(|c| harmless(*c)).collect()
}
