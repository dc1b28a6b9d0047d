//! Storing a page, with its ledger progress, in one transaction.

use atg_models::graph::ScanHandle;

use crate::StoreError;
use crate::graph_rules::Ready;
use crate::graph_store::Applied;
use crate::neo4j::driver::{Outcome, Tx};
use crate::neo4j::graph::edit::{Edit, Stored};
use crate::neo4j::graph::ledger::{Noted, find_page};
use crate::neo4j::graph::scan::hold;

/// Stores a page. One that was stored already changes nothing.
pub(super) async fn apply(tx: &mut Tx<'_>, handle: &ScanHandle, page: &Ready) -> Outcome<Applied> {
    let held = hold(tx, handle).await?;
    let place = match find_page(tx, &held, &page.progress).await? {
        Noted::New(place) => place,
        Noted::Before(applied) => return Ok(applied),
    };
    if held.ended {
        return Err(StoreError::Fenced { what: "scan" }.into());
    }
    let mut applied = Applied::default();
    let changes = !page.observations.is_empty() || !page.listed.is_empty();
    if changes {
        let mut edit = Edit::new(held);
        edit.load_page(tx, page).await?;
        for observation in &page.observations {
            match edit.observe(observation)? {
                Stored::Written => applied.written += 1,
                Stored::Unchanged => applied.unchanged += 1,
                Stored::Passed => {}
            }
        }
        let collection = page.progress.collection.as_str().into();
        for listed in &page.listed {
            edit.list(listed, &collection)?;
        }
        edit.settle(tx).await?;
    }
    place.note(tx, &held, &page.progress, applied, changes).await?;
    Ok(applied)
}
