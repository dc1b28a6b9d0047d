//! `resource_limit`: how many resources may still be stored.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use atg_models::graph::{GraphBatch, NodeKind};

/// Counts resources down, over all partitions of a scan.
pub(super) struct ResourceLimit(Mutex<State>);

struct State {
    left: Option<u64>,
    cut: bool,
    /// Sources whose pages hold resources.
    sources: BTreeSet<String>,
}

/// What a page became.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Resources that are in it now.
    pub(super) resources: u64,
    /// Whether some were cut off.
    pub(super) cut: bool,
}

impl ResourceLimit {
    /// No limit when `limit` is `None`; `used` were stored by earlier attempts.
    pub(super) fn new(limit: Option<u64>, used: u64) -> Self {
        Self(Mutex::new(State {
            left: limit.map(|limit| limit.saturating_sub(used)),
            cut: false,
            sources: BTreeSet::new(),
        }))
    }

    /// Cuts the resources beyond the limit off a page of `source`.
    pub(super) fn take(&self, source: &str, batch: &mut GraphBatch) -> Taken {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = count(batch);
        let Some(left) = state.left else {
            return Taken {
                resources: found,
                cut: false,
            };
        };
        if found > 0 && !state.sources.contains(source) {
            state.sources.insert(source.to_owned());
        }
        let resources = found.min(left);
        state.left = Some(left.saturating_sub(resources));
        let cut = found > resources;
        if cut {
            state.cut = true;
            let mut room = resources;
            batch.observations.retain(|observation| {
                if observation.node.kind != NodeKind::Resource {
                    return true;
                }
                let kept = room > 0;
                room = room.saturating_sub(1);
                kept
            });
        }
        Taken { resources, cut }
    }

    /// Whether reading `source` on is of no use: its pages hold resources, none may be stored, and some
    /// were cut off already. Before that, what is left may be empty, and the scan complete.
    pub(super) fn is_used_up(&self, source: &str) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.cut && state.left == Some(0) && state.sources.contains(source)
    }

    /// Takes back what a page took that could not be stored.
    pub(super) fn give_back(&self, resources: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.left = state.left.map(|left| left.saturating_add(resources));
    }

    /// Whether there is a limit at all.
    pub(super) fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).left.is_some()
    }

    /// Whether something was cut off: nothing may be removed then.
    pub(super) fn has_cut(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cut
    }

    /// Notes that a collection was not read on its account.
    pub(super) fn note_cut(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cut = true;
    }
}

fn count(batch: &GraphBatch) -> u64 {
    let resources = batch
        .observations
        .iter()
        .filter(|observation| observation.node.kind == NodeKind::Resource)
        .count();
    u64::try_from(resources).unwrap_or(u64::MAX)
}
