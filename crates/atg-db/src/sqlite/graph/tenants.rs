//! Tenants as a whole: listing them, removing one, and the small cache kept beside each.

use atg_models::TenantId;
use atg_models::graph::{ScanRecord, Verdict};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::graph_store::TenantSummary;
use crate::limits;
use crate::sqlite::fault::{Outcome, count, parsed};
use crate::sqlite::graph::forget;
use crate::sqlite::graph::scan::{last, tenant_row};
use crate::sqlite::writer::Session;

/// The tenants of which something is stored, by id.
pub(super) fn summaries(connection: &Connection) -> Outcome<Vec<TenantSummary>> {
    let mut find = connection.prepare_cached(
        "SELECT id FROM tenant t WHERE EXISTS(SELECT 1 FROM scan s WHERE s.t = t.k)
           OR EXISTS(SELECT 1 FROM node n WHERE n.t = t.k) ORDER BY id",
    )?;
    let ids = find
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    ids.iter().map(|id| summary(connection, parsed(id)?)).collect()
}

fn summary(connection: &Connection, tenant_id: TenantId) -> Outcome<TenantSummary> {
    let scan = last(connection, tenant_id)?;
    // A scan that ended has counted, and nothing writes between scans.
    let counted = scan.as_ref().and_then(|scan| scan.end.as_ref()).map(|end| end.counts);
    let (nodes, edges) = match counted {
        Some(counts) => (counts.nodes, counts.edges),
        None => quick_counts(connection, tenant_id)?,
    };
    let ended_at = |scan: &ScanRecord| scan.end.as_ref().map_or(scan.started_at, |end| end.ended_at);
    let verdict = |scan: &ScanRecord| -> Option<Verdict> { scan.end.as_ref().map(|end| end.verdict) };
    Ok(TenantSummary {
        tenant_id,
        last_scan: scan.as_ref().map(|scan| scan.scan_id),
        verdict: scan.as_ref().and_then(verdict),
        scanned_at: scan.as_ref().map(ended_at),
        nodes,
        edges,
    })
}

fn quick_counts(connection: &Connection, tenant: TenantId) -> Outcome<(u64, u64)> {
    let t = tenant_row(connection, &tenant.to_string())?;
    let mut find = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM node WHERE t = ?1 AND state <> 2),
                (SELECT count(*) FROM node s CROSS JOIN edge g ON g.s = s.k WHERE s.t = ?1)",
    )?;
    Ok(find.query_row([t], |row| Ok((count(row.get(0)?), count(row.get(1)?))))?)
}

/// Forgets the tenant's scans, so that no running one can write any more.
pub(super) fn close_scans(session: &mut Session, tenant: &str) -> Outcome<()> {
    let connection = &session.connection;
    let Some(t) = tenant_row(connection, tenant)? else {
        return Ok(());
    };
    for sql in [
        "DELETE FROM page WHERE p IN (SELECT p.p FROM part p JOIN ledger l ON l.l = p.l JOIN scan s ON s.k = l.scan
           WHERE s.t = ?1)",
        "DELETE FROM part WHERE l IN (SELECT l.l FROM ledger l JOIN scan s ON s.k = l.scan WHERE s.t = ?1)",
        "DELETE FROM ledger WHERE scan IN (SELECT k FROM scan WHERE t = ?1)",
        "DELETE FROM scan WHERE t = ?1",
        "DELETE FROM cache WHERE t = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([t])?;
    }
    Ok(())
}

/// Removes some nodes with all that hangs on them; how many were live, and whether that was all.
pub(super) fn delete_some(session: &mut Session, tenant: &str) -> Outcome<(u64, bool)> {
    let connection = &session.connection;
    let Some(t) = tenant_row(connection, tenant)? else {
        return Ok((0, true));
    };
    let nodes: Vec<(i64, bool)> = connection
        .prepare_cached("SELECT k, state <> 2 FROM node WHERE t = ?1 LIMIT ?2")?
        .query_map(params![t, limits::SWEEP_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (k, _) in &nodes {
        for sql in [
            "DELETE FROM assertion WHERE e IN (SELECT e FROM edge WHERE s = ?1 UNION SELECT e FROM edge WHERE d = ?1)",
            "DELETE FROM assertion WHERE by_k = ?1",
            "DELETE FROM edge WHERE s = ?1",
            "DELETE FROM edge WHERE d = ?1",
            "DELETE FROM alias WHERE k = ?1",
            "DELETE FROM lookup WHERE by_k = ?1",
            "DELETE FROM node_body WHERE k = ?1",
            "DELETE FROM node WHERE k = ?1",
        ] {
            connection.prepare_cached(sql)?.execute([k])?;
        }
    }
    let changes = connection
        .prepare_cached("DELETE FROM change WHERE (t, gen, k) IN (SELECT t, gen, k FROM change WHERE t = ?1 LIMIT ?2)")?
        .execute(params![t, limits::SWEEP_ROWS])?;
    let done = nodes.is_empty() && changes == 0;
    if done {
        for sql in ["DELETE FROM coll WHERE t = ?1", "DELETE FROM tenant WHERE k = ?1"] {
            connection.prepare_cached(sql)?.execute([t])?;
        }
        forget::words(session)?;
    }
    let live = nodes.iter().filter(|(_, live)| *live).count();
    Ok((u64::try_from(live).unwrap_or(u64::MAX), done))
}

/// A value of the reader's cache.
pub(super) fn cache_get(connection: &Connection, tenant: &str, key: &str) -> Outcome<Option<Vec<u8>>> {
    let mut find = connection
        .prepare_cached("SELECT c.value FROM cache c JOIN tenant t ON t.k = c.t WHERE t.id = ?1 AND c.key = ?2")?;
    Ok(find.query_row([tenant, key], |row| row.get(0)).optional()?)
}

/// Replaces a value of the reader's cache.
pub(super) fn cache_put(session: &mut Session, tenant: &str, key: &str, value: &[u8]) -> Outcome<()> {
    let connection = &session.connection;
    connection
        .prepare_cached("INSERT OR IGNORE INTO tenant(id) VALUES (?1)")?
        .execute([tenant])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO cache(t, key, value) SELECT k, ?2, ?3 FROM tenant WHERE id = ?1")?
        .execute(params![tenant, key, value])?;
    Ok(())
}
