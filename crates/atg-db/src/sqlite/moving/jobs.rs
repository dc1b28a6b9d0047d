//! Jobs and keys: rows as records, and back.

use rusqlite::{Connection, params};

use crate::moving::{Hex, MoveError, MovedEvent, MovedIdempotency, MovedJob, MovedKey, Record, Take, not_null};
use crate::sqlite::fault::Outcome;

/// Jobs in the order in which they came, each with its log; then what idempotency keys made.
pub(super) fn read_jobs(connection: &Connection, take: Take<'_>) -> Result<(), MoveError> {
    let mut find = connection.prepare(
        "SELECT k, id, tenant, tenant_use, on_crash, key_prefix, params, state, attempt, fence, owner, lease_until,
           due, error, progress, result, artifact, created_at, started_at, updated_at, completed_at, waits_for,
           last_seq, checkpoint
         FROM job ORDER BY created_at, k",
    )?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let job = MovedJob {
            id: row.get(1)?,
            tenant: row.get(2)?,
            tenant_use: row.get(3)?,
            on_crash: row.get(4)?,
            key_prefix: row.get(5)?,
            params: row.get(6)?,
            state: row.get(7)?,
            attempt: row.get(8)?,
            fence: row.get(9)?,
            owner: row.get(10)?,
            lease_until: row.get(11)?,
            due: row.get(12)?,
            error: not_null(row.get(13)?),
            progress: not_null(row.get(14)?),
            result: row.get(15)?,
            artifact: not_null(row.get(16)?),
            created_at: row.get(17)?,
            started_at: row.get(18)?,
            updated_at: row.get(19)?,
            completed_at: row.get(20)?,
            waits_for: row.get(21)?,
            last_seq: row.get(22)?,
            checkpoint: row.get::<_, Option<Vec<u8>>>(23)?.map(Hex),
        };
        let id = job.id.clone();
        take(Record::Job(Box::new(job)))?;
        read_events(connection, row.get(0)?, &id, take)?;
    }
    read_idempotency(connection, take)
}

fn read_events(connection: &Connection, k: i64, job: &str, take: Take<'_>) -> Result<(), MoveError> {
    let mut find = connection.prepare_cached("SELECT seq, at, body FROM event WHERE job = ?1 ORDER BY seq")?;
    let mut rows = find.query([k])?;
    while let Some(row) = rows.next()? {
        take(Record::Event(MovedEvent {
            job: job.to_owned(),
            seq: row.get(0)?,
            at: row.get(1)?,
            body: row.get(2)?,
        }))?;
    }
    Ok(())
}

fn read_idempotency(connection: &Connection, take: Take<'_>) -> Result<(), MoveError> {
    let mut find = connection
        .prepare("SELECT key_prefix, key, digest, job, made_at FROM idempotency ORDER BY key_prefix || '/' || key")?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        take(Record::Idempotency(MovedIdempotency {
            key_prefix: row.get(0)?,
            key: row.get(1)?,
            digest: Hex(row.get(2)?),
            job: row.get(3)?,
            made_at: row.get(4)?,
        }))?;
    }
    Ok(())
}

/// Keys, the oldest first.
pub(super) fn read_keys(connection: &Connection, take: Take<'_>) -> Result<(), MoveError> {
    let mut find = connection.prepare(
        "SELECT name, prefix, digest, environment, scope, tenants, created_at, expires_at, rotated_at, revoked_at,
           last_used_at FROM api_key ORDER BY k",
    )?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        take(Record::Key(Box::new(MovedKey {
            name: row.get(0)?,
            prefix: row.get(1)?,
            digest: Hex(row.get(2)?),
            environment: row.get(3)?,
            scope: row.get(4)?,
            tenants: row.get(5)?,
            created_at: row.get(6)?,
            expires_at: row.get(7)?,
            rotated_at: row.get(8)?,
            revoked_at: row.get(9)?,
            last_used_at: row.get(10)?,
        })))?;
    }
    Ok(())
}

pub(super) fn write_job(connection: &Connection, job: &MovedJob) -> Outcome<()> {
    let kind = job.id.parse::<atg_models::JobId>();
    let kind = kind.map_err(|_| crate::sqlite::fault::Fault::Row(format!("unreadable job id {:?}", job.id)))?;
    connection
        .prepare_cached(
            "INSERT INTO job(id, kind, tenant, tenant_use, on_crash, key_prefix, params, state, attempt, fence, owner,
               lease_until, due, error, progress, result, artifact, created_at, started_at, updated_at, completed_at,
               waits_for, last_seq, checkpoint)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
               ?22, ?23, ?24)",
        )?
        .execute(params![
            job.id,
            kind.kind().as_str(),
            job.tenant,
            job.tenant_use,
            job.on_crash,
            job.key_prefix,
            job.params,
            job.state,
            job.attempt,
            job.fence,
            job.owner,
            job.lease_until,
            job.due,
            job.error,
            job.progress,
            job.result,
            job.artifact,
            job.created_at,
            job.started_at,
            job.updated_at,
            job.completed_at,
            job.waits_for,
            job.last_seq,
            job.checkpoint.as_ref().map(|bytes| bytes.0.as_slice()),
        ])?;
    Ok(())
}

pub(super) fn write_event(connection: &Connection, event: &MovedEvent) -> Outcome<()> {
    let MovedEvent { job, seq, at, body } = event;
    connection
        .prepare_cached("INSERT INTO event(job, seq, at, body) SELECT k, ?2, ?3, ?4 FROM job WHERE id = ?1")?
        .execute(params![job, seq, at, body])?;
    Ok(())
}

pub(super) fn write_idempotency(connection: &Connection, row: &MovedIdempotency) -> Outcome<()> {
    connection
        .prepare_cached("INSERT INTO idempotency(key_prefix, key, digest, job, made_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![row.key_prefix, row.key, row.digest.0, row.job, row.made_at])?;
    Ok(())
}

pub(super) fn write_key(connection: &Connection, key: &MovedKey) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO api_key(name, prefix, digest, environment, scope, tenants, created_at, expires_at, rotated_at,
               revoked_at, last_used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            key.name,
            key.prefix,
            key.digest.0,
            key.environment,
            key.scope,
            key.tenants,
            key.created_at,
            key.expires_at,
            key.rotated_at,
            key.revoked_at,
            key.last_used_at,
        ])?;
    connection
        .prepare_cached("UPDATE revision SET number = number + 1")?
        .execute([])?;
    Ok(())
}
