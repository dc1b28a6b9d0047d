//! The event log: numbered without gaps, of which a bounded tail is kept.

use atg_models::job::{EventBody, JobEvent};
use atg_models::{Fence, JobId, Seq, limits};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::job_store::EventPage;
use crate::sqlite::fault::{Outcome, count, int, moment, nanos};
use crate::sqlite::jobs::row::{self, Stored, get, number};
use crate::sqlite::writer::Session;

/// Adds to the log of a job that a worker holds under this fence.
pub(super) fn append(
    session: &mut Session,
    id: JobId,
    fence: Fence,
    events: &[EventBody],
    now: OffsetDateTime,
) -> Outcome<Seq> {
    let mut stored = get(&session.connection, id)?;
    held_by(&stored, fence)?;
    write(&session.connection, &mut stored, events, now)
}

/// Refuses a worker that does not hold the job.
pub(super) fn held_by(stored: &Stored, fence: Fence) -> Outcome<()> {
    Ok(job_rules::held_by(&stored.job.machine, fence).map_err(StoreError::Refused)?)
}

/// Writes events behind the last one and drops what is beyond the tail.
pub(super) fn write(
    connection: &Connection,
    stored: &mut Stored,
    events: &[EventBody],
    now: OffsetDateTime,
) -> Outcome<Seq> {
    let k = stored.k;
    let mut last = last_seq(connection, k)?;
    for event in events {
        last = last.next();
        connection
            .prepare_cached("INSERT INTO event(job, seq, at, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![k, int(last.get()), nanos(now), serde_json::to_string(event)?])?;
    }
    if job_rules::take_progress(&mut stored.job, events, now) {
        row::update(connection, stored)?;
    }
    connection
        .prepare_cached("UPDATE job SET last_seq = ?2 WHERE k = ?1")?
        .execute(params![k, int(last.get())])?;
    connection
        .prepare_cached("DELETE FROM event WHERE job = ?1 AND seq <= ?2")?
        .execute(params![k, int(job_rules::dropped(last).get())])?;
    Ok(last)
}

fn last_seq(connection: &Connection, k: i64) -> Outcome<Seq> {
    let last = number(connection, "SELECT last_seq FROM job WHERE k = ?1", [k])?;
    Ok(Seq::new(count(last.unwrap_or_default())))
}

/// Events after a sequence.
pub(super) fn page(connection: &Connection, id: JobId, after: Seq, limit: u32) -> Outcome<EventPage> {
    let stored = get(connection, id)?;
    let last = last_seq(connection, stored.k)?;
    let mut find = connection
        .prepare_cached("SELECT seq, at, body FROM event WHERE job = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    let limit = limit.clamp(1, limits::EVENTS_LIMIT_MAX);
    let mut rows = find.query(params![stored.k, int(after.get()), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(JobEvent {
            seq: Seq::new(count(row.get(0)?)),
            at: moment(row.get(1)?)?,
            body: serde_json::from_str(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(EventPage {
        gap: job_rules::gap(after, events.first().map(|first| first.seq)),
        events,
        last,
        complete: stored.job.machine.state.is_terminal(),
    })
}
