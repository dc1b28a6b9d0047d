//! Scans: opening, taking over, closing; and the check that every write passes.

use atg_models::graph::{CollectionState, ScanCounts, ScanEnd, ScanHandle, ScanRecord, ScanStart, Verdict};
use atg_models::{Generation, JobId, TenantId};
use rusqlite::{Connection, OptionalExtension as _, params};
use time::OffsetDateTime;

use crate::graph_store::Counts;
use crate::sqlite::fault::{Fault, Outcome, count, int, moment, nanos, parsed};
use crate::sqlite::writer::Session;
use crate::{StoreError, limits};

/// A scan's row, as far as writes need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The scan's key.
    pub(super) k: i64,
    /// The tenant's key.
    pub(super) t: i64,
    /// The generation that it writes.
    pub(super) generation: i64,
    /// When it started.
    pub(super) started_at: i64,
    /// Whether it has ended: nothing more is written for it.
    pub(super) ended: bool,
}

/// Opens a scan, or hands it to a new attempt.
pub(super) fn begin(session: &mut Session, start: &ScanStart) -> Outcome<ScanHandle> {
    let tenant = start.tenant_id.to_string();
    let t = tenant_key(session, &tenant)?;
    let connection = &session.connection;
    let known: Option<(i64, i64, i64)> = connection
        .prepare_cached("SELECT t, gen, fence FROM scan WHERE id = ?1")?
        .query_row([start.scan_id.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let current: i64 = connection
        .prepare_cached("SELECT gen FROM tenant WHERE k = ?1")?
        .query_row([t], |row| row.get(0))?;
    let fence = int(start.fence.get());
    let generation = match known {
        Some((of, generation, held)) => {
            if of != t || held > fence || generation != current {
                return Err(StoreError::Fenced { what: "scan" }.into());
            }
            connection
                .prepare_cached("UPDATE scan SET fence = ?2 WHERE id = ?1")?
                .execute(params![start.scan_id.to_string(), fence])?;
            generation
        }
        None => insert(connection, start, t, current + 1)?,
    };
    Ok(ScanHandle {
        scan_id: start.scan_id,
        fence: start.fence,
        tenant_id: start.tenant_id,
        generation: Generation::new(count(generation)),
    })
}

fn insert(connection: &Connection, start: &ScanStart, t: i64, generation: i64) -> Outcome<i64> {
    connection
        .prepare_cached("UPDATE tenant SET gen = ?2 WHERE k = ?1")?
        .execute(params![t, generation])?;
    connection
        .prepare_cached(
            "INSERT INTO scan(id, t, gen, fence, principal, filters, started_at, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            start.scan_id.to_string(),
            t,
            generation,
            int(start.fence.get()),
            start.principal,
            serde_json::to_string(&start.filters)?,
            nanos(start.started_at),
            env!("CARGO_PKG_VERSION"),
        ])?;
    Ok(generation)
}

fn tenant_key(session: &mut Session, tenant: &str) -> Outcome<i64> {
    if let Some(t) = tenant_row(&session.connection, tenant)? {
        return Ok(t);
    }
    let mut insert = session
        .connection
        .prepare_cached("INSERT INTO tenant(id) VALUES (?1)")?;
    Ok(insert.insert([tenant])?)
}

/// A tenant's key, `None` when nothing is stored of it.
pub(in crate::sqlite) fn tenant_row(connection: &Connection, tenant: &str) -> Outcome<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT k FROM tenant WHERE id = ?1")?;
    Ok(find.query_row([tenant], |row| row.get(0)).optional()?)
}

/// The scan, if the handle still holds it.
pub(super) fn hold(connection: &Connection, handle: &ScanHandle) -> Outcome<Held> {
    let found = connection
        .prepare_cached(
            "SELECT s.k, s.t, s.gen, s.fence, s.started_at, s.ended IS NOT NULL, t.gen FROM scan s JOIN tenant t ON t.k = s.t
             WHERE s.id = ?1 AND t.id = ?2",
        )?
        .query_row(
            params![handle.scan_id.to_string(), handle.tenant_id.to_string()],
            |row| {
                let held = Held {
                    k: row.get(0)?,
                    t: row.get(1)?,
                    generation: row.get(2)?,
                    started_at: row.get(4)?,
                    ended: row.get(5)?,
                };
                Ok((held, row.get::<_, i64>(3)?, row.get::<_, i64>(6)?))
            },
        )
        .optional()?;
    match found {
        Some((held, fence, current))
            if fence == int(handle.fence.get())
                && held.generation == int(handle.generation.get())
                && held.generation == current =>
        {
            Ok(held)
        }
        Some(_) | None => Err(StoreError::Fenced { what: "scan" }.into()),
    }
}

/// As [`hold`], and the scan has not ended.
pub(super) fn hold_open(connection: &Connection, handle: &ScanHandle) -> Outcome<Held> {
    let held = hold(connection, handle)?;
    if held.ended {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    Ok(held)
}

/// What closing a scan writes: counted and digested beforehand, from one state.
pub(super) struct Closing {
    pub(super) end: ScanEnd,
    pub(super) counts: Counts,
    /// Resources observed in this generation.
    pub(super) seen: u64,
    pub(super) digest: String,
}

/// Closes a scan. One that is closed stays as it is.
pub(super) fn finish(session: &mut Session, handle: &ScanHandle, closing: Closing) -> Outcome<ScanRecord> {
    let connection = &session.connection;
    let held = hold(connection, handle)?;
    if !held.ended {
        let Closing {
            mut end,
            counts,
            seen,
            digest,
        } = closing;
        if end.verdict == Verdict::Complete && !is_whole(connection, held.k)? {
            return Err(Fault::Row("a scan with gaps was to be closed as complete".to_owned()));
        }
        let before = record(connection, handle.scan_id)?.ok_or(StoreError::NotFound { what: "scan" })?;
        let whole = end.verdict == Verdict::Complete && before.filters.is_unfiltered();
        let (written, unchanged, removed) = connection
            .prepare_cached("SELECT written, unchanged, removed FROM scan WHERE k = ?1")?
            .query_row([held.k], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        end.counts = ScanCounts {
            resources_discovered: if whole { counts.contained_resources } else { seen },
            nodes: counts.nodes,
            edges: counts.edges,
            open_lookups: counts.open_lookups,
            ambiguous_aliases: counts.ambiguous_aliases,
            removed: count(removed),
            written: count(written),
            unchanged: count(unchanged),
            ..end.counts
        };
        let verdict = verdict_word(end.verdict);
        connection
            .prepare_cached("UPDATE scan SET verdict = ?2, ended = ?3, digest = ?4 WHERE k = ?1")?
            .execute(params![held.k, verdict, serde_json::to_string(&end)?, digest])?;
        connection
            .prepare_cached(
                "DELETE FROM page WHERE p IN (SELECT p.p FROM part p JOIN ledger l ON l.l = p.l WHERE l.scan = ?1)",
            )?
            .execute([held.k])?;
    }
    record(connection, handle.scan_id)?.ok_or_else(|| StoreError::NotFound { what: "scan" }.into())
}

/// Whether every planned collection is complete.
fn is_whole(connection: &Connection, scan: i64) -> Outcome<bool> {
    let complete = serde_json::to_string(&CollectionState::Complete)?;
    let mut find =
        connection.prepare_cached("SELECT NOT EXISTS(SELECT 1 FROM ledger WHERE scan = ?1 AND state <> ?2)")?;
    Ok(find.query_row(params![scan, complete], |row| row.get(0))?)
}

/// Removes a bounded part of what is past its time: tombstones, changes of old scans. Whether nothing
/// is left.
pub(super) fn forget_some(session: &mut Session, handle: &ScanHandle, now: OffsetDateTime) -> Outcome<bool> {
    let connection = &session.connection;
    let held = hold(connection, handle)?;
    let vanished = nanos(now - time::Duration::days(limits::TOMBSTONE_DAYS));
    let gone: Vec<i64> = connection
        .prepare_cached("SELECT k FROM node WHERE t = ?1 AND state = 2 AND gone_at < ?2 LIMIT ?3")?
        .query_map(params![held.t, vanished, limits::SWEEP_ROWS], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for k in &gone {
        for sql in ["DELETE FROM node_body WHERE k = ?1", "DELETE FROM node WHERE k = ?1"] {
            connection.prepare_cached(sql)?.execute([k])?;
        }
    }
    let old = held.generation - limits::CHANGES_OF_SCANS;
    let changes = connection
        .prepare_cached(
            "DELETE FROM change WHERE (t, gen, k) IN (
               SELECT t, gen, k FROM change WHERE t = ?1 AND gen < ?2 LIMIT ?3)",
        )?
        .execute(params![held.t, old, limits::SWEEP_ROWS])?;
    Ok(gone.is_empty() && changes == 0)
}

pub(in crate::sqlite) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complete => "complete",
        Verdict::Partial => "partial",
    }
}

/// A scan's record.
pub(super) fn record(connection: &Connection, scan_id: JobId) -> Outcome<Option<ScanRecord>> {
    one(connection, "s.id = ?1", &scan_id.to_string())
}

/// The record of the tenant's last scan.
pub(super) fn last(connection: &Connection, tenant: TenantId) -> Outcome<Option<ScanRecord>> {
    one(connection, "t.id = ?1 ORDER BY s.gen DESC LIMIT 1", &tenant.to_string())
}

fn one(connection: &Connection, condition: &str, value: &str) -> Outcome<Option<ScanRecord>> {
    let sql = format!(
        "SELECT s.id, t.id, s.gen, s.principal, s.filters, s.started_at, s.version, s.ended, s.digest
         FROM scan s JOIN tenant t ON t.k = s.t WHERE {condition}"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query([value])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let end: Option<String> = row.get(7)?;
    Ok(Some(ScanRecord {
        scan_id: parsed(&row.get::<_, String>(0)?)?,
        tenant_id: parsed(&row.get::<_, String>(1)?)?,
        generation: Generation::new(count(row.get(2)?)),
        principal: row.get(3)?,
        filters: serde_json::from_str(&row.get::<_, String>(4)?)?,
        started_at: moment(row.get(5)?)?,
        version: row.get(6)?,
        end: end.map(|end| serde_json::from_str(&end)).transpose()?,
        graph_digest: row.get(8)?,
    }))
}
