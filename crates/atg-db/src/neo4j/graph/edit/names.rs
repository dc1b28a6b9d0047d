//! The names that bodies publish, and the look-ups that ask for them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use atg_models::graph::{Alias, EdgeEnd, EndDirection, Lookup, Relation};

use super::edges::{Assertion, EdgeKey, Mark};
use super::texts::relation;
use super::{Edit, Id, unwind};
use crate::graph_rules::{alias_value, properties};
use crate::neo4j::driver::{Outcome, Row, Trouble, Tx, Value};

/// Whether a node publishes an alias: before, and now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Published {
    pub(super) was: bool,
    pub(super) now: bool,
}

/// A look-up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Its key within the tenant: the body, and its number there.
    pub(super) key: String,
    pub(super) alias: Id,
    pub(super) by: Id,
    pub(super) relation: Relation,
    pub(super) to_found: bool,
    pub(super) qualifier: String,
    pub(super) path: String,
    pub(super) props: Option<String>,
    /// `None` where the body itself is the known end. It gets a node when the edge does.
    pub(super) anchor: Option<EdgeEnd>,
    pub(super) found: Option<Id>,
}

/// Aliases and look-ups of the working set.
#[derive(Default)]
pub(super) struct Names {
    pub(super) aliases: BTreeMap<(Id, Id), Published>,
    /// The aliases of a node among these.
    of: HashMap<Id, BTreeSet<Id>>,
    /// Look-ups as they are stored, by key.
    pub(super) stored: HashMap<String, Asked>,
    /// Look-ups as they are to be, by key.
    pub(super) asked: BTreeMap<String, Asked>,
    /// The keys of those that are to be answered anew.
    pub(super) fresh: Vec<String>,
    /// The keys that a body asks under.
    by: HashMap<Id, Vec<String>>,
}

/// Names of nodes, as far as they are looked for.
pub(in crate::neo4j::graph) type Named = BTreeSet<Id>;

impl Names {
    fn alias(&mut self, alias: Id, of: &Id) -> &mut Published {
        self.of.entry(of.clone()).or_default().insert(alias.clone());
        self.aliases.entry((alias, of.clone())).or_default()
    }

    /// A stored look-up. One that is known already stays as the change has made it.
    pub(super) fn add_stored(&mut self, asked: Asked) {
        if self.stored.contains_key(&asked.key) {
            return;
        }
        self.stored.insert(asked.key.clone(), asked.clone());
        self.by.entry(asked.by.clone()).or_default().push(asked.key.clone());
        self.asked.insert(asked.key.clone(), asked);
    }

    /// The look-ups of a body.
    pub(super) fn asked_by(&self, id: &Id) -> impl Iterator<Item = &Asked> {
        let keys = self.by.get(id).into_iter().flatten();
        keys.filter_map(|key| self.asked.get(key))
    }

    /// Aliases whose publishers change.
    pub(super) fn touched(&self) -> BTreeSet<Id> {
        let changed = self
            .aliases
            .iter()
            .filter(|(_, published)| published.was != published.now);
        changed.map(|((alias, _), _)| alias.clone()).collect()
    }
}

impl Asked {
    /// The edge that rests on it when `found` answers.
    pub(super) fn edge_to(&self, found: &Id) -> EdgeKey {
        let known = match &self.anchor {
            Some(anchor) => Id::from(anchor.id.as_str()),
            None => self.by.clone(),
        };
        let (source, target) = if self.to_found {
            (known, found.clone())
        } else {
            (found.clone(), known)
        };
        EdgeKey {
            source,
            relation: self.relation,
            target,
            qualifier: self.qualifier.clone(),
        }
    }

    pub(super) fn assertion(&self) -> Assertion {
        Assertion {
            by: self.by.clone(),
            path: self.path.clone(),
            mark: Mark::Lookup,
        }
    }

    /// Whether both rest on the same edge, by the same body and path, when they have the same answer.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.by == other.by
            && self.path == other.path
            && self.relation == other.relation
            && self.to_found == other.to_found
            && self.qualifier == other.qualifier
            && self.anchor == other.anchor
    }
}

impl Edit<'_> {
    /// Takes up the names under which a body can be found.
    pub(super) fn publish(&mut self, id: &Id, aliases: &[Alias]) {
        for alias in aliases {
            self.names.alias(alias_text(alias), id).now = true;
        }
    }

    /// Takes up a body's look-ups; they are answered at the end of the change.
    pub(super) fn ask(&mut self, id: &Id, lookups: &[Lookup]) {
        for (lookup, number) in lookups.iter().zip(0_u32..) {
            let Lookup {
                alias,
                anchor,
                relation,
                direction,
                qualifier,
                path,
                properties: map,
            } = lookup;
            let key = format!("{id}\n{number:04}");
            let asked = Asked {
                key: key.clone(),
                alias: alias_text(alias),
                by: id.clone(),
                relation: *relation,
                to_found: matches!(direction, EndDirection::ToFound),
                qualifier: qualifier.clone(),
                path: path.clone(),
                props: properties(map),
                anchor: (anchor.id.as_str() != id.as_ref()).then(|| anchor.clone()),
                found: None,
            };
            self.names.by.entry(id.clone()).or_default().push(key.clone());
            self.names.asked.insert(key.clone(), asked);
            self.names.fresh.push(key);
        }
    }

    /// Drops a body's aliases and look-ups, and the edges that rested on the latter.
    pub(super) fn drop_names(&mut self, id: &Id) {
        for alias in self.names.of.get(id).cloned().unwrap_or_default() {
            self.names.alias(alias, id).now = false;
        }
        for key in self.names.by.remove(id).unwrap_or_default() {
            let Some(asked) = self.names.asked.remove(&key) else {
                continue;
            };
            if let Some(found) = &asked.found {
                self.retract(asked.edge_to(found), asked.assertion());
            }
        }
    }

    /// Reads the aliases and look-ups of bodies that may be replaced.
    pub(in crate::neo4j::graph) async fn load_names(&mut self, tx: &mut Tx<'_>, of: &Named) -> Outcome<()> {
        const ALIASES: &str = "UNWIND $rows AS row MATCH (a:Alias {of: $prefix + row.id})
            RETURN row.id AS id, substring(a.alias, size($prefix)) AS alias";
        let rows = of.iter().map(|id| vec![("id", id.as_ref().into())]).collect();
        for row in unwind(tx, ALIASES, &self.prefix, rows).await? {
            let id = self.nodes.id(&row.text("id")?);
            let published = self.names.alias(row.text("alias")?.into(), &id);
            published.was = true;
            published.now = true;
        }
        self.load_lookups_of(tx, of).await
    }

    /// Reads the look-ups of bodies.
    pub(super) async fn load_lookups_of(&mut self, tx: &mut Tx<'_>, of: &Named) -> Outcome<()> {
        const LOOKUPS: &str = "UNWIND $rows AS row MATCH (l:Lookup {by: $prefix + row.id})
            RETURN substring(l.key, size($prefix)) AS key, substring(l.alias, size($prefix)) AS alias,
              substring(l.by, size($prefix)) AS by, l.relation AS relation, l.to_found AS to_found,
              l.qualifier AS qualifier, l.path AS path, l.props AS props, l.anchor AS anchor, l.found AS found";
        let rows = of.iter().map(|id| vec![("id", id.as_ref().into())]).collect();
        for row in unwind(tx, LOOKUPS, &self.prefix, rows).await? {
            self.names.add_stored(read(&row)?);
        }
        Ok(())
    }

    /// Reads who asks for aliases.
    pub(super) async fn load_askers(&mut self, tx: &mut Tx<'_>, aliases: &BTreeSet<Id>) -> Outcome<()> {
        const ASKERS: &str = "UNWIND $rows AS row MATCH (l:Lookup {alias: $prefix + row.alias})
            RETURN substring(l.key, size($prefix)) AS key, substring(l.alias, size($prefix)) AS alias,
              substring(l.by, size($prefix)) AS by, l.relation AS relation, l.to_found AS to_found,
              l.qualifier AS qualifier, l.path AS path, l.props AS props, l.anchor AS anchor, l.found AS found";
        let rows = aliases.iter().map(|alias| vec![("alias", alias.as_ref().into())]);
        let rows = rows.collect();
        for row in unwind(tx, ASKERS, &self.prefix, rows).await? {
            self.names.add_stored(read(&row)?);
        }
        Ok(())
    }

    /// The nodes that publish aliases, after this change.
    pub(super) async fn publishers(
        &self,
        tx: &mut Tx<'_>,
        aliases: &HashSet<Id>,
    ) -> Outcome<HashMap<Id, BTreeSet<Id>>> {
        const PUBLISHERS: &str = "UNWIND $rows AS row MATCH (a:Alias {alias: $prefix + row.alias})
            RETURN row.alias AS alias, substring(a.of, size($prefix)) AS id";
        let rows = aliases.iter().map(|alias| vec![("alias", alias.as_ref().into())]);
        let rows = rows.collect();
        let mut publishers: HashMap<Id, BTreeSet<Id>> = HashMap::new();
        for row in unwind(tx, PUBLISHERS, &self.prefix, rows).await? {
            let of = publishers.entry(row.text("alias")?.into()).or_default();
            of.insert(row.text("id")?.into());
        }
        for ((alias, id), published) in &self.names.aliases {
            let of = publishers.entry(alias.clone()).or_default();
            if published.now {
                of.insert(id.clone());
            } else {
                of.remove(id);
            }
        }
        Ok(publishers)
    }
}

/// An alias as it is stored within the tenant. No kind holds a line feed. A name beyond what an index takes
/// stands by its hash.
fn alias_text(alias: &Alias) -> Id {
    let Alias { kind, value } = alias;
    format!("{}\n{}", kind.0, alias_value(value)).into()
}

fn read(row: &Row) -> Outcome<Asked> {
    let anchor: Option<String> = row.maybe("anchor")?;
    Ok(Asked {
        key: row.text("key")?,
        alias: row.text("alias")?.into(),
        by: row.text("by")?.into(),
        relation: relation(&row.text("relation")?)?,
        to_found: row.get("to_found")?,
        qualifier: row.text("qualifier")?,
        path: row.text("path")?,
        props: row.maybe("props")?,
        anchor: anchor.map(|anchor| serde_json::from_str(&anchor)).transpose()?,
        found: row.maybe::<String>("found")?.map(Id::from),
    })
}

/// The stored text of an anchor.
pub(super) fn anchor_text(anchor: Option<&EdgeEnd>) -> Outcome<Value> {
    let text = anchor.map(serde_json::to_string).transpose().map_err(Trouble::from)?;
    Ok(text.into())
}
