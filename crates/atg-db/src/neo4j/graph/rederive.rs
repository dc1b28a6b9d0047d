//! Deriving all edges of a tenant again, after the rules have changed.

use atg_models::graph::ScanHandle;

use crate::graph_rules::Prepared;
use crate::neo4j::driver::{Outcome, Tx};
use crate::neo4j::graph::edit::Edit;
use crate::neo4j::graph::scan::{changed, hold_open};

/// Nodes in one transaction.
pub(super) const CHUNK_NODES: u32 = 200;

/// Replaces what these bodies said before. A node that is not observed any more is passed over.
pub(super) async fn rederive_some(tx: &mut Tx<'_>, handle: &ScanHandle, derived: &[Prepared]) -> Outcome<()> {
    let held = hold_open(tx, handle).await?;
    let mut edit = Edit::new(held);
    edit.load_derived(tx, derived).await?;
    for new in derived {
        edit.derive(new)?;
    }
    edit.settle(tx).await?;
    changed(tx, held.tenant_id).await
}
