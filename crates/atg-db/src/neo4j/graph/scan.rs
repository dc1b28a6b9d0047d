//! Scans: opening, taking over, closing; and the check that every write passes.

use atg_models::graph::{ScanCounts, ScanEnd, ScanHandle, ScanRecord, ScanStart, Verdict};
use atg_models::{Generation, JobId, TenantId};

use crate::StoreError;
use crate::graph_store::Counts;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble, Tx};
use crate::neo4j::graph::ledger;
use crate::neo4j::graph::tenants::Revision;

/// A scan, as far as writes need it. While it is held, nothing else writes to the tenant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Its id.
    pub(super) scan_id: JobId,
    /// The tenant.
    pub(super) tenant_id: TenantId,
    /// The generation that it writes.
    pub(super) generation: i64,
    /// When it started, in nanoseconds.
    pub(super) started_at: i64,
    /// Whether it has ended: nothing more is written for it.
    pub(super) ended: bool,
}

/// Opens a scan, or hands it to a new attempt.
pub(super) async fn begin(tx: &mut Tx<'_>, start: &ScanStart) -> Outcome<ScanHandle> {
    let current = lock_tenant(tx, start.tenant_id, true).await?.unwrap_or_default();
    let find = "MATCH (s:Scan {id: $id}) RETURN s.tenant_id AS tenant, s.gen AS gen, s.fence AS fence";
    let known = tx
        .one(Statement::new(find).with("id", start.scan_id.to_string()))
        .await?;
    let generation = match known {
        Some(known) => {
            take_over(tx, start, &known, current).await?;
            current
        }
        None => insert(tx, start, current + 1).await?,
    };
    Ok(ScanHandle {
        scan_id: start.scan_id,
        fence: start.fence,
        tenant_id: start.tenant_id,
        generation: Generation::new(u64::try_from(generation).unwrap_or_default()),
    })
}

async fn take_over(tx: &mut Tx<'_>, start: &ScanStart, known: &Row, current: i64) -> Outcome<()> {
    if known.text("tenant")? != start.tenant_id.to_string()
        || known.count("fence")? > start.fence.get()
        || known.get::<i64>("gen")? != current
    {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    let update = "MATCH (s:Scan {id: $id}) SET s.fence = $fence";
    let update = Statement::new(update)
        .with("id", start.scan_id.to_string())
        .with("fence", start.fence.get());
    tx.run(update).await.map(drop)
}

async fn insert(tx: &mut Tx<'_>, start: &ScanStart, generation: i64) -> Outcome<i64> {
    let insert = "MATCH (t:TenantRecord {id: $tenant}) SET t.gen = $gen
        CREATE (:Scan {id: $id, tenant_id: $tenant, gen: $gen, fence: $fence, principal: $principal, filters: $filters,
          started_at: $started_at, version: $version, written: 0, unchanged: 0, removed: 0})";
    let insert = Statement::new(insert)
        .with("id", start.scan_id.to_string())
        .with("tenant", start.tenant_id.to_string())
        .with("gen", generation)
        .with("fence", start.fence.get())
        .with("principal", start.principal.as_str())
        .with("filters", serde_json::to_string(&start.filters)?)
        .with("started_at", start.started_at)
        .with("version", env!("CARGO_PKG_VERSION"));
    tx.run(insert).await?;
    Ok(generation)
}

/// Takes the write lock of the tenant's record and answers its generation; `None` when there is no record
/// and none is to be made. From here to the end of the transaction nobody else writes to the tenant.
pub(super) async fn lock_tenant(tx: &mut Tx<'_>, tenant: TenantId, make: bool) -> Outcome<Option<i64>> {
    let text = if make {
        "MERGE (t:TenantRecord {id: $id}) ON CREATE SET t.gen = 0, t.rev = 0, t.made = randomUUID()
         SET t._lock = $mark RETURN t.gen AS gen"
    } else {
        "MATCH (t:TenantRecord {id: $id}) SET t._lock = $mark RETURN t.gen AS gen"
    };
    let lock = Statement::new(text)
        .with("id", tenant.to_string())
        .with("mark", tx.mark());
    tx.one(lock).await?.map(|row| row.get("gen")).transpose()
}

/// Notes that the tenant's graph changes in this transaction, so that no reader takes pages from before and
/// after it for one state. Under [`hold`] or [`lock_tenant`].
pub(super) async fn changed(tx: &mut Tx<'_>, tenant: TenantId) -> Outcome<()> {
    let text = "MATCH (t:TenantRecord {id: $id}) SET t.rev = t.rev + 1";
    tx.run(Statement::new(text).with("id", tenant.to_string()))
        .await
        .map(drop)
}

/// The scan, if the handle still holds it: locked until the end of the transaction.
pub(super) async fn hold(tx: &mut Tx<'_>, handle: &ScanHandle) -> Outcome<Held> {
    // The lock is taken before the scan is looked for: a clause sees what the one before it has done.
    const HOLD: &str = "MATCH (t:TenantRecord {id: $tenant}) SET t._lock = $mark
        WITH t MATCH (s:Scan {id: $id}) WHERE s.tenant_id = $tenant
        RETURN t.gen AS current, s.gen AS gen, s.fence AS fence, s.started_at AS started_at,
          s.ended IS NOT NULL AS ended";
    let fenced = || StoreError::Fenced { what: "scan" };
    let statement = Statement::new(HOLD)
        .with("tenant", handle.tenant_id.to_string())
        .with("mark", tx.mark())
        .with("id", handle.scan_id.to_string());
    let found = tx.one(statement).await?.ok_or_else(fenced)?;
    let generation = found.get("gen")?;
    if found.count("fence")? != handle.fence.get()
        || found.count("gen")? != handle.generation.get()
        || generation != found.get::<i64>("current")?
    {
        return Err(fenced().into());
    }
    Ok(Held {
        scan_id: handle.scan_id,
        tenant_id: handle.tenant_id,
        generation,
        started_at: found.get("started_at")?,
        ended: found.get("ended")?,
    })
}

/// As [`hold`], and the scan has not ended.
pub(super) async fn hold_open(tx: &mut Tx<'_>, handle: &ScanHandle) -> Outcome<Held> {
    let held = hold(tx, handle).await?;
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
    /// The state that was counted.
    pub(super) revision: Option<Revision>,
}

impl Closing {
    /// Of a scan that is closed: nothing of it is written.
    pub(super) fn of_ended(end: ScanEnd) -> Self {
        Self {
            end,
            counts: Counts::default(),
            seen: 0,
            digest: String::new(),
            revision: None,
        }
    }
}

/// Closes a scan. One that is closed stays as it is.
pub(super) async fn finish(tx: &mut Tx<'_>, handle: &ScanHandle, closing: &Closing) -> Outcome<ScanRecord> {
    let held = hold(tx, handle).await?;
    if !held.ended {
        close(tx, &held, closing).await?;
    }
    let found = tx
        .one(Statement::new(BY_ID).with("id", handle.scan_id.to_string()))
        .await?;
    let found = found.ok_or(StoreError::NotFound { what: "scan" })?;
    read(&found)
}

async fn close(tx: &mut Tx<'_>, held: &Held, closing: &Closing) -> Outcome<()> {
    let Closing {
        end,
        counts,
        seen,
        digest,
        revision,
    } = closing;
    let text = "MATCH (s:Scan {id: $id}) MATCH (t:TenantRecord {id: s.tenant_id})
        RETURN s.filters AS filters, s.written AS written, s.unchanged AS unchanged, s.removed AS removed,
          t.made AS made, t.rev AS rev";
    let scan = tx
        .one(Statement::new(text).with("id", held.scan_id.to_string()))
        .await?
        .ok_or(StoreError::NotFound { what: "scan" })?;
    if Some(Revision::read(&scan)?) != *revision {
        return Err(changed_meanwhile("closing a scan").into());
    }
    if end.verdict == Verdict::Complete && !ledger::is_whole(tx, held).await? {
        return Err(Trouble::Unreadable(
            "a scan with gaps was to be closed as complete".to_owned(),
        ));
    }
    let filters: atg_models::graph::ScanFilters = scan.json("filters")?;
    let whole = end.verdict == Verdict::Complete && filters.is_unfiltered();
    let mut end = end.clone();
    end.counts = ScanCounts {
        resources_discovered: if whole { counts.contained_resources } else { *seen },
        nodes: counts.nodes,
        edges: counts.edges,
        open_lookups: counts.open_lookups,
        ambiguous_aliases: counts.ambiguous_aliases,
        removed: scan.count("removed")?,
        written: scan.count("written")?,
        unchanged: scan.count("unchanged")?,
        ..end.counts
    };
    let update = "MATCH (s:Scan {id: $id}) SET s.ended = $ended, s.digest = $digest";
    let update = Statement::new(update)
        .with("id", held.scan_id.to_string())
        .with("ended", serde_json::to_string(&end)?)
        .with("digest", digest.as_str());
    tx.run(update).await?;
    ledger::forget_pages(tx, held).await
}

/// What a reader of many pages says when they are not of one state.
pub(super) fn changed_meanwhile(doing: &'static str) -> StoreError {
    StoreError::Unavailable {
        doing,
        source: "the tenant's graph changed while it was read".into(),
    }
}

const BY_ID: &str = "MATCH (s:Scan {id: $id})
    RETURN s.id AS id, s.tenant_id AS tenant, s.gen AS gen, s.principal AS principal, s.filters AS filters,
      s.started_at AS started_at, s.version AS version, s.ended AS ended, s.digest AS digest";
const LAST: &str = "MATCH (s:Scan {tenant_id: $id})
    WITH s ORDER BY s.gen DESC LIMIT 1
    RETURN s.id AS id, s.tenant_id AS tenant, s.gen AS gen, s.principal AS principal, s.filters AS filters,
      s.started_at AS started_at, s.version AS version, s.ended AS ended, s.digest AS digest";

/// A scan's record.
pub(super) async fn record(driver: &Driver, scan_id: JobId) -> Result<Option<ScanRecord>, StoreError> {
    one(driver, Statement::new(BY_ID).with("id", scan_id.to_string())).await
}

/// The record of the tenant's last scan.
pub(super) async fn last(driver: &Driver, tenant: TenantId) -> Result<Option<ScanRecord>, StoreError> {
    one(driver, Statement::new(LAST).with("id", tenant.to_string())).await
}

async fn one(driver: &Driver, statement: Statement) -> Result<Option<ScanRecord>, StoreError> {
    const DOING: &str = "reading a scan";
    let rows = driver.read(DOING, statement).await?;
    let record = rows.first().map(read).transpose();
    record.map_err(|trouble| trouble.while_doing(DOING))
}

/// A row of [`BY_ID`] or [`LAST`].
pub(super) fn read(row: &Row) -> Outcome<ScanRecord> {
    let end: Option<String> = row.maybe("ended")?;
    Ok(ScanRecord {
        scan_id: row.parsed("id")?,
        tenant_id: row.parsed("tenant")?,
        generation: Generation::new(row.count("gen")?),
        principal: row.text("principal")?,
        filters: row.json("filters")?,
        started_at: row.moment("started_at")?,
        version: row.text("version")?,
        end: end.map(|end| serde_json::from_str(&end)).transpose()?,
        graph_digest: row.maybe("digest")?,
    })
}
