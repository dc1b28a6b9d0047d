//! Removing all that is stored of a tenant.

use atg_models::TenantId;

use crate::neo4j::driver::{Outcome, Statement, Tx};
use crate::neo4j::graph::edit::{delete, key_prefix};
use crate::neo4j::graph::scan::{changed, lock_tenant};
use crate::neo4j::limits;

/// Shuts out the tenant's scans, so that no running one can write any more: each is of an earlier generation
/// than the tenant now.
pub(super) async fn close_scans(tx: &mut Tx<'_>, tenant: TenantId) -> Outcome<()> {
    const CLOSE: &str = "MATCH (t:TenantRecord {id: $id}) SET t.gen = t.gen + 1";
    if lock_tenant(tx, tenant, false).await?.is_none() {
        return Ok(());
    }
    tx.run(Statement::new(CLOSE).with("id", tenant.to_string()))
        .await
        .map(drop)
}

/// Relationships before nodes, so that no node takes more than a bounded number of them along.
const EDGES: &str = "MATCH (n:Entity) WHERE n.key STARTS WITH $prefix MATCH (n)-[r]->()
    WITH r LIMIT $limit DELETE r RETURN count(*) AS n";
const NODES: &str =
    "MATCH (n:Entity) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n";
/// What else there is, the scans' ledgers before the scans.
const REST: &[&str] = &[
    "MATCH (n:Tombstone) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Listed) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Alias) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Lookup) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Change) WHERE n.key STARTS WITH $prefix WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (s:Scan {tenant_id: $tenant}) MATCH (e:LedgerEntry {scan: s.id}) MATCH (n:LedgerPart {entry: e.key})
       WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (s:Scan {tenant_id: $tenant}) MATCH (n:LedgerEntry {scan: s.id})
       WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Scan {tenant_id: $tenant}) WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
    "MATCH (n:Cache {tenant_id: $tenant}) WITH n LIMIT $limit DELETE n RETURN count(*) AS n",
];

/// Removes a bounded part of it; how many live nodes were in it, and whether that was all.
pub(super) async fn delete_some(tx: &mut Tx<'_>, tenant: TenantId) -> Outcome<(u64, bool)> {
    const RECORD: &str = "MATCH (t:TenantRecord {id: $id}) DELETE t";
    if lock_tenant(tx, tenant, false).await?.is_none() {
        return Ok((0, true));
    }
    if let Some(live) = removed_before(tx, tenant).await? {
        return Ok((live, false));
    }
    if remove(tx, tenant, EDGES).await? > 0 {
        changed(tx, tenant).await?;
        return Ok((0, false));
    }
    let live = remove(tx, tenant, NODES).await?;
    if live > 0 {
        changed(tx, tenant).await?;
        note_removed(tx, tenant, live).await?;
        return Ok((live, false));
    }
    for text in REST {
        if remove(tx, tenant, text).await? > 0 {
            return Ok((0, false));
        }
    }
    tx.run(Statement::new(RECORD).with("id", tenant.to_string())).await?;
    Ok((0, true))
}

async fn remove(tx: &mut Tx<'_>, tenant: TenantId, text: &'static str) -> Outcome<u64> {
    let limit = u64::try_from(limits::UNWIND_ROWS).unwrap_or(u64::MAX);
    let statement = Statement::new(text)
        .with("prefix", key_prefix(tenant))
        .with("tenant", tenant.to_string())
        .with("limit", limit);
    delete(tx, statement).await
}

/// Notes how many nodes went, for another try of this transaction.
async fn note_removed(tx: &mut Tx<'_>, tenant: TenantId, live: u64) -> Outcome<()> {
    const NOTE: &str = "MATCH (t:TenantRecord {id: $id}) SET t.removed_mark = $mark, t.removed_nodes = $live";
    let statement = Statement::new(NOTE)
        .with("id", tenant.to_string())
        .with("mark", tx.mark())
        .with("live", live);
    tx.run(statement).await.map(drop)
}

/// How many nodes went in this very transaction, if it was carried out and its end was not known.
async fn removed_before(tx: &mut Tx<'_>, tenant: TenantId) -> Outcome<Option<u64>> {
    const FIND: &str = "MATCH (t:TenantRecord {id: $id}) WHERE t.removed_mark = $mark RETURN t.removed_nodes AS live";
    let statement = Statement::new(FIND)
        .with("id", tenant.to_string())
        .with("mark", tx.mark());
    tx.one(statement).await?.map(|row| row.count("live")).transpose()
}
