//! Jobs as records, and back.
//!
//! Jobs are no one state of the database, as a tenant's graph is. Those that are not over are read at one moment at which
//! nobody claimed any; what is over stays as it is, and what came later is not read.

use std::collections::HashMap;

use atg_models::JobId;
use atg_models::job::JobState;

use super::insert::{idempotency_key, of_tenant};
use super::row::{check_moving, stage};
use crate::StoreError;
use crate::moving::{Hex, MoveError, MovedEvent, MovedIdempotency, MovedJob, Record, Take, not_null};
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble, Tx, Value};
use crate::neo4j::limits::UNWIND_ROWS;

const DOING: &str = "exporting jobs";
/// The stage of a job that is not over while it is moved here: nobody claims it, or takes it for lost.
const MOVING: &str = "moving";
/// Jobs that are read at a time, each with its log.
const PAGE_JOBS: u32 = 200;

/// The columns that [`job`] reads, of the node `j`.
macro_rules! moved_columns {
    () => {
        "j.id AS id, j.k AS k, j.tenant AS tenant, j.tenant_use AS tenant_use, j.on_crash AS on_crash,
         j.key_prefix AS key_prefix, j.params AS params, j.created_at AS created_at, j.moving AS moving,
         j.last_seq AS last_seq, j.waits_for AS waits_for, j.checkpoint AS checkpoint"
    };
}

/// Which jobs there are at one moment.
#[derive(Default)]
pub(in crate::neo4j) struct Fixed {
    /// The place of the last.
    last: i64,
    /// Those that are not over, as they stand.
    open: HashMap<String, MovedJob>,
}

/// What claims and submissions leave behind: equal before and after, there was none.
pub(in crate::neo4j) async fn queue(driver: &Driver) -> Result<(i64, String), StoreError> {
    let text =
        "OPTIONAL MATCH (q:JobQueue {id: 'jobs'}) RETURN coalesce(q.next, 0) AS next, coalesce(q._lock, '') AS lock";
    let rows = driver.read(DOING, Statement::new(text)).await?;
    let read = |row: &Row| Ok((row.get("next")?, row.text("lock")?));
    let queue = rows.first().map_or(Ok((0, String::new())), read);
    queue.map_err(|trouble: Trouble| trouble.while_doing(DOING))
}

/// The jobs that are not over. Of one state if [`queue`] is the same before and after.
pub(in crate::neo4j) async fn fix(driver: &Driver, last: i64) -> Result<Fixed, StoreError> {
    let text = concat!(
        "MATCH (j:Job) WHERE j.stage IN ['waiting', 'held', 'moving'] RETURN ",
        moved_columns!()
    );
    let rows = driver.read(DOING, Statement::new(text)).await?;
    let open = rows.iter().map(|row| job(row).map(|job| (job.id.clone(), job)));
    let open = open
        .collect::<Outcome<_>>()
        .map_err(|trouble| trouble.while_doing(DOING))?;
    Ok(Fixed { last, open })
}

/// Jobs in the order in which they came, each with its log; then what idempotency keys made.
pub(in crate::neo4j) async fn read_moved(driver: &Driver, fixed: &Fixed, take: Take<'_>) -> Result<(), MoveError> {
    const PAGE: &str = concat!(
        "MATCH (j:Job) WHERE j.created_at > $at OR (j.created_at = $at AND j.k > $k)
         WITH j ORDER BY j.created_at, j.k LIMIT $limit RETURN ",
        moved_columns!(),
        " ORDER BY j.created_at, j.k"
    );
    let (mut at, mut k) = (i64::MIN, i64::MIN);
    loop {
        let page = Statement::new(PAGE)
            .with("at", at)
            .with("k", k)
            .with("limit", PAGE_JOBS);
        let rows = driver.read(DOING, page).await?;
        for row in &rows {
            (at, k) = place(row).map_err(failed)?;
            let found = job(row).map_err(failed)?;
            let is_over = JobState::from_name(&found.state).is_some_and(JobState::is_terminal);
            let as_fixed = match fixed.open.get(&found.id) {
                Some(open) => open.clone(),
                None if is_over && k <= fixed.last => found,
                // It came later.
                None => continue,
            };
            let (id, last) = (as_fixed.id.clone(), as_fixed.last_seq);
            take(Record::Job(Box::new(as_fixed)))?;
            events(driver, &id, last, take).await?;
        }
        if rows.len() < usize::try_from(PAGE_JOBS).unwrap_or(usize::MAX) {
            break;
        }
    }
    idempotency(driver, take).await
}

fn failed(trouble: Trouble) -> MoveError {
    MoveError::Store(trouble.while_doing(DOING))
}

fn place(row: &Row) -> Outcome<(i64, i64)> {
    Ok((row.get("created_at")?, row.get("k")?))
}

fn job(row: &Row) -> Outcome<MovedJob> {
    let moving = row.text("moving")?;
    let parts = members(&moving).ok_or_else(|| Trouble::Unreadable(format!("a job reads {moving:?}")))?;
    let text = |name: &str| parts.get(name).map(|text| (*text).to_owned());
    let parsed = Moved::read(&moving)?;
    Ok(MovedJob {
        id: row.text("id")?,
        tenant: row.text("tenant")?,
        tenant_use: row.text("tenant_use")?,
        on_crash: row.text("on_crash")?,
        key_prefix: row.text("key_prefix")?,
        params: row.text("params")?,
        state: parsed.state.as_str().to_owned(),
        attempt: parsed.attempt,
        fence: parsed.fence,
        owner: parsed.owner,
        lease_until: parsed.lease_until,
        due: parsed.due,
        error: not_null(text("error")),
        progress: not_null(text("progress")),
        result: text("result"),
        artifact: not_null(text("artifact")),
        created_at: row.get("created_at")?,
        started_at: parsed.started_at,
        updated_at: parsed.updated_at,
        completed_at: parsed.completed_at,
        waits_for: row.maybe("waits_for")?,
        last_seq: row.get("last_seq")?,
        checkpoint: row.maybe::<Vec<u8>>("checkpoint")?.map(Hex),
    })
}

/// What is read of a job's moving property by its meaning; the rest stays text.
#[derive(serde::Deserialize)]
struct Moved {
    state: JobState,
    attempt: u32,
    fence: i64,
    owner: Option<String>,
    lease_until: Option<i64>,
    due: i64,
    started_at: Option<i64>,
    updated_at: i64,
    completed_at: Option<i64>,
}

impl Moved {
    fn read(text: &str) -> Outcome<Self> {
        Ok(serde_json::from_str(text)?)
    }
}

/// The members of an object, each as it is written: a number that is parsed and printed may be another.
fn members(text: &str) -> Option<HashMap<String, &str>> {
    let mut members = HashMap::new();
    let mut rest = text.trim_start().strip_prefix('{')?;
    loop {
        let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next()?.ok()?;
        rest = rest.get(names.byte_offset()..)?.trim_start().strip_prefix(':')?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
        values.next()?.ok()?;
        let (value, behind) = rest.split_at_checked(values.byte_offset())?;
        members.insert(name, value.trim());
        match behind.trim_start().strip_prefix(',') {
            Some(more) => rest = more,
            None => return (behind.trim() == "}").then_some(members),
        }
    }
}

/// A log up to a sequence, as far as it is kept.
async fn events(driver: &Driver, id: &str, last: i64, take: Take<'_>) -> Result<(), MoveError> {
    const EVENTS: &str = "MATCH (e:JobEvent) WHERE e.key >= $from AND e.key <= $to
        RETURN e.seq AS seq, e.at AS at, e.body AS body ORDER BY e.seq";
    let statement = Statement::new(EVENTS)
        .with("from", format!("{id}/{:020}", 0))
        .with("to", format!("{id}/{last:020}"));
    for row in driver.read(DOING, statement).await? {
        let event = |row: &Row| {
            Ok(MovedEvent {
                job: id.to_owned(),
                seq: row.get("seq")?,
                at: row.get("at")?,
                body: row.text("body")?,
            })
        };
        take(Record::Event(event(&row).map_err(failed)?))?;
    }
    Ok(())
}

async fn idempotency(driver: &Driver, take: Take<'_>) -> Result<(), MoveError> {
    const ROWS: &str = "MATCH (i:Idempotency) USING INDEX i:Idempotency(key) WHERE i.key > $after
        WITH i ORDER BY i.key LIMIT $limit
        RETURN i.key AS key, i.digest AS digest, i.job AS job, i.made_at AS made_at ORDER BY i.key";
    let mut after = String::new();
    loop {
        let page = Statement::new(ROWS)
            .with("after", after.as_str())
            .with("limit", u64::try_from(UNWIND_ROWS).unwrap_or(u64::MAX));
        let rows = driver.read(DOING, page).await?;
        for row in &rows {
            after = row.text("key").map_err(failed)?;
            take(Record::Idempotency(kept(row, &after).map_err(failed)?))?;
        }
        if rows.len() < UNWIND_ROWS {
            return Ok(());
        }
    }
}

fn kept(row: &Row, key: &str) -> Outcome<MovedIdempotency> {
    let parted = key.split_once('/');
    let (prefix, name) = parted.ok_or_else(|| Trouble::Unreadable(format!("an idempotency key reads {key:?}")))?;
    Ok(MovedIdempotency {
        key_prefix: prefix.to_owned(),
        key: name.to_owned(),
        digest: Hex(row.get("digest")?),
        job: row.text("job")?,
        made_at: row.get("made_at")?,
    })
}

/// Writes jobs, events and idempotency keys. Jobs that are not over wait for [`RELEASE`].
pub(in crate::neo4j) async fn write_moved(tx: &mut Tx<'_>, records: &[Record]) -> Outcome<()> {
    const JOBS: &str = "UNWIND $rows AS row CREATE (j:Job) SET j = row.set";
    const EVENTS: &str = "UNWIND $rows AS row CREATE (e:JobEvent) SET e = row.set";
    const KEYS: &str = "UNWIND $rows AS row CREATE (i:Idempotency) SET i = row.set";
    let count = records.iter().filter(|record| matches!(record, Record::Job(_))).count();
    let mut next = take_places(tx, u64::try_from(count).unwrap_or(u64::MAX)).await?;
    let (mut jobs, mut events, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        let (rows, set) = match record {
            Record::Job(job) => {
                next += 1;
                (&mut jobs, job_fields(job, next)?)
            }
            Record::Event(event) => (&mut events, event_fields(event)),
            Record::Idempotency(kept) => (&mut keys, kept_fields(kept)),
            Record::Key(_)
            | Record::Tenant(_)
            | Record::Node(_)
            | Record::Edge(_)
            | Record::Names(_)
            | Record::Scan(_)
            | Record::Ledger(_)
            | Record::Partition(_)
            | Record::Change(_)
            | Record::Cache(_) => return Err(Trouble::Unreadable("a record of another part".to_owned())),
        };
        rows.push(vec![("set", Value::Map(set))]);
    }
    for (text, rows) in [(JOBS, jobs), (EVENTS, events), (KEYS, keys)] {
        if !rows.is_empty() {
            tx.run(Statement::new(text).with("rows", Value::rows(rows))).await?;
        }
    }
    Ok(())
}

/// Lets servers have the jobs that are not over.
pub(in crate::neo4j) const RELEASE: &str = "MATCH (j:Job) WHERE j.stage = 'moving'
    SET j.stage = CASE j.state WHEN 'queued' THEN 'waiting' ELSE 'held' END";

/// The place before the first of so many jobs.
async fn take_places(tx: &mut Tx<'_>, count: u64) -> Outcome<u64> {
    let text = "MERGE (q:JobQueue {id: 'jobs'}) ON CREATE SET q.next = 0
        WITH q SET q.next = q.next + $count RETURN q.next AS next";
    let row = tx.one(Statement::new(text).with("count", count)).await?;
    let next = row.map_or(Ok(0), |row| row.count("next"))?;
    Ok(next.saturating_sub(count))
}

fn job_fields(job: &MovedJob, place: u64) -> Outcome<Vec<(&'static str, Value)>> {
    let id: JobId = job
        .id
        .parse()
        .map_err(|_| Trouble::Unreadable(format!("the job id {:?}", job.id)))?;
    let state = JobState::from_name(&job.state);
    let state = state.ok_or_else(|| Trouble::Unreadable(format!("unknown state {}", job.state)))?;
    let stage = if state.is_terminal() { stage(state) } else { MOVING };
    Ok(vec![
        ("id", job.id.as_str().into()),
        ("k", place.into()),
        ("kind", id.kind().as_str().into()),
        ("tenant", job.tenant.as_str().into()),
        ("of_tenant", of_tenant(&job.tenant).into()),
        ("tenant_use", job.tenant_use.as_str().into()),
        ("on_crash", job.on_crash.as_str().into()),
        ("key_prefix", job.key_prefix.as_str().into()),
        ("params", job.params.as_str().into()),
        ("created_at", job.created_at.into()),
        ("moving", moving(job)?.into()),
        ("state", state.as_str().into()),
        ("stage", stage.into()),
        ("due", job.due.into()),
        ("lease_until", job.lease_until.into()),
        ("owner", job.owner.as_deref().into()),
        ("completed_at", job.completed_at.into()),
        ("last_seq", job.last_seq.into()),
        ("log_end", state.is_terminal().then_some(job.last_seq).into()),
        ("waits_for", job.waits_for.as_deref().into()),
        (
            "checkpoint",
            job.checkpoint
                .as_ref()
                .map_or(Value::Null, |bytes| Value::Bytes(bytes.0.clone())),
        ),
    ])
}

/// The one property of what moves, of its parts as they are written.
fn moving(job: &MovedJob) -> Outcome<String> {
    let json = |value: &serde_json::Value| value.to_string();
    let number = |number: Option<i64>| number.map_or_else(|| "null".to_owned(), |number| number.to_string());
    let part = |text: Option<&str>| text.unwrap_or("null").to_owned();
    let mut members = vec![
        ("state", json(&job.state.as_str().into())),
        ("attempt", job.attempt.to_string()),
        ("fence", job.fence.to_string()),
        ("owner", json(&job.owner.as_deref().into())),
        ("lease_until", number(job.lease_until)),
        ("due", job.due.to_string()),
        ("error", part(job.error.as_deref())),
        ("progress", part(job.progress.as_deref())),
    ];
    members.extend(job.result.clone().map(|result| ("result", result)));
    members.extend([
        ("artifact", part(job.artifact.as_deref())),
        ("started_at", number(job.started_at)),
        ("updated_at", job.updated_at.to_string()),
        ("completed_at", number(job.completed_at)),
    ]);
    let members: Vec<String> = members
        .iter()
        .map(|(name, text)| format!("\"{name}\":{text}"))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    check_moving(&text)?;
    Ok(text)
}

fn event_fields(event: &MovedEvent) -> Vec<(&'static str, Value)> {
    vec![
        ("key", format!("{}/{:020}", event.job, event.seq).into()),
        ("job", event.job.as_str().into()),
        ("seq", event.seq.into()),
        ("at", event.at.into()),
        ("body", event.body.as_str().into()),
    ]
}

fn kept_fields(kept: &MovedIdempotency) -> Vec<(&'static str, Value)> {
    vec![
        ("key", idempotency_key(&kept.key_prefix, &kept.key).into()),
        ("digest", Value::Bytes(kept.digest.0.clone())),
        ("job", kept.job.as_str().into()),
        ("made_at", kept.made_at.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn members_stay_as_they_are_written() {
        let text = r#"{"a": 14.285714285714286,"b":{"c":[1,"}"]},"d":null,"e":"x\"y","f":1.0}"#;
        let found = members(text).unwrap();
        assert_eq!(found["a"], "14.285714285714286");
        assert_eq!(found["b"], r#"{"c":[1,"}"]}"#);
        assert_eq!(found["d"], "null");
        assert_eq!(found["e"], r#""x\"y""#);
        assert_eq!(found["f"], "1.0");
        assert!(members(r#"{"a":1"#).is_none());
        assert!(members(r#"{"a":1} x"#).is_none());
    }
}
