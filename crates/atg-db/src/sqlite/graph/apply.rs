//! Storing a page, with its ledger progress, in one transaction.

use atg_models::graph::ScanHandle;
use rusqlite::params;

use crate::StoreError;
use crate::graph_rules::Ready;
use crate::graph_store::Applied;
use crate::sqlite::fault::{Outcome, int};
use crate::sqlite::graph::edit::Edit;
use crate::sqlite::graph::ledger::note_page;
use crate::sqlite::graph::observe::Stored;
use crate::sqlite::graph::prepare::Blob;
use crate::sqlite::graph::scan::hold;
use crate::sqlite::writer::Session;

/// Stores a page. One that was stored already changes nothing.
pub(super) fn apply(session: &mut Session, handle: &ScanHandle, page: &Ready<Blob>) -> Outcome<Applied> {
    let held = hold(&session.connection, handle)?;
    if !note_page(&session.connection, held.k, &page.progress)? {
        return Ok(Applied::default());
    }
    if held.ended {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    let mut edit = Edit::new(session, held.t, held.generation, held.started_at);
    let mut applied = Applied::default();
    for observation in &page.observations {
        match edit.observe(observation)? {
            Stored::Written => applied.written += 1,
            Stored::Unchanged => applied.unchanged += 1,
            Stored::Passed => {}
        }
    }
    if !page.listed.is_empty() {
        let coll_k = edit.collection(page.progress.collection.as_str())?;
        for listed in &page.listed {
            edit.list(listed, coll_k)?;
        }
    }
    edit.settle()?;
    session
        .connection
        .prepare_cached("UPDATE scan SET written = written + ?2, unchanged = unchanged + ?3 WHERE k = ?1")?
        .execute(params![held.k, int(applied.written), int(applied.unchanged)])?;
    Ok(applied)
}
