//! Submitting a job, once for each idempotency key.

use atg_models::job::{JobRecord, NewJob};
use atg_models::{JobKind, limits};
use rusqlite::{Connection, OptionalExtension as _, params};
use time::OffsetDateTime;

use crate::job_rules;
use crate::job_store::{Bound, Inserted, JobLimits, ScanQuota};
use crate::sqlite::fault::{Outcome, count, moment, nanos, parsed};
use crate::sqlite::jobs::row::{self, find, number};
use crate::sqlite::writer::Session;

/// Adds a job, unless the client's key made one before or the queue is full.
pub(super) fn insert(
    session: &mut Session,
    new: NewJob,
    idempotency: Option<&(String, [u8; 32])>,
    limits: JobLimits,
) -> Outcome<Inserted> {
    let connection = &session.connection;
    if let Some((key, digest)) = idempotency
        && let Some(earlier) = replay(connection, &new, key, digest)?
    {
        return Ok(earlier);
    }
    if let Some(bound) = full(connection, &new, limits)? {
        return Ok(Inserted::Full(bound));
    }
    let job = job_rules::record(new);
    put(connection, &job)?;
    if let Some((key, digest)) = idempotency {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO idempotency(key_prefix, key, digest, job, made_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                job.key_prefix,
                key,
                digest.as_slice(),
                job.id.to_string(),
                nanos(job.created_at)
            ])?;
    }
    Ok(Inserted::New(job))
}

/// What the same idempotency key made before. A row that is too old, or whose job is gone, counts for nothing.
fn replay(connection: &Connection, new: &NewJob, key: &str, digest: &[u8; 32]) -> Outcome<Option<Inserted>> {
    let known: Option<(Vec<u8>, String)> = connection
        .prepare_cached("SELECT digest, job FROM idempotency WHERE key_prefix = ?1 AND key = ?2 AND made_at > ?3")?
        .query_row(
            params![new.key_prefix, key, nanos(new.created_at - limits::IDEMPOTENCY_TTL)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((of, id)) = known else {
        return Ok(None);
    };
    let Some(job) = find(connection, parsed(&id)?)? else {
        return Ok(None);
    };
    Ok(Some(if of.as_slice() == digest {
        Inserted::Replayed(job.job)
    } else {
        Inserted::Mismatch
    }))
}

/// The bound that is reached, if one is.
fn full(connection: &Connection, new: &NewJob, limits: JobLimits) -> Outcome<Option<Bound>> {
    if new.id.kind() == JobKind::Scan {
        let quota = scans(connection, &new.key_prefix, limits.scans_per_hour, new.created_at)?;
        if let Some(free_at) = quota.free_at {
            let limit = quota.limit;
            return Ok(Some(Bound::ScansOfKey { limit, free_at }));
        }
    }
    let queued = number(connection, "SELECT count(*) FROM job WHERE state = 'queued'", [])?;
    let limit = limits::QUEUE_MAX_JOBS;
    if count(queued.unwrap_or_default()) >= limit {
        return Ok(Some(Bound::Queue { limit }));
    }
    let own = number(
        connection,
        "SELECT count(*) FROM job WHERE state IN ('queued', 'running', 'cancelling') AND key_prefix = ?1",
        [&new.key_prefix],
    )?;
    let limit = u64::from(limits.per_key);
    Ok((count(own.unwrap_or_default()) >= limit).then_some(Bound::JobsOfKey { limit }))
}

/// What a key has used of its scans. Each counts from when it was taken on until the window has passed.
pub(super) fn scans(connection: &Connection, prefix: &str, limit: u32, now: OffsetDateTime) -> Outcome<ScanQuota> {
    let since = nanos(now - limits::SCANS_WINDOW);
    let kind = JobKind::Scan.as_str();
    let (used, oldest): (i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), min(created_at) FROM job WHERE created_at > ?1 AND kind = ?2 AND key_prefix = ?3",
        )?
        .query_row(params![since, kind, prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // When the last of the newest `limit` has left, there is room.
    let holds = number(
        connection,
        "SELECT created_at FROM job WHERE created_at > ?1 AND kind = ?2 AND key_prefix = ?3
         ORDER BY created_at DESC LIMIT 1 OFFSET ?4",
        params![since, kind, prefix, limit.saturating_sub(1)],
    )?;
    let leaves = |at: Option<i64>| -> Outcome<Option<OffsetDateTime>> {
        Ok(at.map(moment).transpose()?.map(|at| at + limits::SCANS_WINDOW))
    };
    Ok(ScanQuota {
        limit: u64::from(limit),
        used: count(used),
        next_at: leaves(oldest)?,
        free_at: leaves(holds)?,
    })
}

fn put(connection: &Connection, job: &JobRecord) -> Outcome<()> {
    let k = connection
        .prepare_cached(
            "INSERT INTO job(id, kind, tenant, tenant_use, on_crash, key_prefix, params, state, attempt, fence, due,
               created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', 0, 0, ?8, ?8, ?8)",
        )?
        .insert(params![
            job.id.to_string(),
            job.id.kind().as_str(),
            job.tenant,
            job.tenant_use.as_str(),
            job_rules::to_word(job.on_crash),
            job.key_prefix,
            serde_json::to_string(&job.params)?,
            nanos(job.created_at),
        ])?;
    row::update(connection, &row::Stored { k, job: job.clone() })
}
