//! What a scan changed, node by node.

use atg_models::{JobId, NodeId, TenantId};

use crate::StoreError;
use crate::graph_store::Change;
use crate::limits;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement};
use crate::neo4j::graph::keys;

const DOING: &str = "comparing scans";

/// The first scan of a tenant keeps no changes: it added what it was the first to see.
const ADDED: &str = "MATCH (n:Entity) USING INDEX n:Entity(key)
    WHERE n.key > $after AND n.key < $end AND n.first_gen = 1
    RETURN n.id AS id ORDER BY n.key LIMIT $limit";
const ADDED_AND_GONE: &str = "MATCH (n:Tombstone) USING INDEX n:Tombstone(key)
    WHERE n.key > $after AND n.key < $end AND n.first_gen = 1
    RETURN n.id AS id ORDER BY n.key LIMIT $limit";
const CHANGED: &str = "MATCH (c:Change) USING INDEX c:Change(key)
    WHERE c.key > $after AND c.key < $end AND coalesce(c.before, '') <> coalesce(c.after, '')
      AND (EXISTS { MATCH (:Entity {key: $first + c.id}) } OR EXISTS { MATCH (:Tombstone {key: $first + c.id}) })
    RETURN c.id AS id, c.before AS before, c.after AS after ORDER BY c.key LIMIT $limit";

/// Changes after a node id, at most `limit`.
pub(super) async fn changes(
    driver: &Driver,
    scan_id: JobId,
    after: Option<&NodeId>,
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    let text = "MATCH (s:Scan {id: $id}) RETURN s.tenant_id AS tenant, s.gen AS gen";
    let scan = Statement::new(text).with("id", scan_id.to_string());
    let scan = driver.read(DOING, scan).await?;
    let scan = scan.first().ok_or(StoreError::NotFound { what: "scan" })?;
    let (tenant, generation) = of_scan(scan).map_err(|trouble| trouble.while_doing(DOING))?;
    let limit = limit.min(limits::PAGE_ROWS);
    if generation == 1 {
        return added(driver, tenant, after, limit).await;
    }
    let after = after.map_or("", NodeId::as_str);
    let statement = Statement::new(CHANGED)
        .with("after", format!("{tenant}/{generation}/{after}"))
        .with("end", format!("{tenant}/{generation}0"))
        .with("first", keys::first(tenant))
        .with("limit", limit);
    let rows = driver.read(DOING, statement).await?;
    let changes = rows.iter().map(change).collect::<Outcome<Vec<_>>>();
    changes.map_err(|trouble| trouble.while_doing(DOING))
}

fn of_scan(row: &Row) -> Outcome<(TenantId, i64)> {
    Ok((row.parsed("tenant")?, row.get("gen")?))
}

fn change(row: &Row) -> Outcome<Change> {
    let id = row.parsed("id")?;
    let before: Option<String> = row.maybe("before")?;
    let now: Option<String> = row.maybe("after")?;
    Ok(match (before, now) {
        (None, _) => Change::Added(id),
        (Some(_), Some(_)) => Change::Modified(id),
        (Some(_), None) => Change::Removed(id),
    })
}

/// What is there of it and what is gone, as one list by id.
async fn added(
    driver: &Driver,
    tenant: TenantId,
    after: Option<&NodeId>,
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    let mut ids: Vec<NodeId> = Vec::new();
    for text in [ADDED, ADDED_AND_GONE] {
        let statement = Statement::new(text)
            .with(
                "after",
                after.map_or_else(|| keys::first(tenant), |id| keys::key(tenant, id)),
            )
            .with("end", keys::end(tenant))
            .with("limit", limit);
        for row in driver.read(DOING, statement).await? {
            ids.push(row.parsed("id").map_err(|trouble| trouble.while_doing(DOING))?);
        }
    }
    ids.sort_unstable();
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(ids.into_iter().map(Change::Added).collect())
}
