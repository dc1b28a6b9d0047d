//! The ledger: what was planned, and how far each part of it was read.

use atg_models::JobId;
use atg_models::graph::{
    CollectionKey, CollectionState, LedgerEntry, LedgerProgress, Partition, PartitionKey, PlannedCollection, ScanHandle,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::StoreError;
use crate::sqlite::fault::{Fault, Outcome, count, int};
use crate::sqlite::graph::scan::{hold, hold_open};
use crate::sqlite::writer::Session;

/// A ledger row's key and standing.
pub(super) struct Entry {
    pub(super) l: i64,
    pub(super) sweepable: bool,
    pub(super) state: CollectionState,
    pub(super) swept: bool,
}

/// Adds collections, and partitions that known ones lack.
pub(super) fn plan(session: &mut Session, handle: &ScanHandle, collections: &[PlannedCollection]) -> Outcome<()> {
    let held = hold(&session.connection, handle)?;
    if held.ended {
        return Ok(());
    }
    let planned = serde_json::to_string(&CollectionState::Planned)?;
    for collection in collections {
        let key = collection.collection.as_str();
        session
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO ledger(scan, key, sweepable, expected, state) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                held.k,
                key,
                collection.sweepable,
                collection.expected.map(int),
                planned
            ])?;
        let entry = entry(&session.connection, held.k, &collection.collection)?;
        if entry.state.is_settled() {
            continue;
        }
        for PartitionKey(part) in &collection.partitions {
            session
                .connection
                .prepare_cached("INSERT OR IGNORE INTO part(l, key) VALUES (?1, ?2)")?
                .execute(params![entry.l, part])?;
        }
    }
    Ok(())
}

/// A collection's row.
pub(super) fn entry(connection: &Connection, scan: i64, collection: &CollectionKey) -> Outcome<Entry> {
    let found = connection
        .prepare_cached("SELECT l, sweepable, state, swept FROM ledger WHERE scan = ?1 AND key = ?2")?
        .query_row(params![scan, collection.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((l, sweepable, state, swept)) = found else {
        return Err(StoreError::NotFound { what: "collection" }.into());
    };
    Ok(Entry {
        l,
        sweepable,
        state: serde_json::from_str(&state)?,
        swept,
    })
}

/// Notes a page; `false` when it was applied already.
pub(super) fn note_page(connection: &Connection, scan: i64, progress: &LedgerProgress) -> Outcome<bool> {
    let LedgerProgress {
        collection,
        partition,
        page,
    } = progress;
    let entry = entry(connection, scan, collection)?;
    let found = connection
        .prepare_cached(
            "SELECT p, coalesce((SELECT max(page) FROM page WHERE p = part.p), 0) FROM part WHERE l = ?1 AND key = ?2",
        )?
        .query_row(params![entry.l, partition.key.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((p, newest)): Option<(i64, i64)> = found else {
        return Err(StoreError::NotFound { what: "partition" }.into());
    };
    let number = int(page.get());
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO page(p, page) VALUES (?1, ?2)")?
        .execute(params![p, number])?;
    if added == 0 {
        return Ok(false);
    }
    if entry.state.is_settled() {
        return Err(Fault::Row(format!("a page of the settled collection {collection}")));
    }
    // A page that was overtaken by a later one of its partition must not turn the cursor back.
    if number > newest {
        connection
            .prepare_cached("UPDATE part SET cursor = ?2, pages = ?3, rows = ?4, done = ?5 WHERE p = ?1")?
            .execute(params![
                p,
                partition.cursor,
                int(partition.pages),
                int(partition.rows),
                partition.done
            ])?;
    }
    if entry.state == CollectionState::Planned {
        put_state(connection, entry.l, &CollectionState::Reading)?;
    }
    Ok(true)
}

/// Settles a collection.
pub(super) fn settle(
    session: &mut Session,
    handle: &ScanHandle,
    collection: &CollectionKey,
    state: &CollectionState,
) -> Outcome<()> {
    let held = hold(&session.connection, handle)?;
    let entry = entry(&session.connection, held.k, collection)?;
    if entry.state == *state {
        return Ok(());
    }
    if held.ended {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    if !state.is_settled() {
        return Err(Fault::Row(format!(
            "{collection} cannot be settled as {}",
            state.as_str()
        )));
    }
    if entry.swept {
        return Err(Fault::Row(format!("{collection} was swept as complete")));
    }
    if *state == CollectionState::Complete {
        let unread: i64 = session
            .connection
            .prepare_cached("SELECT count(*) FROM part WHERE l = ?1 AND NOT done")?
            .query_row([entry.l], |row| row.get(0))?;
        if unread > 0 {
            return Err(Fault::Row(format!(
                "{collection} has {unread} partitions that were not read to their end"
            )));
        }
    }
    put_state(&session.connection, entry.l, state)
}

/// Starts a partition again from its beginning.
pub(super) fn restart(
    session: &mut Session,
    handle: &ScanHandle,
    collection: &CollectionKey,
    partition: &PartitionKey,
) -> Outcome<()> {
    let held = hold_open(&session.connection, handle)?;
    let entry = entry(&session.connection, held.k, collection)?;
    if entry.state.is_settled() {
        return Err(Fault::Row(format!(
            "the settled collection {collection} cannot be read again"
        )));
    }
    let p: Option<i64> = session
        .connection
        .prepare_cached(
            "UPDATE part SET cursor = NULL, pages = 0, rows = 0, done = 0 WHERE l = ?1 AND key = ?2 RETURNING p",
        )?
        .query_row(params![entry.l, partition.0], |row| row.get(0))
        .optional()?;
    let p = p.ok_or(StoreError::NotFound { what: "partition" })?;
    session
        .connection
        .prepare_cached("DELETE FROM page WHERE p = ?1")?
        .execute([p])?;
    Ok(())
}

/// Notes that a collection's sweep is done.
pub(super) fn note_swept(connection: &Connection, l: i64) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE ledger SET swept = 1 WHERE l = ?1")?
        .execute([l])?;
    Ok(())
}

fn put_state(connection: &Connection, l: i64, state: &CollectionState) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE ledger SET state = ?2 WHERE l = ?1")?
        .execute(params![l, serde_json::to_string(state)?])?;
    Ok(())
}

/// The whole ledger of a scan, by key.
pub(super) fn read(connection: &Connection, scan_id: JobId) -> Outcome<Vec<LedgerEntry>> {
    let mut find = connection.prepare_cached(
        "SELECT l.l, l.key, l.sweepable, l.expected, l.state, l.swept
         FROM ledger l JOIN scan s ON s.k = l.scan WHERE s.id = ?1 ORDER BY l.key",
    )?;
    let mut rows = find.query([scan_id.to_string()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(LedgerEntry {
            collection: CollectionKey::from_text(row.get::<_, String>(1)?),
            sweepable: row.get(2)?,
            expected: row.get::<_, Option<i64>>(3)?.map(count),
            state: serde_json::from_str(&row.get::<_, String>(4)?)?,
            partitions: partitions(connection, row.get(0)?)?,
            swept: row.get(5)?,
        });
    }
    Ok(entries)
}

fn partitions(connection: &Connection, l: i64) -> Outcome<Vec<Partition>> {
    let mut find =
        connection.prepare_cached("SELECT key, cursor, pages, rows, done FROM part WHERE l = ?1 ORDER BY p")?;
    let rows = find.query_map([l], |row| {
        Ok(Partition {
            key: PartitionKey(row.get(0)?),
            cursor: row.get(1)?,
            pages: count(row.get(2)?),
            rows: count(row.get(3)?),
            done: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
