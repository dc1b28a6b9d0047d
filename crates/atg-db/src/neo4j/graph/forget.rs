//! Removing what is past its time: tombstones, changes of old scans.

use atg_models::graph::ScanHandle;
use time::OffsetDateTime;

use crate::limits;
use crate::neo4j::driver::{Outcome, Statement, Tx};
use crate::neo4j::graph::edit::{Id, delete, forget_changes, key_prefix};
use crate::neo4j::graph::scan::{Held, hold};

/// Removes a bounded part of it. Whether nothing is left.
pub(super) async fn forget_some(tx: &mut Tx<'_>, handle: &ScanHandle, now: OffsetDateTime) -> Outcome<bool> {
    const CHANGES: &str = "MATCH (c:Change) WHERE c.tenant_id = $tenant AND c.gen < $old
        WITH c LIMIT $limit DELETE c RETURN count(*) AS n";
    let held = hold(tx, handle).await?;
    let gone = forget_gone(tx, &held, now - time::Duration::days(limits::TOMBSTONE_DAYS)).await?;
    let statement = Statement::new(CHANGES)
        .with("tenant", held.tenant_id.to_string())
        .with("old", held.generation - limits::CHANGES_OF_SCANS)
        .with("limit", limits::SWEEP_ROWS);
    let changes = delete(tx, statement).await?;
    Ok(gone == 0 && changes == 0)
}

/// Removes some of what vanished before a moment, with how scans changed it; how many.
async fn forget_gone(tx: &mut Tx<'_>, held: &Held, before: OffsetDateTime) -> Outcome<usize> {
    const GONE: &str = "MATCH (n:Tombstone) WHERE n.tenant_id = $tenant AND n.gone_at < $before
        WITH n, n.id AS id LIMIT $limit DELETE n RETURN id";
    let statement = Statement::new(GONE)
        .with("tenant", held.tenant_id.to_string())
        .with("before", before)
        .with("limit", limits::SWEEP_ROWS);
    let rows = tx.run(statement).await?;
    let gone = rows.iter().map(|row| Ok(row.text("id")?.into()));
    let gone = gone.collect::<Outcome<Vec<Id>>>()?;
    forget_changes(tx, &key_prefix(held.tenant_id), held.generation, &gone).await?;
    Ok(gone.len())
}
