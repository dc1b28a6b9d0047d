//! One event of the state machine, with all that belongs to it, in one transaction.

use atg_models::JobId;
use atg_models::job::{Event, EventBody, JobRecord, JobState, apply};
use serde_json::Value;
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_store::Transition;
use crate::sqlite::fault::Outcome;
use crate::sqlite::jobs::events::write;
use crate::sqlite::jobs::row::{Stored, get, policy, update};
use crate::sqlite::writer::Session;

/// Applies an event. A log ends with the error, if there is one, and the completion.
pub(super) fn transition(
    session: &mut Session,
    id: JobId,
    event: &Event,
    with: Transition,
    now: OffsetDateTime,
) -> Outcome<JobRecord> {
    let connection = &session.connection;
    let mut stored = get(connection, id)?;
    change(&mut stored, event, now)?;
    let Transition {
        result,
        artifact,
        mut events,
    } = with;
    stored.job.result = result.or(stored.job.result);
    stored.job.artifact = artifact.or(stored.job.artifact);
    let state = stored.job.machine.state;
    if state.is_terminal() {
        stored.job.completed_at = Some(now);
        if let (JobState::Failed, Some(error)) = (state, &stored.job.machine.error) {
            events.push(EventBody::Error(error.clone()));
        }
        let result = stored.job.result.clone().unwrap_or(Value::Null);
        events.push(EventBody::Completion { state, result });
    }
    if !events.is_empty() {
        write(connection, &mut stored, &events, now)?;
    }
    update(connection, &stored)?;
    if state.is_terminal() {
        connection
            .prepare_cached("UPDATE job SET checkpoint = NULL WHERE k = ?1")?
            .execute([stored.k])?;
    }
    Ok(stored.job)
}

/// Lets the state machine decide.
pub(super) fn change(stored: &mut Stored, event: &Event, now: OffsetDateTime) -> Outcome<()> {
    let job = &mut stored.job;
    job.machine = apply(&job.machine, event, now, &policy(job.on_crash)).map_err(StoreError::Refused)?;
    job.updated_at = now;
    if job.machine.state == JobState::Running {
        job.started_at = job.started_at.or(Some(now));
    }
    Ok(())
}
