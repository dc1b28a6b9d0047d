//! The event log: numbered without gaps, of which a bounded tail is kept.

use atg_models::job::{EventBody, JobEvent};
use atg_models::{Fence, JobId, Seq, limits};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::job_store::EventPage;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Tx, Value};
use crate::neo4j::jobs::row::{Stored, lock_known, save};
use crate::neo4j::jobs::unsettled::Written;
use crate::neo4j::limits::UNWIND_ROWS;

/// Adds to the log of a job that a worker holds under this fence. `written` are calls whose end is not known:
/// what they have written is not written again.
pub(super) async fn append(
    tx: &mut Tx<'_>,
    id: JobId,
    fence: Fence,
    events: &[EventBody],
    written: &[Written],
    now: OffsetDateTime,
) -> Outcome<Seq> {
    let mark = tx.mark().to_owned();
    let mut stored = lock_known(tx, id).await?;
    if let Some(seq) = stored.carried_out(&mark) {
        return Ok(seq);
    }
    job_rules::held_by(&stored.job.machine, fence).map_err(StoreError::Refused)?;
    let left = events.get(known(&stored, written)..).unwrap_or_default();
    write(tx, &mut stored, left, now).await?;
    stored.sign(&mark);
    save(tx, &stored).await?;
    Ok(stored.last)
}

/// How many of a call's events were written by one before it.
pub(super) fn known(stored: &Stored, written: &[Written]) -> usize {
    let found = written
        .iter()
        .filter(|written| stored.carried_out(&written.mark).is_some());
    found.map(|written| written.events).max().unwrap_or_default()
}

/// Writes events behind the last one and drops what is beyond the tail. The job is saved by the caller.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    stored: &mut Stored,
    events: &[EventBody],
    now: OffsetDateTime,
) -> Outcome<()> {
    let id = stored.job.id;
    let first = stored.last.next();
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        stored.last = stored.last.next();
        rows.push((stored.last, serde_json::to_string(event)?));
    }
    let dropped = job_rules::dropped(stored.last);
    rows.retain(|(seq, _)| *seq > dropped);
    let text = "UNWIND $rows AS row
        CREATE (e:JobEvent {key: row.key, job: $job, seq: row.seq, at: $at, body: row.body})";
    for rows in rows.chunks(UNWIND_ROWS) {
        let rows = rows.iter().map(|(seq, body)| {
            vec![
                ("key", Value::from(key(id, *seq))),
                ("seq", Value::from(seq.get())),
                ("body", Value::from(body.as_str())),
            ]
        });
        let create = Statement::new(text)
            .with("rows", Value::rows(rows))
            .with("job", id.to_string())
            .with("at", now);
        tx.run(create).await?;
    }
    if dropped > Seq::ZERO && first > Seq::new(1) {
        remove(tx, id, dropped).await?;
    }
    job_rules::take_progress(&mut stored.job, events, now);
    Ok(())
}

/// Removes a log's rows up to a sequence.
pub(super) async fn remove(tx: &mut Tx<'_>, id: JobId, up_to: Seq) -> Outcome<()> {
    let text = "MATCH (e:JobEvent) WHERE e.key >= $from AND e.key <= $to DELETE e";
    let delete = Statement::new(text)
        .with("from", key(id, Seq::ZERO))
        .with("to", key(id, up_to));
    tx.run(delete).await.map(drop)
}

/// Sorted as the sequences are.
fn key(id: JobId, seq: Seq) -> String {
    format!("{id}/{:020}", seq.get())
}

/// Events after a sequence. The end of the log is looked at first, in one property, and nothing behind it is
/// answered: a completion is never said to be there without its event.
pub(super) async fn page(driver: &Driver, id: JobId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
    let doing = "reading a job's log";
    let text = "MATCH (j:Job {id: $id})
        WITH j.log_end AS log_end, j.last_seq AS last_seq
        WITH log_end IS NOT NULL AS complete, coalesce(log_end, last_seq) AS last
        OPTIONAL MATCH (e:JobEvent) WHERE e.key > $after AND e.key <= $to AND e.seq <= last
        RETURN complete, last, e.key AS key, e.seq AS seq, e.at AS at, e.body AS body ORDER BY key LIMIT $limit";
    let statement = Statement::new(text)
        .with("id", id.to_string())
        .with("after", key(id, after))
        .with("to", key(id, Seq::new(u64::MAX)))
        .with("limit", limit.clamp(1, limits::EVENTS_LIMIT_MAX));
    let rows = driver.read(doing, statement).await?;
    read_page(&rows, after).map_err(|trouble| trouble.while_doing(doing))
}

fn read_page(rows: &[Row], after: Seq) -> Outcome<EventPage> {
    let Some(head) = rows.first() else {
        return Err(StoreError::NotFound { what: "job" }.into());
    };
    let mut events = Vec::new();
    for row in rows {
        if row.maybe::<i64>("seq")?.is_some() {
            events.push(JobEvent {
                seq: Seq::new(row.count("seq")?),
                at: row.moment("at")?,
                body: row.json("body")?,
            });
        }
    }
    Ok(EventPage {
        gap: job_rules::gap(after, events.first().map(|first| first.seq)),
        events,
        last: Seq::new(head.count("last")?),
        complete: head.get("complete")?,
    })
}
