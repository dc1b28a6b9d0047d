//! One change of a tenant's graph: what a transaction remembers until its end.
//!
//! A page is stored row by row; what depends on several rows (answers to look-ups, nodes that
//! nothing refers to any more, kinds of stubs) is settled once, by [`Edit::settle`].

use std::collections::{BTreeSet, HashMap};

use atg_models::NodeId;
use atg_models::graph::{EdgeEnd, NodeKind};
use rusqlite::{OptionalExtension as _, params};

use crate::graph_rules::place;
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::schema::{GONE, OBSERVED, STUB};
use crate::sqlite::writer::Session;

/// A change in progress.
pub(super) struct Edit<'s> {
    pub(super) session: &'s mut Session,
    /// The tenant's key.
    pub(super) t: i64,
    /// The generation that is written.
    pub(super) generation: i64,
    /// When, for what has no time of its own.
    pub(super) now: i64,
    /// Rows of nodes seen in this transaction.
    known: HashMap<NodeId, Row>,
    /// Nodes that may have lost their last edge.
    pub(super) orphans: BTreeSet<i64>,
    /// Aliases whose publishers changed.
    pub(super) aliases: BTreeSet<(i64, String)>,
    /// Look-ups that were added.
    pub(super) lookups: Vec<i64>,
}

/// What is known of a node's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) k: i64,
    pub(super) state: i64,
    pub(super) kind_k: i64,
}

impl<'s> Edit<'s> {
    pub(super) fn new(session: &'s mut Session, t: i64, generation: i64, now: i64) -> Self {
        Self {
            session,
            t,
            generation,
            now,
            known: HashMap::new(),
            orphans: BTreeSet::new(),
            aliases: BTreeSet::new(),
            lookups: Vec::new(),
        }
    }

    /// The row of an edge's end. What is not there becomes a stub; what is gone becomes one again.
    pub(super) fn end(&mut self, end: &EdgeEnd) -> Outcome<i64> {
        let Some(row) = self.row(&end.id)? else {
            return self.insert_stub(&end.id, end.kind, end.type_.as_ref().map(atg_models::ArmType::as_str));
        };
        if row.state == OBSERVED {
            return Ok(row.k);
        }
        let kind_k = self.better_kind(row.kind_k, end.kind)?;
        if row.state == GONE || kind_k != row.kind_k {
            let kind_k = if row.state == GONE {
                self.session.word(end.kind.as_str())?
            } else {
                kind_k
            };
            let mut update = self
                .session
                .connection
                .prepare_cached("UPDATE node SET state = ?2, kind_k = ?3 WHERE k = ?1")?;
            update.execute(params![row.k, STUB, kind_k])?;
            drop(update);
            let row = Row {
                k: row.k,
                state: STUB,
                kind_k,
            };
            self.known.insert(end.id.clone(), row);
        }
        Ok(row.k)
    }

    /// The row of a node, if it has one.
    pub(super) fn row(&mut self, id: &NodeId) -> Outcome<Option<Row>> {
        if let Some(row) = self.known.get(id) {
            return Ok(Some(*row));
        }
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT k, state, kind_k FROM node WHERE t = ?1 AND id = ?2")?;
        let row = find
            .query_row(params![self.t, id.as_str()], |row| {
                Ok(Row {
                    k: row.get(0)?,
                    state: row.get(1)?,
                    kind_k: row.get(2)?,
                })
            })
            .optional()?;
        drop(find);
        if let Some(row) = row {
            self.known.insert(id.clone(), row);
        }
        Ok(row)
    }

    /// Remembers what became of a row.
    pub(super) fn remember(&mut self, id: &NodeId, row: Row) {
        self.known.insert(id.clone(), row);
    }

    /// The key under which an assertion keeps the kind of an end: only where the id does not prove it.
    pub(super) fn stated_kind(&mut self, end: &EdgeEnd) -> Outcome<Option<i64>> {
        if end.type_.is_some() || end.kind.is_derived() {
            return Ok(None);
        }
        self.session.word(end.kind.as_str()).map(Some)
    }

    /// Makes a row for something that is only referred to.
    pub(super) fn insert_stub(&mut self, id: &NodeId, kind: NodeKind, type_: Option<&str>) -> Outcome<i64> {
        let (subscription, group) = place(id);
        let kind_k = self.session.word(kind.as_str())?;
        let type_k = self.session.word_of(type_)?;
        let sub_k = self.session.word_of(subscription.as_deref())?;
        let rg_k = self.session.word_of(group.as_deref())?;
        let mut insert = self.session.connection.prepare_cached(
            "INSERT INTO node(t, id, state, kind_k, type_k, sub_k, rg_k, gen, first_gen, source, observed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 3, ?9)",
        )?;
        let k = insert.insert(params![
            self.t,
            id.as_str(),
            STUB,
            kind_k,
            type_k,
            sub_k,
            rg_k,
            self.generation,
            self.now
        ])?;
        drop(insert);
        let state = STUB;
        self.remember(id, Row { k, state, kind_k });
        Ok(k)
    }

    /// Of two kinds that are stated for one id, a sort that is known before one that is not, then
    /// the first by name: the same whichever was read first.
    fn better_kind(&mut self, known_k: i64, stated: NodeKind) -> Outcome<i64> {
        let stated_k = self.session.word(stated.as_str())?;
        if stated_k == known_k || stated == NodeKind::Stub {
            return Ok(known_k);
        }
        let mut find = self
            .session
            .connection
            .prepare_cached("SELECT text FROM word WHERE k = ?1")?;
        let known: String = find.query_row([known_k], |row| row.get(0))?;
        let keep = known != NodeKind::Stub.as_str() && known.as_str() < stated.as_str();
        Ok(if keep { known_k } else { stated_k })
    }

    /// Settles what depends on more than one row. The last step of every change.
    pub(super) fn settle(&mut self) -> Outcome<()> {
        self.answer_lookups()?;
        self.remove_orphans()
    }

    /// Nodes that were not read go when nothing refers to them any more.
    fn remove_orphans(&mut self) -> Outcome<()> {
        for k in std::mem::take(&mut self.orphans) {
            let mut find = self.session.connection.prepare_cached(
                "SELECT n.state, n.gone_at, w.text, n.type_k IS NULL,
                   EXISTS(SELECT 1 FROM edge WHERE s = n.k) OR EXISTS(SELECT 1 FROM edge WHERE d = n.k)
                   OR EXISTS(SELECT 1 FROM assertion WHERE by_k = n.k)
                 FROM node n JOIN word w ON w.k = n.kind_k WHERE n.k = ?1",
            )?;
            let found: Option<(i64, Option<i64>, String, bool, bool)> = find
                .query_row([k], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
                })
                .optional()?;
            drop(find);
            let Some((state, gone_at, kind, untyped, referred)) = found else {
                continue;
            };
            let derived = NodeKind::from_name(&kind).is_some_and(NodeKind::is_derived);
            match (state, referred) {
                (STUB, true) if untyped && !derived => self.restate_kind(k)?,
                (STUB, false) if gone_at.is_some() => self.set_gone(k)?,
                (STUB, false) => self.delete_row(k)?,
                (OBSERVED, false) if derived => self.delete_row(k)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The kind of a stub whose id does not prove it, from what still refers to it.
    fn restate_kind(&mut self, k: i64) -> Outcome<()> {
        let mut update = self.session.connection.prepare_cached(
            "UPDATE node SET kind_k = coalesce((
               SELECT w.k FROM word w WHERE w.k IN (
                 SELECT a.d_kind FROM edge e JOIN assertion a ON a.e = e.e WHERE e.d = ?1
                 UNION SELECT a.s_kind FROM edge e JOIN assertion a ON a.e = e.e WHERE e.s = ?1)
               ORDER BY w.text = 'Stub', w.text LIMIT 1), kind_k) WHERE k = ?1",
        )?;
        update.execute([k])?;
        Ok(())
    }

    fn set_gone(&mut self, k: i64) -> Outcome<()> {
        let mut update = self
            .session
            .connection
            .prepare_cached("UPDATE node SET state = ?2 WHERE k = ?1")?;
        update.execute(params![k, GONE])?;
        Ok(())
    }

    fn delete_row(&mut self, k: i64) -> Outcome<()> {
        for sql in ["DELETE FROM node_body WHERE k = ?1", "DELETE FROM node WHERE k = ?1"] {
            self.session.connection.prepare_cached(sql)?.execute([k])?;
        }
        Ok(())
    }
}
