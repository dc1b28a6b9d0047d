//! A job's row, read and written.

use atg_models::job::{ArtifactInfo, JobError, JobRecord, JobState, MachineState, Progress, TenantUse, WorkerId};
use atg_models::{Fence, JobId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::sqlite::fault::{Fault, Outcome, count, int, moment, nanos, parsed};

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str = "k, id, tenant, tenant_use, on_crash, key_prefix, params, state, attempt, fence,
  owner, lease_until, due, error, progress, result, artifact, created_at, started_at, updated_at, completed_at";

/// A job and its row's key.
pub(super) struct Stored {
    pub(super) k: i64,
    pub(super) job: JobRecord,
}

/// Reads a row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Outcome<Stored> {
    let word = |column: usize| row.get::<_, String>(column);
    let tenant_use = word(3)?;
    let on_crash = word(4)?;
    let state = word(7)?;
    let machine = MachineState {
        state: JobState::from_name(&state).ok_or_else(|| Fault::Row(format!("unknown state {state}")))?,
        attempt: row.get(8)?,
        fence: Fence::new(count(row.get(9)?)),
        owner: row.get::<_, Option<String>>(10)?.map(WorkerId),
        lease_until: time_at(row, 11)?,
        due: moment(row.get(12)?)?,
        error: json_at::<JobError>(row, 13)?,
    };
    let job = JobRecord {
        id: parsed(&word(1)?)?,
        tenant: word(2)?,
        tenant_use: TenantUse::from_name(&tenant_use)
            .ok_or_else(|| Fault::Row(format!("unknown tenant use {tenant_use}")))?,
        on_crash: job_rules::from_word(&on_crash).ok_or_else(|| Fault::Row(format!("unknown word {on_crash}")))?,
        key_prefix: word(5)?,
        params: serde_json::from_str(&word(6)?)?,
        machine,
        progress: json_at::<Progress>(row, 14)?,
        result: json_at(row, 15)?,
        artifact: json_at::<ArtifactInfo>(row, 16)?,
        created_at: moment(row.get(17)?)?,
        started_at: time_at(row, 18)?,
        updated_at: moment(row.get(19)?)?,
        completed_at: time_at(row, 20)?,
    };
    Ok(Stored { k: row.get(0)?, job })
}

/// One job.
pub(super) fn find(connection: &Connection, id: JobId) -> Outcome<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM job WHERE id = ?1");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// One job that must be there.
pub(super) fn get(connection: &Connection, id: JobId) -> Outcome<Stored> {
    find(connection, id)?.ok_or_else(|| StoreError::NotFound { what: "job" }.into())
}

/// Writes all that may change of a job.
pub(super) fn update(connection: &Connection, stored: &Stored) -> Outcome<()> {
    let JobRecord {
        id: _,
        tenant: _,
        tenant_use: _,
        on_crash: _,
        key_prefix: _,
        params: _,
        machine,
        progress,
        result,
        artifact,
        created_at: _,
        started_at,
        updated_at,
        completed_at,
    } = &stored.job;
    connection
        .prepare_cached(
            "UPDATE job SET state = ?2, attempt = ?3, fence = ?4, owner = ?5, lease_until = ?6, due = ?7, error = ?8,
               progress = ?9, result = ?10, artifact = ?11, started_at = ?12, updated_at = ?13, completed_at = ?14
             WHERE k = ?1",
        )?
        .execute(params![
            stored.k,
            machine.state.as_str(),
            machine.attempt,
            int(machine.fence.get()),
            machine.owner.as_ref().map(|owner| owner.0.as_str()),
            machine.lease_until.map(nanos),
            nanos(machine.due),
            text(machine.error.as_ref())?,
            text(progress.as_ref())?,
            text(result.as_ref())?,
            text(artifact.as_ref())?,
            started_at.map(nanos),
            nanos(*updated_at),
            completed_at.map(nanos),
        ])?;
    Ok(())
}

fn text<T: Serialize>(value: Option<&T>) -> Outcome<Option<String>> {
    Ok(value.map(serde_json::to_string).transpose()?)
}

fn json_at<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Outcome<Option<T>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn time_at(row: &Row<'_>, column: usize) -> Outcome<Option<OffsetDateTime>> {
    row.get::<_, Option<i64>>(column)?.map(moment).transpose()
}

/// A single number.
pub(super) fn number(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Outcome<Option<i64>> {
    let mut find = connection.prepare_cached(sql)?;
    Ok(find.query_row(params, |row| row.get(0)).optional()?.flatten())
}
