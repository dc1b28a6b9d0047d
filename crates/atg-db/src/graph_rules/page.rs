//! A page, checked and prepared before its transaction.

use atg_models::graph::{GraphBatch, LedgerProgress, ListedEdge, ScanHandle};

use crate::StoreError;
use crate::graph_rules::{Prepared, prepare};
use crate::limits;

/// A page, ready to be written.
pub(crate) struct Ready<B = String> {
    pub(crate) observations: Vec<Prepared<B>>,
    pub(crate) listed: Vec<ListedEdge>,
    pub(crate) progress: LedgerProgress,
}

/// Checks a page and does all of its work that needs no transaction. `pack` makes of a prepared
/// observation what the backend stores.
pub(crate) fn ready<B>(
    scan: &ScanHandle,
    batch: GraphBatch,
    progress: LedgerProgress,
    mut pack: impl FnMut(Prepared) -> Prepared<B>,
) -> Result<Ready<B>, StoreError> {
    let GraphBatch { observations, listed } = batch;
    too_large("page", observations.len() + listed.len(), limits::BATCH_ROWS)?;
    if observations.iter().any(|said| said.node.tenant_id != scan.tenant_id) {
        return Err(StoreError::Corrupt {
            doing: "storing a page",
            problem: "the page holds a node of another tenant".to_owned(),
        });
    }
    Ok(Ready {
        observations: observations
            .into_iter()
            .map(|said| prepare(said).map(&mut pack))
            .collect::<Result<_, _>>()?,
        listed,
        progress,
    })
}

/// Checks a size against its limit.
pub(crate) fn too_large(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    Err(StoreError::TooLarge { what, limit })
}
