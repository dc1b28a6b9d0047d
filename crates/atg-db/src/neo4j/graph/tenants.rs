//! Tenants as a whole: listing them, which state one is in, and the small cache kept beside each.

use std::collections::HashMap;

use atg_models::TenantId;
use atg_models::graph::ScanRecord;

use crate::StoreError;
use crate::graph_store::TenantSummary;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Tx, Value};
use crate::neo4j::graph::scan;

/// A state of a tenant's graph: equal at the beginning and the end of a read, nothing was written between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revision {
    /// Of the tenant's record: one that was removed and made again counts from the beginning.
    made: String,
    rev: i64,
}

impl Revision {
    /// From the columns `made` and `rev`.
    pub(super) fn read(row: &Row) -> Outcome<Self> {
        Ok(Self {
            made: row.text("made")?,
            rev: row.get("rev")?,
        })
    }
}

/// The state that the tenant's graph is in now; `None` while nothing is stored of it.
pub(super) async fn revision(
    driver: &Driver,
    doing: &'static str,
    tenant: TenantId,
) -> Result<Option<Revision>, StoreError> {
    let text = "MATCH (t:TenantRecord {id: $id}) RETURN t.made AS made, t.rev AS rev";
    let rows = driver
        .read(doing, Statement::new(text).with("id", tenant.to_string()))
        .await?;
    let revision = rows.first().map(Revision::read).transpose();
    revision.map_err(|trouble| trouble.while_doing(doing))
}

const LISTING: &str = "listing tenants";
/// Every tenant, with its last scan where there is one.
const TENANTS: &str = "MATCH (t:TenantRecord)
    CALL (t) { OPTIONAL MATCH (s:Scan {tenant_id: t.id}) RETURN s ORDER BY s.gen DESC LIMIT 1 }
    RETURN t.id AS record, s.id AS id, s.tenant_id AS tenant, s.gen AS gen, s.principal AS principal,
      s.filters AS filters, s.started_at AS started_at, s.version AS version, s.ended AS ended, s.digest AS digest";
const COUNTED: &str = "UNWIND $tenants AS tenant
    CALL (tenant) {
      MATCH (n:Entity) USING INDEX n:Entity(key) WHERE n.key > tenant + '/' AND n.key < tenant + '0'
      RETURN count(n) AS nodes, sum(COUNT { (n)-->() }) AS edges
    }
    RETURN tenant, nodes, edges";

/// The tenants of which something is stored, by id.
pub(super) async fn summaries(driver: &Driver) -> Result<Vec<TenantSummary>, StoreError> {
    let rows = driver.read(LISTING, Statement::new(TENANTS)).await?;
    let known = rows.iter().map(tenant).collect::<Outcome<Vec<_>>>();
    let known = known.map_err(|trouble| trouble.while_doing(LISTING))?;
    let uncounted = known.iter().filter(|(_, scan)| counted(scan.as_ref()).is_none());
    let uncounted: Vec<_> = uncounted.map(|(tenant, _)| tenant.to_string()).collect();
    let counts = count(driver, uncounted).await?;
    let mut summaries: Vec<_> = known
        .into_iter()
        .filter_map(|(tenant_id, scan)| summary(tenant_id, scan.as_ref(), &counts))
        .collect();
    summaries.sort_by_key(|summary| summary.tenant_id.to_string());
    Ok(summaries)
}

fn tenant(row: &Row) -> Outcome<(TenantId, Option<ScanRecord>)> {
    let scan = row.maybe::<String>("id")?.map(|_| scan::read(row)).transpose()?;
    Ok((row.parsed("record")?, scan))
}

/// A scan that ended has counted, and nothing writes between scans.
fn counted(scan: Option<&ScanRecord>) -> Option<(u64, u64)> {
    let counts = scan?.end.as_ref()?.counts;
    Some((counts.nodes, counts.edges))
}

async fn count(driver: &Driver, tenants: Vec<String>) -> Result<HashMap<TenantId, (u64, u64)>, StoreError> {
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = driver
        .read(LISTING, Statement::new(COUNTED).with("tenants", tenants))
        .await?;
    let counts = rows
        .iter()
        .map(|row| Ok((row.parsed("tenant")?, (row.count("nodes")?, row.count("edges")?))))
        .collect::<Outcome<_>>();
    counts.map_err(|trouble| trouble.while_doing(LISTING))
}

/// `None` for one of which neither a scan nor a node is stored.
fn summary(
    tenant_id: TenantId,
    scan: Option<&ScanRecord>,
    counts: &HashMap<TenantId, (u64, u64)>,
) -> Option<TenantSummary> {
    let (nodes, edges) = counted(scan)
        .or_else(|| counts.get(&tenant_id).copied())
        .unwrap_or_default();
    if scan.is_none() && nodes == 0 {
        return None;
    }
    let end = scan.and_then(|scan| scan.end.as_ref());
    Some(TenantSummary {
        tenant_id,
        last_scan: scan.map(|scan| scan.scan_id),
        verdict: end.map(|end| end.verdict),
        scanned_at: end.map(|end| end.ended_at).or(scan.map(|scan| scan.started_at)),
        nodes,
        edges,
    })
}

fn cache_key(tenant: TenantId, key: &str) -> String {
    format!("{tenant}/{key}")
}

/// A value of the reader's cache.
pub(super) async fn cache_get(driver: &Driver, tenant: TenantId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    const DOING: &str = "reading the cache";
    let text = "MATCH (c:Cache {key: $key}) RETURN c.value AS value";
    let statement = Statement::new(text).with("key", cache_key(tenant, key));
    let rows = driver.read(DOING, statement).await?;
    let value = rows.first().map(|row| row.get("value")).transpose();
    value.map_err(|trouble| trouble.while_doing(DOING))
}

/// Replaces a value of the reader's cache.
pub(super) async fn cache_put(tx: &mut Tx<'_>, tenant: TenantId, key: &str, value: &[u8]) -> Outcome<()> {
    scan::lock_tenant(tx, tenant, true).await?;
    let text = "MERGE (c:Cache {key: $key}) SET c.tenant_id = $tenant, c.value = $value";
    let statement = Statement::new(text)
        .with("key", cache_key(tenant, key))
        .with("tenant", tenant.to_string())
        .with("value", Value::Bytes(value.to_vec()));
    tx.run(statement).await.map(drop)
}
