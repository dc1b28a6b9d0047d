//! A job's node, read under its lock and written.

use atg_models::job::{ArtifactInfo, JobError, JobRecord, JobState, MachineState, Progress, TenantUse, WorkerId};
use atg_models::{Fence, JobId, Seq};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::neo4j::driver::{Outcome, Row, Statement, Trouble, Tx, moment, nanos};
use crate::neo4j::limits::MARKS_OF_A_JOB;

/// What [`read`] reads of the node `j`.
macro_rules! columns {
    () => {
        "j.id AS id, j.tenant AS tenant, j.tenant_use AS tenant_use, j.on_crash AS on_crash,
         j.key_prefix AS key_prefix, j.params AS params, j.created_at AS created_at, j.moving AS moving,
         j.last_seq AS last_seq, j.waits_for AS waits_for, j.claim AS claim, j.marks AS marks"
    };
}
pub(super) use columns;

/// A job and what the store keeps beside it.
pub(super) struct Stored {
    pub(super) job: JobRecord,
    /// The log's last sequence.
    pub(super) last: Seq,
    /// For which job it was last said to wait.
    pub(super) waits_for: Option<String>,
    /// The mark of the transaction that claimed it last.
    pub(super) claim: Option<String>,
    /// Of the last transactions that changed it: the mark, and where the log ended then.
    marks: Vec<String>,
}

impl Stored {
    /// Where the log ended when the transaction of this mark was carried out; `None` when it was not.
    pub(super) fn carried_out(&self, mark: &str) -> Option<Seq> {
        self.marks.iter().find_map(|entry| {
            let (of, seq) = entry.split_once(' ')?;
            (of == mark).then(|| seq.parse().ok().map(Seq::new))?
        })
    }

    /// Remembers that the transaction of this mark is carried out.
    pub(super) fn sign(&mut self, mark: &str) {
        self.marks.push(format!("{mark} {}", self.last.get()));
        let over = self.marks.len().saturating_sub(MARKS_OF_A_JOB);
        self.marks.drain(..over);
    }
}

/// How the stages of a job are called: a job that is asked to stop stays where it is, so nobody who looks for
/// the held ones misses it.
pub(super) const fn stage(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "waiting",
        JobState::Running | JobState::Cancelling => "held",
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => "over",
    }
}

/// What changes of a job, as it stands in the one property.
#[derive(Serialize, Deserialize)]
struct Moving {
    state: JobState,
    attempt: u32,
    fence: Fence,
    owner: Option<WorkerId>,
    lease_until: Option<i64>,
    due: i64,
    error: Option<JobError>,
    progress: Option<Progress>,
    /// A null is a result, too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    result: Option<serde_json::Value>,
    artifact: Option<ArtifactInfo>,
    started_at: Option<i64>,
    updated_at: i64,
    completed_at: Option<i64>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

/// The text of what changes.
pub(super) fn moving(job: &JobRecord) -> Outcome<String> {
    let machine = job.machine.clone();
    let moving = Moving {
        state: machine.state,
        attempt: machine.attempt,
        fence: machine.fence,
        owner: machine.owner,
        lease_until: machine.lease_until.map(nanos),
        due: nanos(machine.due),
        error: machine.error,
        progress: job.progress.clone(),
        result: job.result.clone(),
        artifact: job.artifact.clone(),
        started_at: job.started_at.map(nanos),
        updated_at: nanos(job.updated_at),
        completed_at: job.completed_at.map(nanos),
    };
    Ok(serde_json::to_string(&moving)?)
}

/// Whether a text that was put together can be read as what changes.
pub(super) fn check_moving(text: &str) -> Outcome<()> {
    serde_json::from_str::<Moving>(text)?;
    Ok(())
}

/// Reads a row of [`columns!`].
pub(super) fn read(row: &Row) -> Outcome<Stored> {
    let moving: Moving = row.json("moving")?;
    let maybe = |at: Option<i64>| -> Outcome<Option<OffsetDateTime>> { at.map(moment).transpose() };
    let on_crash = row.text("on_crash")?;
    let on_crash =
        job_rules::from_word(&on_crash).ok_or_else(|| Trouble::Unreadable(format!("unknown word {on_crash}")))?;
    let job = JobRecord {
        id: row.parsed("id")?,
        tenant: row.text("tenant")?,
        tenant_use: tenant_use(row)?,
        on_crash,
        key_prefix: row.text("key_prefix")?,
        params: row.json("params")?,
        machine: MachineState {
            state: moving.state,
            attempt: moving.attempt,
            fence: moving.fence,
            owner: moving.owner,
            lease_until: maybe(moving.lease_until)?,
            due: moment(moving.due)?,
            error: moving.error,
        },
        progress: moving.progress,
        result: moving.result,
        artifact: moving.artifact,
        created_at: row.moment("created_at")?,
        started_at: maybe(moving.started_at)?,
        updated_at: moment(moving.updated_at)?,
        completed_at: maybe(moving.completed_at)?,
    };
    Ok(Stored {
        job,
        last: Seq::new(row.count("last_seq")?),
        waits_for: row.maybe("waits_for")?,
        claim: row.maybe("claim")?,
        marks: row.maybe("marks")?.unwrap_or_default(),
    })
}

/// How a job uses its tenant.
pub(super) fn tenant_use(row: &Row) -> Outcome<TenantUse> {
    let word = row.text("tenant_use")?;
    TenantUse::from_name(&word).ok_or_else(|| Trouble::Unreadable(format!("unknown tenant use {word}")))
}

/// Takes the write lock of a job and reads it.
pub(super) async fn lock(tx: &mut Tx<'_>, id: JobId) -> Outcome<Option<Stored>> {
    let text = concat!("MATCH (j:Job {id: $id}) SET j._lock = $mark WITH j RETURN ", columns!());
    let mark = tx.mark().to_owned();
    let lock = Statement::new(text).with("id", id.to_string()).with("mark", mark);
    tx.one(lock).await?.as_ref().map(read).transpose()
}

/// As [`lock`], of a job that must be there.
pub(super) async fn lock_known(tx: &mut Tx<'_>, id: JobId) -> Outcome<Stored> {
    Ok(lock(tx, id).await?.ok_or(StoreError::NotFound { what: "job" })?)
}

/// Writes what changes. Under the job's lock.
pub(super) async fn save(tx: &mut Tx<'_>, stored: &Stored) -> Outcome<()> {
    let text = "MATCH (j:Job {id: $id})
        SET j.moving = $moving, j.state = $state, j.stage = $stage, j.due = $due, j.lease_until = $lease_until,
          j.owner = $owner, j.completed_at = $completed_at, j.last_seq = $last_seq, j.log_end = $log_end,
          j.waits_for = $waits_for, j.claim = $claim, j.marks = $marks";
    let Stored {
        job,
        last,
        waits_for,
        claim,
        marks,
    } = stored;
    let machine = &job.machine;
    let statement = Statement::new(text)
        .with("id", job.id.to_string())
        .with("moving", moving(job)?)
        .with("state", machine.state.as_str())
        .with("stage", stage(machine.state))
        .with("due", machine.due)
        .with("lease_until", machine.lease_until)
        .with("owner", machine.owner.as_ref().map(|owner| owner.0.as_str()))
        .with("completed_at", job.completed_at)
        .with("last_seq", last.get())
        .with("log_end", machine.state.is_terminal().then(|| last.get()))
        .with("waits_for", waits_for.clone())
        .with("claim", claim.clone())
        .with("marks", marks.clone());
    tx.run(statement).await.map(drop)
}
