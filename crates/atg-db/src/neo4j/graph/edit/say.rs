//! What bodies and listings say of other things.

use atg_models::graph::{AssertedEdge, CollectionKey, EdgeEnd, ListedEdge, NodeKind};
use sha2::{Digest as _, Sha256};

use super::edges::{Assertion, EdgeKey, Mark, Said};
use super::nodes::{State, Words, stated_kind};
use super::texts::{kind_of, read_on_node, relation};
use super::{Edit, Id, unwind};
use crate::graph_rules::{Prepared, hex, properties};
use crate::neo4j::driver::{Outcome, Statement, Tx};

/// What a listing states: an edge, by whom and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ListedKey {
    pub(super) edge: EdgeKey,
    pub(super) by: Id,
    pub(super) path: String,
    pub(super) collection: Id,
}

/// A listed edge of the working set: the generation that saw it last, and what it said.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    pub(super) was: Option<(i64, Said)>,
    pub(super) now: Option<(i64, Said)>,
}

impl ListedKey {
    /// Its key within the tenant.
    pub(super) fn text(&self) -> String {
        let EdgeKey {
            source,
            relation,
            target,
            qualifier,
        } = &self.edge;
        let mut hash = Sha256::new();
        for text in [
            &self.collection,
            source,
            relation.as_str(),
            target,
            qualifier,
            &self.by,
            &self.path,
        ] {
            hash.update(text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        hex(&hash.finalize())
    }

    pub(super) fn assertion(&self) -> Assertion {
        Assertion {
            by: self.by.clone(),
            path: self.path.clone(),
            mark: Mark::Listing(self.collection.clone()),
        }
    }
}

impl Edit<'_> {
    /// Replaces what a body says: its edges, aliases and look-ups.
    pub(super) fn say(&mut self, id: &Id, new: &Prepared, said_before: bool) -> Outcome<()> {
        let mut old = if said_before { self.words(id)? } else { Words::new() };
        let mut words = Words::new();
        for edge in &new.edges {
            let key = self.edge_key(edge)?;
            let said = said(edge);
            let place = (key.clone(), edge.path.clone());
            let known = old.remove(&place);
            if known.as_ref() != Some(&said) {
                if known.is_some() {
                    // Another kind may be stated of an end now.
                    self.orphans.extend([key.source.clone(), key.target.clone()]);
                }
                self.assert(key, by_body(id, &edge.path), said.clone());
            }
            words.insert(place, said);
        }
        for ((key, path), _) in old {
            self.retract(key, by_body(id, &path));
        }
        self.nodes.get(id)?.words = Some(words);
        if said_before {
            self.drop_names(id);
        }
        self.publish(id, &new.aliases);
        self.ask(id, &new.lookups);
        Ok(())
    }

    /// Takes back all that a body says, when it is gone.
    pub(super) fn unsay(&mut self, id: &Id) -> Outcome<()> {
        for ((key, path), _) in self.words(id)? {
            self.retract(key, by_body(id, &path));
        }
        self.nodes.get(id)?.words = Some(Words::new());
        self.drop_names(id);
        Ok(())
    }

    /// Renews or adds an edge that a listing states. Of two rows of one generation the smaller properties win.
    pub(in crate::neo4j::graph) fn list(&mut self, listed: &ListedEdge, collection: &Id) -> Outcome<()> {
        let edge = self.edge_key(&listed.edge)?;
        let by = self.nodes.id(listed.by.as_str());
        let node = self.nodes.get(&by)?;
        if node.now.state == State::Absent {
            node.make_stub(&listed.by, NodeKind::Stub, None);
        }
        let key = ListedKey {
            edge,
            by,
            path: listed.edge.path.clone(),
            collection: collection.clone(),
        };
        let mut said = said(&listed.edge);
        let generation = self.held.generation;
        let known = self.listed.entry(key.clone()).or_default();
        let same = match &known.now {
            Some((seen, before)) => {
                if *seen == generation && before.props <= said.props {
                    said.props.clone_from(&before.props);
                }
                *before == said
            }
            None => false,
        };
        known.now = Some((generation, said.clone()));
        if !same {
            self.assert(key.edge.clone(), key.assertion(), said);
        }
        Ok(())
    }

    /// Takes back edges that a listing stated and this generation did not renew; how many, at most `limit`.
    pub(in crate::neo4j::graph) async fn unlist_unrenewed(
        &mut self,
        tx: &mut Tx<'_>,
        collection: &CollectionKey,
        limit: u32,
    ) -> Outcome<u64> {
        const FIND: &str = "MATCH (l:Listed) WHERE l.collection = $collection AND l.gen < $gen
            RETURN l.source AS source, l.relation AS relation, l.target AS target, l.qualifier AS qualifier,
              substring(l.by, size($prefix)) AS by, l.path AS path LIMIT $limit";
        let statement = Statement::new(FIND)
            .with("collection", format!("{}{collection}", self.prefix))
            .with("gen", self.held.generation)
            .with("prefix", self.prefix.as_str())
            .with("limit", limit);
        let mut count = 0;
        for row in tx.run(statement).await? {
            let key = ListedKey {
                edge: EdgeKey {
                    source: row.text("source")?.into(),
                    relation: relation(&row.text("relation")?)?,
                    target: row.text("target")?.into(),
                    qualifier: row.text("qualifier")?,
                },
                by: row.text("by")?.into(),
                path: row.text("path")?,
                collection: collection.as_str().into(),
            };
            self.retract(key.edge.clone(), key.assertion());
            self.listed.insert(key, Listed::default());
            count += 1;
        }
        Ok(count)
    }

    /// Reads what is stored of the edges of a page's listing.
    pub(in crate::neo4j::graph) async fn load_listed(
        &mut self,
        tx: &mut Tx<'_>,
        listed: &[ListedEdge],
        collection: &Id,
    ) -> Outcome<()> {
        const FIND: &str = "UNWIND $rows AS row MATCH (l:Listed {key: $prefix + row.key})
            RETURN row.i AS i, l.gen AS gen, l.props AS props, l.source_kind AS source_kind,
              l.target_kind AS target_kind";
        let keys: Vec<ListedKey> = listed.iter().map(|listed| listed_key(listed, collection)).collect();
        let rows = keys.iter().zip(0_i64..);
        let rows = rows.map(|(key, i)| vec![("i", i.into()), ("key", key.text().into())]);
        let rows = rows.collect();
        for row in unwind(tx, FIND, &self.prefix, rows).await? {
            let at = usize::try_from(row.get::<i64>("i")?).unwrap_or(usize::MAX);
            let Some(key) = keys.get(at) else { continue };
            let kind = |column| -> Outcome<Option<NodeKind>> {
                row.maybe::<String>(column)?.map(|name| kind_of(&name)).transpose()
            };
            let said = Said {
                props: row.maybe("props")?,
                source: kind("source_kind")?,
                target: kind("target_kind")?,
            };
            let was = Some((row.get("gen")?, said));
            let now = was.clone();
            self.listed.insert(key.clone(), Listed { was, now });
        }
        Ok(())
    }

    /// What a body says now.
    fn words(&mut self, id: &Id) -> Outcome<Words> {
        let node = self.nodes.get(id)?;
        match node.words.take() {
            Some(words) => Ok(words),
            None => node.said_before.iter().map(|stored| read_on_node(id, stored)).collect(),
        }
    }

    fn edge_key(&mut self, edge: &AssertedEdge) -> Outcome<EdgeKey> {
        Ok(EdgeKey {
            source: self.nodes.end(&edge.source)?,
            relation: edge.relation,
            target: self.nodes.end(&edge.target)?,
            qualifier: edge.qualifier.clone(),
        })
    }
}

fn by_body(id: &Id, path: &str) -> Assertion {
    Assertion {
        by: id.clone(),
        path: path.to_owned(),
        mark: Mark::Body,
    }
}

/// What an assertion keeps of an edge.
fn said(edge: &AssertedEdge) -> Said {
    Said {
        props: properties(&edge.properties),
        source: stated_kind(&edge.source),
        target: stated_kind(&edge.target),
    }
}

fn listed_key(listed: &ListedEdge, collection: &Id) -> ListedKey {
    let end = |end: &EdgeEnd| Id::from(end.id.as_str());
    let edge = &listed.edge;
    ListedKey {
        edge: EdgeKey {
            source: end(&edge.source),
            relation: edge.relation,
            target: end(&edge.target),
            qualifier: edge.qualifier.clone(),
        },
        by: Id::from(listed.by.as_str()),
        path: edge.path.clone(),
        collection: collection.clone(),
    }
}
