//! Removing what is past its time, a job at a time: its log may be long.

use atg_models::{JobId, Seq};
use time::OffsetDateTime;

use crate::StoreError;
use crate::neo4j::driver::{Driver, Outcome, Statement, Tx, transaction};
use crate::neo4j::jobs::events;
use crate::neo4j::limits::PURGE_ROWS;

/// The jobs that may go, the oldest first.
pub(super) async fn find(driver: &Driver, before: OffsetDateTime, limit: u32) -> Result<Vec<JobId>, StoreError> {
    let doing = "looking for old jobs";
    let text = "MATCH (j:Job) WHERE j.completed_at < $before
        RETURN j.id AS id ORDER BY j.completed_at LIMIT $limit";
    let find = Statement::new(text).with("before", before).with("limit", limit);
    let rows = driver.read(doing, find).await?;
    let ids: Outcome<Vec<JobId>> = rows.iter().map(|row| row.parsed("id")).collect();
    ids.map_err(|trouble| trouble.while_doing(doing))
}

/// Removes a job and its log. One that is not there any more is removed, whoever did it.
pub(super) async fn remove(driver: &Driver, id: JobId) -> Result<(), StoreError> {
    transaction!(driver, "removing an old job", |tx| async {
        let lock = Statement::new("MATCH (j:Job {id: $id}) SET j._lock = $mark");
        let mark = tx.mark().to_owned();
        tx.run(lock.with("id", id.to_string()).with("mark", mark)).await?;
        events::remove(tx, id, Seq::new(u64::MAX)).await?;
        let delete = Statement::new("MATCH (j:Job {id: $id}) DETACH DELETE j");
        tx.run(delete.with("id", id.to_string())).await.map(drop)
    });
    Ok(())
}

/// Forgets idempotency keys that were made before.
pub(super) async fn forget_keys(driver: &Driver, before: OffsetDateTime) -> Result<(), StoreError> {
    loop {
        let removed = transaction!(driver, "removing old idempotency keys", |tx| some_keys(tx, before));
        if removed < u64::from(PURGE_ROWS) {
            return Ok(());
        }
    }
}

async fn some_keys(tx: &mut Tx<'_>, before: OffsetDateTime) -> Outcome<u64> {
    let text = "MATCH (i:Idempotency) WHERE i.made_at < $before WITH i LIMIT $limit
        DELETE i RETURN count(i) AS removed";
    let delete = Statement::new(text).with("before", before).with("limit", PURGE_ROWS);
    tx.one(delete).await?.map_or(Ok(0), |row| row.count("removed"))
}
