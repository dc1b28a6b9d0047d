//! What a scan changed, node by node.

use atg_models::{JobId, NodeId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::StoreError;
use crate::graph_store::Change;
use crate::limits;
use crate::sqlite::fault::{Outcome, parsed};

/// Changes after a node id, at most `limit`.
pub(super) fn changes(
    connection: &Connection,
    scan_id: JobId,
    after: Option<&NodeId>,
    limit: u32,
) -> Outcome<Vec<Change>> {
    let scan: Option<(i64, i64)> = connection
        .prepare_cached("SELECT t, gen FROM scan WHERE id = ?1")?
        .query_row([scan_id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (t, generation) = scan.ok_or(StoreError::NotFound { what: "scan" })?;
    // The first scan of a tenant keeps no changes: it added what it was the first to see.
    let sql = if generation == 1 {
        "SELECT id, NULL, x'00' FROM node WHERE t = ?1 AND first_gen = ?2 AND id > ?3 ORDER BY id LIMIT ?4"
    } else {
        "SELECT n.id, c.before, c.after FROM change c JOIN node n ON n.k = c.k
         WHERE c.t = ?1 AND c.gen = ?2 AND n.id > ?3 AND c.before IS NOT c.after ORDER BY n.id LIMIT ?4"
    };
    let mut find = connection.prepare_cached(sql)?;
    let limit = limit.min(limits::PAGE_ROWS);
    let after = after.map_or("", NodeId::as_str);
    let mut rows = find.query(params![t, generation, after, limit])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let id: NodeId = parsed(&row.get::<_, String>(0)?)?;
        let before: Option<Vec<u8>> = row.get(1)?;
        let now: Option<Vec<u8>> = row.get(2)?;
        changes.push(match (before, now) {
            (None, _) => Change::Added(id),
            (Some(_), Some(_)) => Change::Modified(id),
            (Some(_), None) => Change::Removed(id),
        });
    }
    Ok(changes)
}
