//! Edges and the assertions that they rest on.

use std::collections::{BTreeMap, HashSet};

use atg_models::graph::{NodeKind, Relation};

use super::texts::{read_on_edge, relation};
use super::{Edit, Id, unwind};
use crate::neo4j::driver::{Outcome, Tx};

/// An edge's key within the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EdgeKey {
    pub(super) source: Id,
    pub(super) relation: Relation,
    pub(super) target: Id,
    pub(super) qualifier: String,
}

/// On whose word an assertion stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Mark {
    /// The body's own.
    Body,
    /// An answered look-up of the body.
    Lookup,
    /// A listing: the collection that renews it.
    Listing(Id),
}

/// Who asserts, and where. The first in order gives the edge its properties.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Assertion {
    pub(super) by: Id,
    pub(super) path: String,
    pub(super) mark: Mark,
}

/// What an assertion says beside its key. Kinds of ends stand only where the id does not prove them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) props: Option<String>,
    pub(super) source: Option<NodeKind>,
    pub(super) target: Option<NodeKind>,
}

/// Something that is to be done to an edge.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) key: EdgeKey,
    pub(super) assertion: Assertion,
    /// `None` takes the assertion back.
    pub(super) said: Option<Said>,
}

/// An edge of the working set.
#[derive(Debug, Default)]
pub(super) struct Edge {
    /// The server's name for it; `None` while it is not stored.
    pub(super) element: Option<String>,
    pub(super) was: BTreeMap<Assertion, Said>,
    pub(super) now: BTreeMap<Assertion, Said>,
}

impl Edge {
    /// Those of the smallest (body, path).
    pub(super) fn properties(&self) -> Option<&str> {
        let (first, _) = self.now.first_key_value()?;
        let same_place = self
            .now
            .iter()
            .take_while(|(assertion, _)| assertion.by == first.by && assertion.path == first.path);
        same_place.map(|(_, said)| said.props.as_deref()).min().flatten()
    }
}

impl Edit<'_> {
    /// Notes an assertion.
    pub(super) fn assert(&mut self, key: EdgeKey, assertion: Assertion, said: Said) {
        let said = Some(said);
        self.steps.push(Step { key, assertion, said });
    }

    /// Notes that an assertion is taken back.
    pub(super) fn retract(&mut self, key: EdgeKey, assertion: Assertion) {
        let said = None;
        self.steps.push(Step { key, assertion, said });
    }

    /// Takes the steps that were noted.
    pub(super) async fn take_steps(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        self.load_edges(tx).await?;
        for step in std::mem::take(&mut self.steps) {
            let Step { key, assertion, said } = step;
            match said {
                Some(said) => self.put(key, assertion, said),
                None => self.take_back(key, &assertion),
            }
        }
        Ok(())
    }

    /// Adds an assertion. A body and a listing replace what they said themselves; of two look-ups the smaller
    /// properties win, so that order does not matter.
    fn put(&mut self, key: EdgeKey, assertion: Assertion, mut said: Said) {
        let edge = self.edges.entry(key.clone()).or_default();
        if let Some(known) = edge.now.get(&assertion) {
            if assertion.mark == Mark::Lookup && known.props <= said.props {
                said.props.clone_from(&known.props);
            }
            if (known.source, known.target) != (said.source, said.target) {
                // Another kind may be stated of an end now.
                self.orphans.extend([key.source, key.target]);
            }
        }
        edge.now.insert(assertion, said);
    }

    /// Removes an assertion; the ends of its edge may be orphans now.
    fn take_back(&mut self, key: EdgeKey, assertion: &Assertion) {
        if let Some(edge) = self.edges.get_mut(&key) {
            edge.now.remove(assertion);
        }
        self.orphans.extend([assertion.by.clone(), key.source, key.target]);
    }

    /// Reads the edges that steps are noted for. One with an end that is not stored is not there.
    async fn load_edges(&mut self, tx: &mut Tx<'_>) -> Outcome<()> {
        const FIND: &str = "UNWIND $rows AS row
            MATCH (s:Entity {key: $prefix + row.source}) MATCH (d:Entity {key: $prefix + row.target})
            MATCH (s)-[r]->(d) WHERE type(r) = row.relation AND r.qualifier = row.qualifier
            RETURN row.source AS source, row.target AS target, row.relation AS relation, r.qualifier AS qualifier,
              elementId(r) AS element, r.asserted AS asserted";
        let mut wanted = HashSet::new();
        for Step { key, .. } in &self.steps {
            if !self.edges.contains_key(key) && self.nodes.may_have_edges(&key.source, &key.target) {
                wanted.insert(key);
            }
        }
        let rows = wanted.into_iter().map(|key| {
            vec![
                ("source", key.source.as_ref().into()),
                ("target", key.target.as_ref().into()),
                ("relation", key.relation.as_str().into()),
                ("qualifier", key.qualifier.as_str().into()),
            ]
        });
        let rows = rows.collect();
        for row in unwind(tx, FIND, &self.prefix, rows).await? {
            let key = EdgeKey {
                source: row.text("source")?.into(),
                relation: relation(&row.text("relation")?)?,
                target: row.text("target")?.into(),
                qualifier: row.text("qualifier")?,
            };
            let asserted: Vec<String> = row.get("asserted")?;
            let asserted = asserted.iter().map(|stored| read_on_edge(&key, stored));
            let was = asserted.collect::<Outcome<BTreeMap<_, _>>>()?;
            let now = was.clone();
            let element = Some(row.text("element")?);
            self.edges.insert(key, Edge { element, was, now });
        }
        Ok(())
    }
}
