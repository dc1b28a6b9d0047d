//! Passing over all nodes and edges of a tenant in order, row by row.

use atg_models::TenantId;
use rusqlite::Connection;

use crate::graph_rules::{StoredEdge, StoredNode};
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::read::{BODY_COLUMNS, EDGE_COLUMNS, NODE_COLUMNS, edge, node};
use crate::sqlite::graph::scan::tenant_row;
use crate::sqlite::words::Vocabulary;

/// Hands all live nodes with bodies to `take`, by id, until it answers `false`.
pub(super) fn nodes(
    connection: &Connection,
    tenant: TenantId,
    mut take: impl FnMut(StoredNode) -> Outcome<bool>,
) -> Outcome<bool> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(true);
    };
    let words = Vocabulary::new(connection);
    let sql = format!(
        "SELECT {NODE_COLUMNS}{BODY_COLUMNS} FROM node n LEFT JOIN node_body b ON b.k = n.k
         WHERE n.t = ?1 AND n.state <> 2 ORDER BY n.id"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query([t])?;
    while let Some(row) = rows.next()? {
        if !take(node(row, tenant, &words, true)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Hands all edges to `take`, by source, relation, target and qualifier, until it answers `false`.
pub(super) fn edges(
    connection: &Connection,
    tenant: TenantId,
    mut take: impl FnMut(StoredEdge) -> Outcome<bool>,
) -> Outcome<bool> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(true);
    };
    let words = Vocabulary::new(connection);
    // CROSS JOIN fixes the order of the loops, so that only the edges of one node are sorted.
    let sql = format!(
        "SELECT {EDGE_COLUMNS} FROM node s CROSS JOIN edge g ON g.s = s.k CROSS JOIN node d ON d.k = g.d
         CROSS JOIN word r ON r.k = g.rel WHERE s.t = ?1 ORDER BY s.id, r.text, d.id, g.qual"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query([t])?;
    while let Some(row) = rows.next()? {
        if !take(edge(row, &words)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
