//! Edges and the assertions that they rest on.

use std::collections::{HashMap, HashSet};

use atg_models::graph::{AssertedEdge, EdgeEnd, ListedEdge, NodeKind};
use rusqlite::{OptionalExtension as _, params};

use crate::graph_rules::properties;
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::edit::Edit;
use crate::sqlite::graph::prepare::Prepared;
use crate::sqlite::graph::schema::{BY_BODY, BY_LOOKUP, STUB};

/// Who asserts, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asserter {
    /// The asserting body's node.
    pub(super) by: i64,
    /// The path in it.
    pub(super) path: i64,
    /// [`BY_BODY`], [`BY_LOOKUP`], or the collection.
    pub(super) collection: i64,
}

/// An edge's columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct EdgeKey {
    pub(super) s: i64,
    pub(super) rel: i64,
    pub(super) d: i64,
    pub(super) qual: String,
}

/// What an assertion says beside its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) props: Option<String>,
    pub(super) s_kind: Option<i64>,
    pub(super) d_kind: Option<i64>,
}

impl Edit<'_> {
    /// Replaces what a body says: its edges, aliases and look-ups.
    pub(super) fn say(&mut self, k: i64, new: &Prepared, said_before: bool) -> Outcome<()> {
        let mut old = if said_before {
            self.body_assertions(k)?
        } else {
            HashMap::new()
        };
        for edge in &new.edges {
            let key = self.edge_key(edge)?;
            let path_k = self.session.word(&edge.path)?;
            let said = self.said(edge)?;
            let known = old.remove(&(key.clone(), path_k));
            if known.as_ref().is_some_and(|(_, known)| *known == said) {
                continue;
            }
            if known.is_some() {
                // Another kind may be stated of an end now.
                self.orphans.extend([key.s, key.d]);
            }
            let asserter = Asserter {
                by: k,
                path: path_k,
                collection: BY_BODY,
            };
            self.assert(&key, asserter, &said)?;
        }
        for ((_, path_k), (e, _)) in old {
            let asserter = Asserter {
                by: k,
                path: path_k,
                collection: BY_BODY,
            };
            self.retract(e, asserter)?;
        }
        if said_before {
            self.drop_names(k)?;
        }
        self.publish(k, &new.aliases)?;
        self.ask(k, &new.lookups)
    }

    /// Takes back all that a body says, when it is gone.
    pub(super) fn unsay(&mut self, k: i64) -> Outcome<()> {
        for ((_, path_k), (e, _)) in self.body_assertions(k)? {
            let asserter = Asserter {
                by: k,
                path: path_k,
                collection: BY_BODY,
            };
            self.retract(e, asserter)?;
        }
        self.drop_names(k)
    }

    /// Renews or adds an edge that a listing states.
    pub(super) fn list(&mut self, listed: &ListedEdge, coll_k: i64) -> Outcome<()> {
        let key = self.edge_key(&listed.edge)?;
        let by_k = match self.row(&listed.by)? {
            Some(row) => row.k,
            None => self.insert_stub(&listed.by, NodeKind::Stub, None)?,
        };
        let path_k = self.session.word(&listed.edge.path)?;
        let said = self.said(&listed.edge)?;
        let asserter = Asserter {
            by: by_k,
            path: path_k,
            collection: coll_k,
        };
        self.assert(&key, asserter, &said)?;
        for end in [&listed.edge.source, &listed.edge.target] {
            // Its kind may be stated otherwise than before.
            if let Some(row) = self.row(&end.id)?
                && row.state == STUB
            {
                self.orphans.insert(row.k);
            }
        }
        Ok(())
    }

    /// Adds an assertion, and its edge if it is the first. A body replaces what it said itself; of two
    /// look-ups, and of two rows of a listing in one generation, the smaller properties win, so that
    /// order does not matter.
    pub(super) fn assert(&mut self, key: &EdgeKey, asserter: Asserter, said: &Said) -> Outcome<()> {
        let e = self.edge(key)?;
        let Asserter { by, path, collection } = asserter;
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO assertion(e, by_k, path_k, coll_k, gen, s_kind, d_kind, props)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT(e, by_k, path_k, coll_k) DO UPDATE SET
               props = CASE WHEN coll_k = 0 OR (coll_k > 0 AND gen < excluded.gen)
                   OR coalesce(excluded.props, '') < coalesce(props, '')
                 THEN excluded.props ELSE props END,
               s_kind = excluded.s_kind, d_kind = excluded.d_kind, gen = excluded.gen",
        )?;
        insert.execute(params![
            e,
            by,
            path,
            collection,
            self.generation,
            said.s_kind,
            said.d_kind,
            said.props
        ])?;
        Ok(())
    }

    /// Removes an assertion, and its edge if it was the last.
    pub(super) fn retract(&mut self, e: i64, asserter: Asserter) -> Outcome<()> {
        let Asserter { by, path, collection } = asserter;
        let mut delete = self
            .session
            .connection
            .prepare_cached("DELETE FROM assertion WHERE e = ?1 AND by_k = ?2 AND path_k = ?3 AND coll_k = ?4")?;
        delete.execute(params![e, by, path, collection])?;
        drop(delete);
        self.drop_bare_edge(e)?;
        self.orphans.insert(by);
        Ok(())
    }

    /// Removes an edge that nothing asserts any more; its ends may be orphans now.
    pub(super) fn drop_bare_edge(&mut self, e: i64) -> Outcome<()> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT s, d, EXISTS(SELECT 1 FROM assertion WHERE e = ?1) FROM edge WHERE e = ?1")?;
        let found: Option<(i64, i64, bool)> = find
            .query_row([e], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        drop(find);
        let Some((s, d, asserted)) = found else {
            return Ok(());
        };
        self.orphans.extend([s, d]);
        if !asserted {
            let mut delete = self
                .session
                .connection
                .prepare_cached("DELETE FROM edge WHERE e = ?1")?;
            delete.execute([e])?;
        }
        Ok(())
    }

    /// What an assertion keeps of an edge.
    fn said(&mut self, edge: &AssertedEdge) -> Outcome<Said> {
        Ok(Said {
            props: properties(&edge.properties),
            s_kind: self.stated_kind(&edge.source)?,
            d_kind: self.stated_kind(&edge.target)?,
        })
    }

    fn edge_key(&mut self, edge: &AssertedEdge) -> Outcome<EdgeKey> {
        let AssertedEdge {
            source,
            relation,
            target,
            qualifier,
            path: _,
            properties: _,
        } = edge;
        self.key_between(source, relation.as_str(), target, qualifier)
    }

    fn key_between(&mut self, source: &EdgeEnd, relation: &str, target: &EdgeEnd, qual: &str) -> Outcome<EdgeKey> {
        Ok(EdgeKey {
            s: self.end(source)?,
            rel: self.session.word(relation)?,
            d: self.end(target)?,
            qual: qual.to_owned(),
        })
    }

    fn edge(&mut self, key: &EdgeKey) -> Outcome<i64> {
        let EdgeKey { s, rel, d, qual } = key;
        let mut insert = self
            .session
            .connection
            .prepare_cached("INSERT OR IGNORE INTO edge(s, rel, d, qual) VALUES (?1, ?2, ?3, ?4)")?;
        if insert.execute(params![s, rel, d, qual])? > 0 {
            return Ok(self.session.connection.last_insert_rowid());
        }
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT e FROM edge WHERE s = ?1 AND rel = ?2 AND d = ?3 AND qual = ?4")?;
        Ok(find.query_row(params![s, rel, d, qual], |row| row.get(0))?)
    }

    /// What a body asserted itself, by edge and path.
    fn body_assertions(&self, k: i64) -> Outcome<HashMap<(EdgeKey, i64), (i64, Said)>> {
        let mut find = self.session.connection.prepare_cached(
            "SELECT g.e, g.s, g.rel, g.d, g.qual, a.path_k, a.props, a.s_kind, a.d_kind
             FROM assertion a JOIN edge g ON g.e = a.e WHERE a.by_k = ?1 AND a.coll_k = ?2",
        )?;
        let rows = find.query_map(params![k, BY_BODY], |row| {
            let key = EdgeKey {
                s: row.get(1)?,
                rel: row.get(2)?,
                d: row.get(3)?,
                qual: row.get(4)?,
            };
            let said = Said {
                props: row.get(6)?,
                s_kind: row.get(7)?,
                d_kind: row.get(8)?,
            };
            Ok(((key, row.get(5)?), (row.get(0)?, said)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes a body's aliases and look-ups, and the edges that rested on the latter.
    fn drop_names(&mut self, k: i64) -> Outcome<()> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT kind_k, value FROM alias WHERE k = ?1 AND t = ?2")?;
        let names = find
            .query_map(params![k, self.t], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<HashSet<(i64, String)>, _>>()?;
        drop(find);
        if !names.is_empty() {
            let mut delete = self
                .session
                .connection
                .prepare_cached("DELETE FROM alias WHERE k = ?1")?;
            delete.execute([k])?;
            drop(delete);
            self.aliases.extend(names);
        }
        let mut delete = self
            .session
            .connection
            .prepare_cached("DELETE FROM lookup WHERE by_k = ?1")?;
        if delete.execute([k])? == 0 {
            return Ok(());
        }
        drop(delete);
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT e, path_k FROM assertion WHERE by_k = ?1 AND coll_k = ?2")?;
        let rested = find
            .query_map(params![k, BY_LOOKUP], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(i64, i64)>, _>>()?;
        drop(find);
        for (e, path_k) in rested {
            let asserter = Asserter {
                by: k,
                path: path_k,
                collection: BY_LOOKUP,
            };
            self.retract(e, asserter)?;
        }
        Ok(())
    }
}
