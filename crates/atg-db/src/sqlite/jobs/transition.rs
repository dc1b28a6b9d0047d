//! One event of the state machine, with all that belongs to it, in one transaction.

use atg_models::JobId;
use atg_models::job::{Event, JobRecord};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::job_store::Transition;
use crate::sqlite::fault::Outcome;
use crate::sqlite::jobs::events::write;
use crate::sqlite::jobs::row::{get, update};
use crate::sqlite::writer::Session;

/// Applies an event.
pub(super) fn transition(
    session: &mut Session,
    id: JobId,
    event: &Event,
    with: Transition,
    now: OffsetDateTime,
) -> Outcome<JobRecord> {
    let connection = &session.connection;
    let mut stored = get(connection, id)?;
    job_rules::change(&mut stored.job, event, now).map_err(StoreError::Refused)?;
    let events = job_rules::conclude(&mut stored.job, with, now);
    if !events.is_empty() {
        write(connection, &mut stored, &events, now)?;
    }
    update(connection, &stored)?;
    if stored.job.machine.state.is_terminal() {
        connection
            .prepare_cached("UPDATE job SET checkpoint = NULL WHERE k = ?1")?
            .execute([stored.k])?;
    }
    Ok(stored.job)
}
