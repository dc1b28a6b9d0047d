//! Lists of jobs: for clients, for recovery, for the clean-up.

use atg_models::job::{JobFilter, JobState, WorkerId};
use atg_models::{JobId, JobKind, Seq};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use time::OffsetDateTime;

use crate::job_store::{JobPage, News};
use crate::limits;
use crate::sqlite::fault::{Fault, Outcome, count, moment, nanos, parsed};
use crate::sqlite::jobs::row::{COLUMNS, number, read};
use crate::sqlite::writer::Session;

/// Jobs, newest first.
pub(super) fn list(connection: &Connection, filter: &JobFilter, limit: u32, offset: u32) -> Outcome<JobPage> {
    let (condition, mut values) = condition(filter);
    let sql = format!("SELECT count(*) FROM job WHERE {condition}");
    let total = number(connection, &sql, params_from_iter(values.iter()))?;
    let sql = format!("SELECT {COLUMNS} FROM job WHERE {condition} ORDER BY created_at DESC, k DESC LIMIT ? OFFSET ?");
    values.extend([Value::from(limit.min(limits::PAGE_ROWS)), Value::from(offset)]);
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params_from_iter(values))?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(read(row)?.job);
    }
    Ok(JobPage {
        jobs,
        total: count(total.unwrap_or_default()),
    })
}

/// The condition holds marks only; what comes from outside is bound to them.
fn condition(filter: &JobFilter) -> (String, Vec<Value>) {
    let JobFilter {
        states,
        kind,
        tenants,
        key_prefix,
    } = filter;
    let mut conditions = vec!["1".to_owned()];
    let mut values = Vec::new();
    if !states.is_empty() {
        conditions.push(format!("state IN ({})", marks(states.len())));
        values.extend(
            states
                .iter()
                .map(|state| Value::from(JobState::as_str(*state).to_owned())),
        );
    }
    if let Some(kind) = kind {
        conditions.push("kind = ?".to_owned());
        values.push(Value::from(JobKind::as_str(*kind).to_owned()));
    }
    let mut whose = Vec::new();
    if let Some(tenants) = tenants {
        whose.push(format!("lower(tenant) IN ({})", marks(tenants.len())));
        values.extend(tenants.iter().map(|tenant| Value::from(tenant.to_string())));
    }
    if let Some(prefix) = key_prefix {
        values.push(Value::from(prefix.clone()));
        if tenants.is_some() {
            // A job of a tenant belongs to that tenant, whoever made it.
            whose.push("(key_prefix = ? AND tenant NOT GLOB ?)".to_owned());
            values.push(Value::from(uuid_pattern()));
        } else {
            whose.push("key_prefix = ?".to_owned());
        }
    }
    if tenants.is_some() {
        conditions.push(format!("({})", whose.join(" OR ")));
    } else {
        conditions.extend(whose);
    }
    (conditions.join(" AND "), values)
}

/// What the text of a tenant's id looks like.
fn uuid_pattern() -> String {
    [8, 4, 4, 4, 12].map(|digits| "[0-9a-fA-F]".repeat(digits)).join("-")
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// How far each of these jobs is.
pub(super) fn news(connection: &Connection, ids: &[String]) -> Outcome<Vec<News>> {
    let mut find = connection
        .prepare_cached("SELECT id, last_seq, state FROM job WHERE id IN (SELECT value FROM json_each(?1))")?;
    let mut rows = find.query([serde_json::to_string(ids)?])?;
    let mut news = Vec::new();
    while let Some(row) = rows.next()? {
        let state: String = row.get(2)?;
        news.push(News {
            id: parsed(&row.get::<_, String>(0)?)?,
            last: Seq::new(count(row.get(1)?)),
            state: JobState::from_name(&state).ok_or_else(|| Fault::Row(format!("unknown state {state}")))?,
        });
    }
    Ok(news)
}

/// Jobs whose lease has passed.
pub(super) fn expired(connection: &Connection, now: OffsetDateTime, limit: u32) -> Outcome<Vec<JobId>> {
    let mut find = connection.prepare_cached(
        "SELECT id FROM job WHERE state IN ('running', 'cancelling') AND lease_until <= ?1
         ORDER BY lease_until LIMIT ?2",
    )?;
    let ids = find
        .query_map(params![nanos(now), limit], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    ids.iter().map(|id| parsed(id)).collect()
}

/// Jobs that a worker holds.
pub(super) fn held(connection: &Connection) -> Outcome<Vec<(JobId, WorkerId)>> {
    let mut find = connection.prepare_cached(
        "SELECT id, coalesce(owner, '') FROM job WHERE state IN ('running', 'cancelling') ORDER BY k",
    )?;
    let rows = find
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    rows.into_iter()
        .map(|(id, owner)| Ok((parsed(&id)?, WorkerId(owner))))
        .collect()
}

/// When the next job becomes due or the next lease passes.
pub(super) fn next_due(connection: &Connection) -> Outcome<Option<OffsetDateTime>> {
    let next = number(
        connection,
        "SELECT min(at) FROM (
           SELECT min(due) AS at FROM job WHERE state = 'queued'
           UNION ALL SELECT min(lease_until) FROM job WHERE state IN ('running', 'cancelling'))",
        [],
    )?;
    next.map(moment).transpose()
}

/// Removes what is past its time.
pub(super) fn purge(
    session: &mut Session,
    finished_before: OffsetDateTime,
    idempotency_before: OffsetDateTime,
    limit: u32,
) -> Outcome<Vec<JobId>> {
    let connection = &session.connection;
    connection
        .prepare_cached("DELETE FROM idempotency WHERE made_at < ?1")?
        .execute([nanos(idempotency_before)])?;
    let old: Vec<(i64, String)> = connection
        .prepare_cached("SELECT k, id FROM job WHERE completed_at < ?1 ORDER BY completed_at LIMIT ?2")?
        .query_map(params![nanos(finished_before), limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    for (k, _) in &old {
        for sql in ["DELETE FROM event WHERE job = ?1", "DELETE FROM job WHERE k = ?1"] {
            connection.prepare_cached(sql)?.execute([k])?;
        }
    }
    old.iter().map(|(_, id)| parsed(id)).collect()
}
