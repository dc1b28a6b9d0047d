//! One event of the state machine, with all that belongs to it, in one transaction.

use atg_models::job::{Event, JobRecord};
use atg_models::{Fence, JobId};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::job_store::Transition;
use crate::neo4j::driver::{Outcome, Statement, Tx};
use crate::neo4j::jobs::events::{known, write};
use crate::neo4j::jobs::row::{lock_known, save};
use crate::neo4j::jobs::unsettled::Written;

/// Applies an event. One that was carried out before is not refused, but answered as it was then.
pub(super) async fn transition(
    tx: &mut Tx<'_>,
    id: JobId,
    event: &Event,
    mut with: Transition,
    written: &[Written],
    now: OffsetDateTime,
) -> Outcome<JobRecord> {
    let mark = tx.mark().to_owned();
    let mut stored = lock_known(tx, id).await?;
    if stored.carried_out(&mark).is_some() {
        return Ok(stored.job);
    }
    with.events.drain(..known(&stored, written).min(with.events.len()));
    job_rules::change(&mut stored.job, event, now).map_err(StoreError::Refused)?;
    let events = job_rules::conclude(&mut stored.job, with, now);
    if !events.is_empty() {
        write(tx, &mut stored, &events, now).await?;
    }
    // A renewal is the same the second time, and comes too often to be remembered.
    if !is_renewal(event) {
        stored.sign(&mark);
    }
    save(tx, &stored).await?;
    if stored.job.machine.state.is_terminal() {
        let forget = Statement::new("MATCH (j:Job {id: $id}) REMOVE j.checkpoint");
        tx.run(forget.with("id", id.to_string())).await?;
    }
    Ok(stored.job)
}

/// Whether an event only renews a lease.
pub(super) const fn is_renewal(event: &Event) -> bool {
    matches!(event, Event::Renewed { .. })
}

/// The fence that an event of a worker carries.
pub(super) const fn fence_of(event: &Event) -> Option<Fence> {
    match event {
        Event::Renewed { fence }
        | Event::Succeeded { fence }
        | Event::FailedRetryable { fence, .. }
        | Event::FailedFatal { fence, .. }
        | Event::Stopped { fence }
        | Event::Yielded { fence } => Some(*fence),
        Event::Claimed { .. } | Event::CancelRequested | Event::LeaseExpired | Event::OwnerGone => None,
    }
}
