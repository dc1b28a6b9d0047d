//! The event log: numbered without gaps, of which a bounded tail is kept.

use atg_models::job::{EventBody, JobEvent, JobState, Refused};
use atg_models::{Fence, JobId, Seq, limits};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_store::EventPage;
use crate::sqlite::fault::{Outcome, count, int, moment, nanos};
use crate::sqlite::jobs::row::{Stored, get, number};
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
    let refused = match stored.job.machine.state {
        JobState::Running | JobState::Cancelling if stored.job.machine.fence == fence => return Ok(()),
        JobState::Queued | JobState::Running | JobState::Cancelling => Refused::StaleFence,
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => Refused::Finished,
    };
    Err(StoreError::Refused(refused).into())
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
        if let EventBody::Progress(progress) = event {
            connection
                .prepare_cached("UPDATE job SET progress = ?2, updated_at = ?3 WHERE k = ?1")?
                .execute(params![k, serde_json::to_string(progress)?, nanos(now)])?;
            stored.job.progress = Some(progress.clone());
            stored.job.updated_at = now;
        }
    }
    connection
        .prepare_cached("UPDATE job SET last_seq = ?2 WHERE k = ?1")?
        .execute(params![k, int(last.get())])?;
    let dropped = last.get().saturating_sub(limits::EVENT_LOG_TAIL_ROWS);
    connection
        .prepare_cached("DELETE FROM event WHERE job = ?1 AND seq <= ?2")?
        .execute(params![k, int(dropped)])?;
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
    let wanted = after.next();
    let gap = events
        .first()
        .filter(|first| first.seq > wanted)
        .map(|first| (wanted, Seq::new(first.seq.get() - 1)));
    Ok(EventPage {
        events,
        gap,
        last,
        complete: stored.job.machine.state.is_terminal(),
    })
}
