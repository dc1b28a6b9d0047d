//! Submitting a job, once for each idempotency key.

use atg_models::job::{JobRecord, MachineState, NewJob};
use atg_models::limits;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::job_store::Inserted;
use crate::sqlite::fault::{Outcome, count, nanos, parsed};
use crate::sqlite::jobs::row::{self, find, number, to_word};
use crate::sqlite::writer::Session;

/// Adds a job, unless the client's key made one before or the queue is full.
pub(super) fn insert(
    session: &mut Session,
    new: NewJob,
    idempotency: Option<&(String, [u8; 32])>,
    per_key: u64,
) -> Outcome<Inserted> {
    let connection = &session.connection;
    if let Some((key, digest)) = idempotency
        && let Some(earlier) = replay(connection, &new.key_prefix, key, digest)?
    {
        return Ok(earlier);
    }
    if let Some(limit) = full(connection, &new.key_prefix, per_key)? {
        return Ok(Inserted::Full { limit });
    }
    let job = record(new);
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

/// What the same idempotency key made before. A row whose job is gone counts for nothing.
fn replay(connection: &Connection, prefix: &str, key: &str, digest: &[u8; 32]) -> Outcome<Option<Inserted>> {
    let known: Option<(Vec<u8>, String)> = connection
        .prepare_cached("SELECT digest, job FROM idempotency WHERE key_prefix = ?1 AND key = ?2")?
        .query_row([prefix, key], |row| Ok((row.get(0)?, row.get(1)?)))
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

/// The limit that is reached, if one is.
fn full(connection: &Connection, prefix: &str, per_key: u64) -> Outcome<Option<u64>> {
    let queued = number(connection, "SELECT count(*) FROM job WHERE state = 'queued'", [])?;
    if count(queued.unwrap_or_default()) >= limits::QUEUE_MAX_JOBS {
        return Ok(Some(limits::QUEUE_MAX_JOBS));
    }
    let own = number(
        connection,
        "SELECT count(*) FROM job WHERE state IN ('queued', 'running', 'cancelling') AND key_prefix = ?1",
        [prefix],
    )?;
    Ok((count(own.unwrap_or_default()) >= per_key).then_some(per_key))
}

fn record(new: NewJob) -> JobRecord {
    let NewJob {
        id,
        tenant,
        tenant_use,
        on_crash,
        key_prefix,
        params,
        created_at,
    } = new;
    JobRecord {
        id,
        tenant,
        tenant_use,
        on_crash,
        key_prefix,
        params,
        machine: MachineState::new(created_at),
        progress: None,
        result: None,
        artifact: None,
        created_at,
        started_at: None,
        updated_at: created_at,
        completed_at: None,
    }
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
            to_word(job.on_crash),
            job.key_prefix,
            serde_json::to_string(&job.params)?,
            nanos(job.created_at),
        ])?;
    row::update(connection, &row::Stored { k, job: job.clone() })
}
