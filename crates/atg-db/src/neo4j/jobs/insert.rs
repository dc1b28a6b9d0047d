//! Submitting a job, once for each idempotency key, one server at a time.

use atg_models::job::{JobRecord, NewJob};
use atg_models::{JobKind, TenantId, limits};
use time::OffsetDateTime;

use crate::job_rules;
use crate::job_store::{Bound, Inserted, JobLimits, ScanQuota};
use crate::neo4j::driver::{Outcome, Row, Statement, Tx, Value, moment};
use crate::neo4j::jobs::row::{columns, moving, read, stage};

/// Adds a job, unless the client's key made one before or a bound is reached. A job that is there already was
/// added by this transaction: nobody else has its id.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    new: NewJob,
    idempotency: Option<&(String, [u8; 32])>,
    limits: JobLimits,
) -> Outcome<Inserted> {
    let place = lock(tx).await?;
    if is_there(tx, &new).await? {
        return Ok(Inserted::New(job_rules::record(new)));
    }
    if let Some((key, digest)) = idempotency
        && let Some(earlier) = replay(tx, &new, key, digest).await?
    {
        return Ok(earlier);
    }
    if let Some(bound) = full(tx, &new, limits).await? {
        return Ok(Inserted::Full(bound));
    }
    let job = job_rules::record(new);
    put(tx, &job, place).await?;
    if let Some((key, digest)) = idempotency {
        remember(tx, &job, key, digest).await?;
    }
    Ok(Inserted::New(job))
}

/// Nobody else adds or claims until the end of the transaction. Answers the place of the next job.
async fn lock(tx: &mut Tx<'_>) -> Outcome<u64> {
    let text = "MERGE (q:JobQueue {id: 'jobs'}) ON CREATE SET q.next = 0 SET q._lock = $mark
        WITH q SET q.next = q.next + 1 RETURN q.next AS place";
    let mark = tx.mark().to_owned();
    let row = tx.one(Statement::new(text).with("mark", mark)).await?;
    row.map_or(Ok(0), |row| row.count("place"))
}

async fn is_there(tx: &mut Tx<'_>, new: &NewJob) -> Outcome<bool> {
    let look = Statement::new("MATCH (j:Job {id: $id}) RETURN j.id AS id");
    Ok(tx.one(look.with("id", new.id.to_string())).await?.is_some())
}

/// What the same idempotency key made before. A row that is too old, or whose job is gone, counts for nothing.
async fn replay(tx: &mut Tx<'_>, new: &NewJob, key: &str, digest: &[u8; 32]) -> Outcome<Option<Inserted>> {
    let text = concat!(
        "MATCH (i:Idempotency {key: $key}) WHERE i.made_at > $since MATCH (j:Job {id: i.job})
         RETURN i.digest AS digest, ",
        columns!()
    );
    let find = Statement::new(text)
        .with("key", idempotency_key(&new.key_prefix, key))
        .with("since", new.created_at - limits::IDEMPOTENCY_TTL);
    let Some(row) = tx.one(find).await? else {
        return Ok(None);
    };
    let of: Vec<u8> = row.get("digest")?;
    Ok(Some(if of == digest {
        Inserted::Replayed(read(&row)?.job)
    } else {
        Inserted::Mismatch
    }))
}

/// Of one client: prefixes hold no slash.
pub(super) fn idempotency_key(prefix: &str, key: &str) -> String {
    format!("{prefix}/{key}")
}

/// The bound that is reached, if one is.
async fn full(tx: &mut Tx<'_>, new: &NewJob, limits: JobLimits) -> Outcome<Option<Bound>> {
    if new.id.kind() == JobKind::Scan {
        let count = count_scans(&new.key_prefix, limits.scans_per_hour, new.created_at);
        let row = tx.one(count).await?;
        let quota = quota(row.as_ref(), limits.scans_per_hour)?;
        if let Some(free_at) = quota.free_at {
            let limit = quota.limit;
            return Ok(Some(Bound::ScansOfKey { limit, free_at }));
        }
    }
    let text = "MATCH (j:Job) WHERE j.stage IN ['waiting', 'held']
        RETURN sum(CASE WHEN j.stage = 'waiting' THEN 1 ELSE 0 END) AS queued,
          sum(CASE WHEN j.key_prefix = $prefix THEN 1 ELSE 0 END) AS own";
    let count = Statement::new(text).with("prefix", new.key_prefix.as_str());
    let Some(row) = tx.one(count).await? else {
        return Ok(None);
    };
    let limit = limits::QUEUE_MAX_JOBS;
    if row.count("queued")? >= limit {
        return Ok(Some(Bound::Queue { limit }));
    }
    let limit = u64::from(limits.per_key);
    Ok((row.count("own")? >= limit).then_some(Bound::JobsOfKey { limit }))
}

/// What a key has used of its scans. Each counts from when it was taken on until the window has passed; when the
/// last of the newest `limit` has left, there is room.
pub(super) fn count_scans(prefix: &str, limit: u32, now: OffsetDateTime) -> Statement {
    let text = "MATCH (j:Job) WHERE j.key_prefix = $prefix AND j.created_at > $since AND j.kind = $kind
        WITH j.created_at AS at ORDER BY at DESC
        WITH collect(at) AS times
        RETURN size(times) AS used, times[-1] AS oldest, times[$last] AS holds";
    Statement::new(text)
        .with("prefix", prefix)
        .with("since", now - limits::SCANS_WINDOW)
        .with("kind", JobKind::Scan.as_str())
        .with("last", limit.saturating_sub(1))
}

/// Reads the row of [`count_scans`].
pub(super) fn quota(row: Option<&Row>, limit: u32) -> Outcome<ScanQuota> {
    let leaves = |column: &str| -> Outcome<Option<OffsetDateTime>> {
        let at = row.map(|row| row.maybe::<i64>(column)).transpose()?.flatten();
        Ok(at.map(moment).transpose()?.map(|at| at + limits::SCANS_WINDOW))
    };
    Ok(ScanQuota {
        limit: u64::from(limit),
        used: row.map_or(Ok(0), |row| row.count("used"))?,
        next_at: leaves("oldest")?,
        free_at: leaves("holds")?,
    })
}

async fn put(tx: &mut Tx<'_>, job: &JobRecord, place: u64) -> Outcome<()> {
    let text = "CREATE (j:Job {id: $id, k: $place, kind: $kind, tenant: $tenant, of_tenant: $of_tenant,
          tenant_use: $tenant_use, on_crash: $on_crash, key_prefix: $key_prefix, params: $params,
          created_at: $created_at, moving: $moving, state: $state, stage: $stage, due: $created_at,
          last_seq: 0})";
    let state = job.machine.state;
    let create = Statement::new(text)
        .with("id", job.id.to_string())
        .with("place", place)
        .with("kind", job.id.kind().as_str())
        .with("tenant", job.tenant.as_str())
        .with("of_tenant", of_tenant(&job.tenant))
        .with("tenant_use", job.tenant_use.as_str())
        .with("on_crash", job_rules::to_word(job.on_crash))
        .with("key_prefix", job.key_prefix.as_str())
        .with("params", serde_json::to_string(&job.params)?)
        .with("created_at", job.created_at)
        .with("moving", moving(job)?)
        .with("state", state.as_str())
        .with("stage", stage(state));
    tx.run(create).await.map(drop)
}

/// The tenant that a job is listed to: none, when it was named by another word than its id.
pub(super) fn of_tenant(tenant: &str) -> Option<String> {
    let id: TenantId = tenant.parse().ok()?;
    let text = id.to_string();
    text.eq_ignore_ascii_case(tenant).then_some(text)
}

async fn remember(tx: &mut Tx<'_>, job: &JobRecord, key: &str, digest: &[u8; 32]) -> Outcome<()> {
    let text = "MERGE (i:Idempotency {key: $key}) SET i.digest = $digest, i.job = $job, i.made_at = $made_at";
    let merge = Statement::new(text)
        .with("key", idempotency_key(&job.key_prefix, key))
        .with("digest", Value::Bytes(digest.to_vec()))
        .with("job", job.id.to_string())
        .with("made_at", job.created_at);
    tx.run(merge).await.map(drop)
}
