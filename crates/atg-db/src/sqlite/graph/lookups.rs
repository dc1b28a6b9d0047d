//! Joining look-ups with aliases, in the transaction in which the second of them arrives.
//!
//! An alias answers when exactly one node publishes it. What changed in a transaction is judged
//! once, at its end, so the outcome does not depend on the order within it either.

use atg_models::graph::{Alias, EdgeEnd, EndDirection, Lookup};
use rusqlite::{OptionalExtension as _, params};

use crate::graph_rules::{alias_value, properties};
use crate::sqlite::fault::{Fault, Outcome};
use crate::sqlite::graph::assert::{Asserter, EdgeKey, Said};
use crate::sqlite::graph::edit::Edit;
use crate::sqlite::graph::schema::BY_LOOKUP;

/// A stored look-up.
struct Asked {
    l: i64,
    kind_k: i64,
    value: String,
    by_k: i64,
    rel: i64,
    to_found: bool,
    qual: String,
    path_k: i64,
    props: Option<String>,
    anchor: Option<String>,
    found_k: Option<i64>,
}

const COLUMNS: &str = "l, kind_k, value, by_k, rel, to_found, qual, path_k, props, anchor, found_k";

impl Edit<'_> {
    /// Stores the names under which a body can be found.
    pub(super) fn publish(&mut self, k: i64, aliases: &[Alias]) -> Outcome<()> {
        for Alias { kind, value } in aliases {
            let kind_k = self.session.word(&kind.0)?;
            let value = alias_value(value).into_owned();
            let mut insert = self
                .session
                .connection
                .prepare_cached("INSERT OR IGNORE INTO alias(t, kind_k, value, k) VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![self.t, kind_k, value, k])?;
            drop(insert);
            self.aliases.insert((kind_k, value));
        }
        Ok(())
    }

    /// Stores a body's look-ups; they are answered at the end of the transaction.
    pub(super) fn ask(&mut self, k: i64, lookups: &[Lookup]) -> Outcome<()> {
        for lookup in lookups {
            let Lookup {
                alias,
                anchor,
                relation,
                direction,
                qualifier,
                path,
                properties: map,
            } = lookup;
            let kind_k = self.session.word(&alias.kind.0)?;
            let rel = self.session.word(relation.as_str())?;
            let path_k = self.session.word(path)?;
            let is_body = self.row(&anchor.id)?.is_some_and(|row| row.k == k);
            // The anchor is kept as text: it gets a node when the edge does.
            let anchor = (!is_body).then(|| serde_json::to_string(anchor)).transpose()?;
            let mut insert = self.session.connection.prepare_cached(
                "INSERT INTO lookup(t, kind_k, value, by_k, rel, to_found, qual, path_k, props, anchor)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            let l = insert.insert(params![
                self.t,
                kind_k,
                alias_value(&alias.value),
                k,
                rel,
                matches!(direction, EndDirection::ToFound),
                qualifier,
                path_k,
                properties(map),
                anchor
            ])?;
            drop(insert);
            self.lookups.push(l);
        }
        Ok(())
    }

    /// Answers what can be answered now, and takes back what no longer holds.
    pub(super) fn answer_lookups(&mut self) -> Outcome<()> {
        for (kind_k, value) in std::mem::take(&mut self.aliases) {
            let found = self.publisher(kind_k, &value)?;
            for asked in self.asked_by_alias(kind_k, &value)? {
                self.answer(asked, found)?;
            }
        }
        for l in std::mem::take(&mut self.lookups) {
            if let Some(asked) = self.asked(l)? {
                let found = self.publisher(asked.kind_k, &asked.value)?;
                self.answer(asked, found)?;
            }
        }
        Ok(())
    }

    /// The one node that publishes an alias; `None` when there is none, or more than one.
    fn publisher(&self, kind_k: i64, value: &str) -> Outcome<Option<i64>> {
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT k FROM alias WHERE t = ?1 AND kind_k = ?2 AND value = ?3 LIMIT 2")?;
        let found = find
            .query_map(params![self.t, kind_k, value], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        match found.as_slice() {
            [one] => Ok(Some(*one)),
            [] | [_, ..] => Ok(None),
        }
    }

    fn answer(&mut self, asked: Asked, found: Option<i64>) -> Outcome<()> {
        if asked.found_k == found {
            return Ok(());
        }
        let mut update = self
            .session
            .connection
            .prepare_cached("UPDATE lookup SET found_k = ?2 WHERE l = ?1")?;
        update.execute(params![asked.l, found])?;
        drop(update);
        let asserter = Asserter {
            by: asked.by_k,
            path: asked.path_k,
            collection: BY_LOOKUP,
        };
        if let Some(old) = asked.found_k
            && !self.is_said_otherwise(&asked, old)?
        {
            let key = self.edge_of(&asked, old)?;
            let mut find = self
                .session
                .connection
                .prepare_cached("SELECT e FROM edge WHERE s = ?1 AND rel = ?2 AND d = ?3 AND qual = ?4")?;
            let e: Option<i64> = find
                .query_row(params![key.s, key.rel, key.d, key.qual], |row| row.get(0))
                .optional()?;
            drop(find);
            if let Some(e) = e {
                self.retract(e, asserter)?;
            }
        }
        if let Some(found) = found {
            let key = self.edge_of(&asked, found)?;
            let said = Said {
                props: asked.props,
                s_kind: None,
                d_kind: None,
            };
            self.assert(&key, asserter, &said)?;
        }
        Ok(())
    }

    /// Whether another look-up of the same body and path rests on the same edge.
    fn is_said_otherwise(&self, asked: &Asked, found: i64) -> Outcome<bool> {
        let mut find = self.session.connection.prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM lookup WHERE by_k = ?1 AND path_k = ?2 AND rel = ?3 AND to_found = ?4
               AND qual = ?5 AND anchor IS ?6 AND found_k = ?7 AND l <> ?8)",
        )?;
        let Asked {
            l,
            by_k,
            rel,
            to_found,
            qual,
            path_k,
            anchor,
            ..
        } = asked;
        Ok(
            find.query_row(params![by_k, path_k, rel, to_found, qual, anchor, found, l], |row| {
                row.get(0)
            })?,
        )
    }

    fn edge_of(&mut self, asked: &Asked, found: i64) -> Outcome<EdgeKey> {
        let anchor = match &asked.anchor {
            Some(text) => {
                let end: EdgeEnd = serde_json::from_str(text)?;
                self.end(&end)?
            }
            None => asked.by_k,
        };
        let (s, d) = if asked.to_found {
            (anchor, found)
        } else {
            (found, anchor)
        };
        Ok(EdgeKey {
            s,
            rel: asked.rel,
            d,
            qual: asked.qual.clone(),
        })
    }

    fn asked(&self, l: i64) -> Outcome<Option<Asked>> {
        let sql = format!("SELECT {COLUMNS} FROM lookup WHERE l = ?1");
        let mut find = self.session.connection.prepare_cached(&sql)?;
        Ok(find.query_row([l], read).optional()?)
    }

    fn asked_by_alias(&self, kind_k: i64, value: &str) -> Outcome<Vec<Asked>> {
        let sql = format!("SELECT {COLUMNS} FROM lookup WHERE t = ?1 AND kind_k = ?2 AND value = ?3");
        let mut find = self.session.connection.prepare_cached(&sql)?;
        let rows = find.query_map(params![self.t, kind_k, value], read)?;
        rows.collect::<Result<_, _>>().map_err(Fault::from)
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Asked> {
    Ok(Asked {
        l: row.get(0)?,
        kind_k: row.get(1)?,
        value: row.get(2)?,
        by_k: row.get(3)?,
        rel: row.get(4)?,
        to_found: row.get(5)?,
        qual: row.get(6)?,
        path_k: row.get(7)?,
        props: row.get(8)?,
        anchor: row.get(9)?,
        found_k: row.get(10)?,
    })
}
