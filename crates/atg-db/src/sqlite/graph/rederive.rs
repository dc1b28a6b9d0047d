//! Deriving all edges of a tenant again, after the rules have changed.

use atg_models::TenantId;
use atg_models::graph::ScanHandle;
use rusqlite::{Connection, params};

use crate::graph_rules::prepare;
use crate::graph_store::Derive;
use crate::sqlite::fault::Outcome;
use crate::sqlite::graph::edit::Edit;
use crate::sqlite::graph::prepare::{Packer, Prepared};
use crate::sqlite::graph::read::{BODY_COLUMNS, NODE_COLUMNS, node};
use crate::sqlite::graph::scan::{hold_open, tenant_row};
use crate::sqlite::words::Vocabulary;
use crate::sqlite::writer::Session;

/// Nodes in one transaction.
const CHUNK_NODES: u32 = 200;

/// Some observed nodes behind the key `after`, with what their bodies say now.
pub(super) fn derive_some(
    connection: &Connection,
    tenant: TenantId,
    after: i64,
    derive: &Derive,
) -> Outcome<Vec<(i64, Prepared)>> {
    let Some(t) = tenant_row(connection, &tenant.to_string())? else {
        return Ok(Vec::new());
    };
    let words = Vocabulary::new(connection);
    let sql = format!(
        "SELECT {NODE_COLUMNS}{BODY_COLUMNS} FROM node n LEFT JOIN node_body b ON b.k = n.k
         WHERE n.k > ?2 AND n.t = ?1 AND n.state = 1 ORDER BY n.k LIMIT ?3"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![t, after, CHUNK_NODES])?;
    let mut packer = Packer::default();
    let mut derived = Vec::new();
    while let Some(row) = rows.next()? {
        let stored = node(row, tenant, &words, true)?;
        let k = row.get(0)?;
        derived.push((k, packer.packed(prepare(derive(&stored.whole()?))?)));
    }
    Ok(derived)
}

/// Replaces what these bodies said before.
pub(super) fn say_again(session: &mut Session, handle: &ScanHandle, derived: &[(i64, Prepared)]) -> Outcome<()> {
    let held = hold_open(&session.connection, handle)?;
    let mut edit = Edit::new(session, held.t, held.generation, held.started_at);
    for (k, prepared) in derived {
        let mut update = edit
            .session
            .connection
            .prepare_cached("UPDATE node SET said = ?2 WHERE k = ?1 AND state = 1")?;
        let live = update.execute(params![k, prepared.said.as_slice()])?;
        drop(update);
        if live > 0 {
            edit.say(*k, prepared, true)?;
        }
    }
    edit.settle()
}
