//! The lines of a tenant, in the order of the export.

use atg_models::TenantId;
use rusqlite::Connection;

use crate::graph_rules::{Digest, edge_line, node_line};
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::walk_all;

/// Hands the export to `take`, line by line without line feeds, until it answers `false`.
pub(super) fn lines(
    connection: &Connection,
    tenant: TenantId,
    mut take: impl FnMut(String) -> Outcome<bool>,
) -> Outcome<()> {
    let go_on = walk_all::nodes(connection, tenant, |node| take(node_line(&node)))?;
    if go_on {
        walk_all::edges(connection, tenant, |edge| take(edge_line(&edge)))?;
    }
    Ok(())
}

/// The digest of all lines.
pub(in crate::sqlite) fn digest(connection: &Connection, tenant: TenantId) -> Outcome<String> {
    let mut digest = Digest::default();
    lines(connection, tenant, |line| {
        digest.line(&line);
        Ok(true)
    })?;
    Ok(digest.hex())
}
