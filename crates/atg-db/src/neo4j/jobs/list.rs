//! Lists of jobs: for clients, for recovery, for servers that watch.

use atg_models::job::{JobFilter, JobState, WorkerId};
use atg_models::{JobId, JobKind, Seq};
use time::OffsetDateTime;

use crate::StoreError;
use crate::job_store::{JobPage, News};
use crate::limits;
use crate::neo4j::driver::{Driver, Outcome, Row, Statement, Trouble};
use crate::neo4j::jobs::row::{columns, read};

/// The condition of a filter: of one of the tenants, or of no tenant's id and of the key.
macro_rules! condition {
    () => {
        "MATCH (j:Job) WHERE ($states IS NULL OR j.state IN $states) AND ($kind IS NULL OR j.kind = $kind)
           AND CASE WHEN $tenants IS NULL THEN $prefix IS NULL OR j.key_prefix = $prefix
             ELSE coalesce(j.of_tenant IN $tenants, false)
               OR ($prefix IS NOT NULL AND j.key_prefix = $prefix AND j.of_tenant IS NULL) END "
    };
}

/// Jobs, newest first.
pub(super) async fn list(driver: &Driver, filter: &JobFilter, limit: u32, offset: u32) -> Result<JobPage, StoreError> {
    let doing = "listing jobs";
    let count = filtered(concat!(condition!(), "RETURN count(j) AS total"), filter);
    let counted = driver.read(doing, count).await?;
    let text = concat!(
        condition!(),
        "WITH j ORDER BY j.created_at DESC, j.k DESC SKIP $offset LIMIT $limit RETURN ",
        columns!(),
        " ORDER BY j.created_at DESC, j.k DESC"
    );
    let page = filtered(text, filter)
        .with("offset", offset)
        .with("limit", limit.min(limits::PAGE_ROWS));
    let rows = driver.read(doing, page).await?;
    let read_all = || -> Outcome<JobPage> {
        let jobs = rows.iter().map(|row| Ok(read(row)?.job)).collect::<Outcome<_>>()?;
        let total = counted.first().map_or(Ok(0), |row| row.count("total"))?;
        Ok(JobPage { jobs, total })
    };
    read_all().map_err(|trouble| trouble.while_doing(doing))
}

fn filtered(text: &'static str, filter: &JobFilter) -> Statement {
    let JobFilter {
        states,
        kind,
        tenants,
        key_prefix,
    } = filter;
    let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let tenants = tenants
        .as_ref()
        .map(|tenants| tenants.iter().map(ToString::to_string).collect::<Vec<_>>());
    Statement::new(text)
        .with("states", (!words.is_empty()).then_some(words))
        .with("kind", kind.map(JobKind::as_str))
        .with("tenants", tenants)
        .with("prefix", key_prefix.clone())
}

/// One job.
pub(super) async fn get(driver: &Driver, id: JobId) -> Result<Option<atg_models::job::JobRecord>, StoreError> {
    let text = concat!("MATCH (j:Job {id: $id}) RETURN ", columns!());
    let find = Statement::new(text).with("id", id.to_string());
    let found = all(driver, "reading a job", find, |row| Ok(read(row)?.job)).await?;
    Ok(found.into_iter().next())
}

/// How far each of these jobs is.
pub(super) async fn news(driver: &Driver, ids: &[JobId]) -> Result<Vec<News>, StoreError> {
    let text = "UNWIND $ids AS id MATCH (j:Job {id: id})
        RETURN id, coalesce(j.log_end, j.last_seq) AS last, j.state AS state";
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let find = Statement::new(text).with("ids", ids);
    all(driver, "looking for news of jobs", find, |row| {
        let state = row.text("state")?;
        Ok(News {
            id: row.parsed("id")?,
            last: Seq::new(row.count("last")?),
            state: JobState::from_name(&state).ok_or_else(|| Trouble::Unreadable(format!("unknown state {state}")))?,
        })
    })
    .await
}

/// Jobs whose lease has passed.
pub(super) async fn expired(driver: &Driver, now: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
    let text = "MATCH (j:Job) WHERE j.stage = 'held' AND j.lease_until <= $now
        RETURN j.id AS id ORDER BY j.lease_until LIMIT $limit";
    let find = Statement::new(text).with("now", now).with("limit", limit);
    all(driver, "looking for expired leases", find, |row| row.parsed("id")).await
}

/// Jobs that a worker holds.
pub(super) async fn held(driver: &Driver) -> Result<Vec<(JobId, WorkerId)>, StoreError> {
    let text = "MATCH (j:Job) WHERE j.stage = 'held'
        RETURN j.id AS id, coalesce(j.owner, '') AS owner ORDER BY j.k";
    all(driver, "listing held jobs", Statement::new(text), |row| {
        Ok((row.parsed("id")?, WorkerId(row.text("owner")?)))
    })
    .await
}

/// When the next job becomes due or the next lease passes.
pub(super) async fn next_due(driver: &Driver) -> Result<Option<OffsetDateTime>, StoreError> {
    let text = "MATCH (j:Job) WHERE j.stage IN ['waiting', 'held']
        RETURN min(CASE j.stage WHEN 'waiting' THEN j.due ELSE j.lease_until END) AS next";
    let next = all(driver, "looking for the next job", Statement::new(text), |row| {
        row.maybe_moment("next")
    })
    .await?;
    Ok(next.into_iter().next().flatten())
}

/// An operation's checkpoint.
pub(super) async fn checkpoint(driver: &Driver, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
    let text = "MATCH (j:Job {id: $id}) RETURN j.checkpoint AS checkpoint";
    let find = Statement::new(text).with("id", id.to_string());
    let found = all(driver, "reading a checkpoint", find, |row| row.maybe("checkpoint")).await?;
    found.into_iter().next().ok_or(StoreError::NotFound { what: "job" })
}

async fn all<T>(
    driver: &Driver,
    doing: &'static str,
    statement: Statement,
    read: impl Fn(&Row) -> Outcome<T>,
) -> Result<Vec<T>, StoreError> {
    let rows = driver.read(doing, statement).await?;
    let read: Outcome<Vec<T>> = rows.iter().map(read).collect();
    read.map_err(|trouble| trouble.while_doing(doing))
}
