//! Claiming: choosing, admitting by tenant, and leasing, one server at a time.

use std::collections::HashMap;

use atg_models::job::{Active, Event, JobRecord, JobState, Waiting, WorkerId, admit};
use atg_models::{JobId, limits};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_rules;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Tx};
use crate::neo4j::jobs::events::write;
use crate::neo4j::jobs::row::{lock, save, tenant_use};

/// Jobs that wait and jobs that are held, at one moment.
struct Board {
    /// Due ones, the oldest first.
    waiting: Vec<Waiting>,
    /// For whom each was last said to wait.
    told: HashMap<JobId, String>,
    active: Vec<Active>,
    /// By which mark each held one was claimed.
    claims: Vec<(JobId, String)>,
}

/// Whether a claim would take or tell anything; nothing is locked, so it is a guess that the next one mends.
pub(super) async fn is_of_use(driver: &Driver, now: OffsetDateTime) -> Result<bool, StoreError> {
    let doing = "looking for due jobs";
    let waiting = driver.read(doing, find_waiting(now)).await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let active = driver.read(doing, find_active()).await?;
    let board = Board::read(&waiting, &active).map_err(|trouble| trouble.while_doing(doing))?;
    let (chosen, held_back) = admit(&board.waiting, &board.active);
    Ok(chosen.is_some() || held_back.iter().any(|(id, blocker)| !board.is_told(*id, *blocker)))
}

/// Claims the oldest due job that may run beside the running ones. What the transaction of this mark has claimed
/// before is answered again, as long as its lease holds.
pub(super) async fn claim(tx: &mut Tx<'_>, worker: &WorkerId, now: OffsetDateTime) -> Outcome<Option<JobRecord>> {
    let mark = tx.mark().to_owned();
    let queue = "MERGE (q:JobQueue {id: 'jobs'}) ON CREATE SET q.next = 0 SET q._lock = $mark";
    tx.run(Statement::new(queue).with("mark", mark.as_str())).await?;
    // The waiting ones first: only a claim makes one of them a held one, and there is no other claim now.
    let waiting = tx.run(find_waiting(now)).await?;
    let active = tx.run(find_active()).await?;
    let mut board = Board::read(&waiting, &active)?;
    if let Some(job) = claimed_before(tx, &board, &mark, now).await? {
        return Ok(Some(job));
    }
    loop {
        let (chosen, held_back) = admit(&board.waiting, &board.active);
        for (id, blocker) in held_back {
            if !board.is_told(id, blocker) {
                tell(tx, id, blocker, now).await?;
                board.told.insert(id, blocker.to_string());
            }
        }
        let Some(id) = chosen else {
            return Ok(None);
        };
        if let Some(job) = take(tx, id, worker, now).await? {
            return Ok(Some(job));
        }
        board.waiting.retain(|waiting| waiting.id != id);
    }
}

async fn claimed_before(tx: &mut Tx<'_>, board: &Board, mark: &str, now: OffsetDateTime) -> Outcome<Option<JobRecord>> {
    for (id, _) in board.claims.iter().filter(|(_, claim)| claim == mark) {
        let found = lock(tx, *id).await?;
        let is_ours = |machine: &atg_models::job::MachineState| {
            machine.state.is_held() && machine.lease_until.is_some_and(|until| until > now)
        };
        if let Some(stored) = found
            && stored.claim.as_deref() == Some(mark)
            && is_ours(&stored.job.machine)
        {
            return Ok(Some(stored.job));
        }
    }
    Ok(None)
}

/// Leases a job, unless somebody has cancelled it meanwhile.
async fn take(tx: &mut Tx<'_>, id: JobId, worker: &WorkerId, now: OffsetDateTime) -> Outcome<Option<JobRecord>> {
    let mark = tx.mark().to_owned();
    let Some(mut stored) = lock(tx, id).await? else {
        return Ok(None);
    };
    let owner = worker.clone();
    if job_rules::change(&mut stored.job, &Event::Claimed { owner }, now).is_err() {
        return Ok(None);
    }
    stored.claim = Some(mark);
    save(tx, &stored).await?;
    Ok(Some(stored.job))
}

/// Says once in a job's log which job it waits for.
async fn tell(tx: &mut Tx<'_>, id: JobId, blocker: JobId, now: OffsetDateTime) -> Outcome<()> {
    let Some(mut stored) = lock(tx, id).await? else {
        return Ok(());
    };
    if stored.job.machine.state != JobState::Queued {
        return Ok(());
    }
    write(tx, &mut stored, &[job_rules::waits_for(blocker)], now).await?;
    stored.waits_for = Some(blocker.to_string());
    save(tx, &stored).await
}

fn find_waiting(now: OffsetDateTime) -> Statement {
    let text = "MATCH (j:Job) WHERE j.stage = 'waiting' AND j.due <= $now
        RETURN j.id AS id, j.tenant AS tenant, j.tenant_use AS tenant_use, j.waits_for AS waits_for
        ORDER BY j.k LIMIT $limit";
    Statement::new(text)
        .with("now", now)
        .with("limit", limits::ADMISSION_WINDOW_JOBS)
}

fn find_active() -> Statement {
    Statement::new(
        "MATCH (j:Job) WHERE j.stage = 'held'
         RETURN j.id AS id, j.tenant AS tenant, j.tenant_use AS tenant_use, j.claim AS claim ORDER BY j.k",
    )
}

impl Board {
    fn read(waiting: &[Row], active: &[Row]) -> Outcome<Self> {
        let mut board = Self {
            waiting: Vec::new(),
            told: HashMap::new(),
            active: Vec::new(),
            claims: Vec::new(),
        };
        for row in waiting {
            let id = row.parsed("id")?;
            board.waiting.push(Waiting {
                id,
                tenant: row.text("tenant")?.parse().ok(),
                tenant_use: tenant_use(row)?,
            });
            if let Some(blocker) = row.maybe("waits_for")? {
                board.told.insert(id, blocker);
            }
        }
        for row in active {
            let id = row.parsed("id")?;
            board.active.push(Active {
                id,
                tenant: row.text("tenant")?.parse().ok(),
                tenant_use: tenant_use(row)?,
            });
            if let Some(claim) = row.maybe("claim")? {
                board.claims.push((id, claim));
            }
        }
        Ok(board)
    }

    fn is_told(&self, id: JobId, blocker: JobId) -> bool {
        self.told.get(&id).is_some_and(|told| *told == blocker.to_string())
    }
}
