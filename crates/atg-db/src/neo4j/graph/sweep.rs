//! Removing what a complete read did not see, in bounded transactions.

use atg_models::graph::{CollectionKey, CollectionState, ScanHandle};

use crate::graph_store::Swept;
use crate::limits;
use crate::neo4j::driver::{Outcome, Statement, Tx};
use crate::neo4j::graph::edit::{Edit, Id};
use crate::neo4j::graph::ledger::{Entry, entry, note_swept};
use crate::neo4j::graph::scan::{Held, changed, hold};

/// One step of a sweep.
pub(super) struct Step {
    pub(super) swept: Swept,
    /// Whether nothing is left to do.
    pub(super) done: bool,
}

/// Removes a bounded part of what the collection owns and this generation did not see. The
/// ledger's proof is looked at again in each step.
pub(super) async fn sweep_some(tx: &mut Tx<'_>, handle: &ScanHandle, collection: &CollectionKey) -> Outcome<Step> {
    let held = hold(tx, handle).await?;
    if let Some(step) = taken_before(tx, &held).await? {
        return Ok(step);
    }
    let entry = entry(tx, &held, collection).await?;
    let mut swept = Swept::default();
    if held.ended || !is_proved(&entry) {
        return Ok(Step { swept, done: true });
    }
    let mut edit = Edit::new(held);
    let unseen = unseen(tx, &held, collection).await?;
    if unseen.is_empty() {
        swept.listed = edit.unlist_unrenewed(tx, collection, limits::SWEEP_ROWS).await?;
    } else {
        edit.load_leaving(tx, &unseen).await?;
        for id in &unseen {
            edit.remove(id)?;
            swept.nodes += 1;
        }
    }
    let done = swept == Swept::default();
    if done {
        note_swept(tx, &entry).await?;
    } else {
        edit.settle(tx).await?;
        changed(tx, held.tenant_id).await?;
    }
    let step = Step { swept, done };
    note_step(tx, &held, &step).await?;
    Ok(step)
}

fn is_proved(entry: &Entry) -> bool {
    entry.sweepable && !entry.swept && entry.state == CollectionState::Complete
}

/// Some of what the collection owns and this generation did not see.
async fn unseen(tx: &mut Tx<'_>, held: &Held, collection: &CollectionKey) -> Outcome<Vec<Id>> {
    // What has gone has no owner any more, so that the next step does not meet it.
    const FIND: &str =
        "MATCH (n:Entity) WHERE n.owner = $owner AND n.gen < $gen AND n.tenant_id = $tenant AND n.observed
        RETURN n.id AS id LIMIT $limit";
    let statement = Statement::new(FIND)
        .with("owner", collection.as_str())
        .with("gen", held.generation)
        .with("tenant", held.tenant_id.to_string())
        .with("limit", limits::SWEEP_ROWS);
    let rows = tx.run(statement).await?;
    rows.iter().map(|row| Ok(row.text("id")?.into())).collect()
}

/// Notes what a step came to, for its scan and for another try of this transaction.
async fn note_step(tx: &mut Tx<'_>, held: &Held, step: &Step) -> Outcome<()> {
    const NOTE: &str = "MATCH (s:Scan {id: $scan}) SET s.removed = s.removed + $nodes,
        s.sweep_mark = $mark, s.sweep_nodes = $nodes, s.sweep_listed = $listed, s.sweep_done = $done";
    let statement = Statement::new(NOTE)
        .with("scan", held.scan_id.to_string())
        .with("mark", tx.mark())
        .with("nodes", step.swept.nodes)
        .with("listed", step.swept.listed)
        .with("done", step.done);
    tx.run(statement).await.map(drop)
}

/// What this very transaction came to, if it was carried out and its end was not known.
async fn taken_before(tx: &mut Tx<'_>, held: &Held) -> Outcome<Option<Step>> {
    const FIND: &str = "MATCH (s:Scan {id: $scan}) WHERE s.sweep_mark = $mark
        RETURN s.sweep_nodes AS nodes, s.sweep_listed AS listed, s.sweep_done AS done";
    let statement = Statement::new(FIND)
        .with("scan", held.scan_id.to_string())
        .with("mark", tx.mark());
    let Some(row) = tx.one(statement).await? else {
        return Ok(None);
    };
    let swept = Swept {
        nodes: row.count("nodes")?,
        listed: row.count("listed")?,
    };
    let done = row.get("done")?;
    Ok(Some(Step { swept, done }))
}
