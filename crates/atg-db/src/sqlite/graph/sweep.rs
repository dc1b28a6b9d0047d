//! Removing what a complete read did not see, in bounded transactions.

use atg_models::graph::{CollectionKey, CollectionState, ScanHandle};
use rusqlite::{OptionalExtension as _, params};

use crate::graph_store::Swept;
use crate::limits;
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::assert::Asserter;
use crate::sqlite::graph::edit::Edit;
use crate::sqlite::graph::ledger::{Entry, entry, note_swept};
use crate::sqlite::graph::scan::{Held, hold};
use crate::sqlite::graph::schema::{OBSERVED, STUB};
use crate::sqlite::writer::Session;

/// One step of a sweep.
pub(super) struct Step {
    pub(super) swept: Swept,
    /// Where the next step goes on.
    pub(super) after: i64,
    /// Whether nothing is left to do.
    pub(super) done: bool,
}

/// Removes a bounded part of what the collection owns and this generation did not see. The
/// ledger's proof is looked at again in each step.
pub(super) fn step(
    session: &mut Session,
    handle: &ScanHandle,
    collection: &CollectionKey,
    mut after: i64,
) -> Outcome<Step> {
    let held = hold(&session.connection, handle)?;
    let entry = entry(&session.connection, held.k, collection)?;
    let mut swept = Swept::default();
    if held.ended || !is_proved(&entry) {
        let done = true;
        return Ok(Step { swept, after, done });
    }
    let mut edit = Edit::new(session, held.t, held.generation, held.started_at);
    let coll_k = edit.collection(collection.as_str())?;
    let unseen = edit.unseen(coll_k, after)?;
    let mut done = true;
    if unseen.is_empty() {
        let listed = edit.unrenewed(coll_k)?;
        for (e, by_k, path_k) in listed {
            edit.retract(
                e,
                Asserter {
                    by: by_k,
                    path: path_k,
                    collection: coll_k,
                },
            )?;
            swept.listed += 1;
            done = false;
        }
    } else {
        done = false;
        for (k, hash) in unseen {
            edit.remove(k, hash.as_deref())?;
            swept.nodes += 1;
            after = k;
        }
    }
    edit.settle()?;
    note(session, held, &entry, swept, done)?;
    Ok(Step { swept, after, done })
}

fn is_proved(entry: &Entry) -> bool {
    entry.sweepable && !entry.swept && entry.state == CollectionState::Complete
}

fn note(session: &mut Session, held: Held, entry: &Entry, swept: Swept, done: bool) -> Outcome<()> {
    let removed = i64::try_from(swept.nodes).unwrap_or(i64::MAX);
    session
        .connection
        .prepare_cached("UPDATE scan SET removed = removed + ?2 WHERE k = ?1")?
        .execute(params![held.k, removed])?;
    if done {
        note_swept(&session.connection, entry.l)?;
    }
    Ok(())
}

impl Edit<'_> {
    /// Some of what the collection owns and this generation did not see.
    fn unseen(&self, coll_k: i64, after: i64) -> Outcome<Vec<(i64, Option<Vec<u8>>)>> {
        let mut find = self.session.connection.prepare_cached(
            "SELECT k, hash FROM node WHERE coll_k = ?1 AND k > ?2 AND gen < ?3 AND state = 1 ORDER BY k LIMIT ?4",
        )?;
        let bounds = params![coll_k, after, self.generation, limits::SWEEP_ROWS];
        let rows = find.query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Some of what the collection lists and this generation did not renew.
    fn unrenewed(&self, coll_k: i64) -> Outcome<Vec<(i64, i64, i64)>> {
        let mut find = self.session.connection.prepare_cached(
            "SELECT e, by_k, path_k FROM assertion WHERE coll_k = ?1 AND coll_k > 0 AND gen < ?2 LIMIT ?3",
        )?;
        let rows = find.query_map(params![coll_k, self.generation, limits::SWEEP_ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes a tombstone of a node, or a stub if something still refers to it.
    fn remove(&mut self, k: i64, hash: Option<&[u8]>) -> Outcome<()> {
        self.note_change(k, hash, None)?;
        self.unsay(k)?;
        let mut update = self
            .session
            .connection
            .prepare_cached("UPDATE node SET state = ?2, gone_at = ?3 WHERE k = ?1 AND state = ?4 RETURNING k")?;
        let removed: Option<i64> = update
            .query_row(params![k, STUB, self.now, OBSERVED], |row| row.get(0))
            .optional()?;
        // Whether it is a stub or gone is seen once all of this step has gone.
        self.orphans.extend(removed);
        Ok(())
    }
}
