//! Claiming: choosing, admitting by tenant, and leasing, in one transaction.

use std::collections::HashMap;

use atg_models::job::{Active, Event, TenantUse, Waiting, WorkerId, admit};
use atg_models::{JobId, limits};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::job_store::Claimed;
use crate::sqlite::fault::{Fault, Outcome, nanos, parsed};
use crate::sqlite::jobs::events::write;
use crate::sqlite::jobs::row::{get, update};
use crate::sqlite::writer::Session;

/// Claims the oldest due job that may run beside the running ones.
pub(super) fn claim(session: &mut Session, worker: &WorkerId, now: OffsetDateTime) -> Outcome<Option<Claimed>> {
    let connection = &session.connection;
    let (waiting, told) = waiting(connection, now)?;
    let active = active(connection)?;
    let (chosen, held_back) = admit(&waiting, &active);
    for (id, blocker) in held_back {
        if told.get(&id).is_none_or(|earlier| *earlier != blocker.to_string()) {
            tell(connection, id, blocker, now)?;
        }
    }
    let Some(id) = chosen else {
        return Ok(None);
    };
    let mut stored = get(connection, id)?;
    let owner = worker.clone();
    job_rules::change(&mut stored.job, &Event::Claimed { owner }, now).map_err(StoreError::Refused)?;
    update(connection, &stored)?;
    Ok(Some(Claimed { job: stored.job }))
}

/// Due jobs, oldest first, and for whom each was last said to wait.
fn waiting(connection: &Connection, now: OffsetDateTime) -> Outcome<(Vec<Waiting>, HashMap<JobId, String>)> {
    let mut find = connection.prepare_cached(
        "SELECT id, tenant, tenant_use, waits_for FROM job WHERE state = 'queued' AND due <= ?1 ORDER BY k LIMIT ?2",
    )?;
    let mut rows = find.query(params![nanos(now), limits::ADMISSION_WINDOW_JOBS])?;
    let mut waiting = Vec::new();
    let mut told = HashMap::new();
    while let Some(row) = rows.next()? {
        let id = parsed(&row.get::<_, String>(0)?)?;
        waiting.push(Waiting {
            id,
            tenant: row.get::<_, String>(1)?.parse().ok(),
            tenant_use: tenant_use(&row.get::<_, String>(2)?)?,
        });
        if let Some(blocker) = row.get(3)? {
            told.insert(id, blocker);
        }
    }
    Ok((waiting, told))
}

fn active(connection: &Connection) -> Outcome<Vec<Active>> {
    let mut find = connection
        .prepare_cached("SELECT id, tenant, tenant_use FROM job WHERE state IN ('running', 'cancelling') ORDER BY k")?;
    let mut rows = find.query([])?;
    let mut active = Vec::new();
    while let Some(row) = rows.next()? {
        active.push(Active {
            id: parsed(&row.get::<_, String>(0)?)?,
            tenant: row.get::<_, String>(1)?.parse().ok(),
            tenant_use: tenant_use(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(active)
}

fn tenant_use(word: &str) -> Outcome<TenantUse> {
    TenantUse::from_name(word).ok_or_else(|| Fault::Row(format!("unknown tenant use {word}")))
}

/// Says once in a job's log which job it waits for.
fn tell(connection: &Connection, id: JobId, blocker: JobId, now: OffsetDateTime) -> Outcome<()> {
    let mut stored = get(connection, id)?;
    write(connection, &mut stored, &[job_rules::waits_for(blocker)], now)?;
    connection
        .prepare_cached("UPDATE job SET waits_for = ?2 WHERE k = ?1")?
        .execute(params![stored.k, blocker.to_string()])?;
    Ok(())
}
