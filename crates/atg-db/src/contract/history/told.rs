//! Telling a scan to two stores.

use atg_models::graph::{
    CollectionState, GraphBatch, LedgerProgress, Node, Observation, Partition, PartitionKey, PlannedCollection,
    Relation, ScanFilters, ScanHandle, ScanStart, Verdict,
};
use atg_models::{Fence, JobId, JobKind, Seq};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use super::compare;
use super::reality::{Reality, Row, collections};
use crate::contract::dice::Dice;
use crate::contract::world::{at, edge, end, ended};
use crate::{Derive, GraphStore, StoreError};

/// Says the same to both stores.
pub(super) struct Teller<'s, A, B> {
    pub(super) one: &'s A,
    pub(super) other: &'s B,
    pub(super) seed: u64,
}

/// Both answer alike, errors included.
macro_rules! both {
    ($teller:expr, $what:expr, |$store:ident| $call:expr) => {{
        let one = {
            let $store = $teller.one;
            $call.await
        };
        let other = {
            let $store = $teller.other;
            $call.await
        };
        assert_eq!(
            one.as_ref().map_err(short),
            other.as_ref().map_err(short),
            "seed {}: {}",
            $teller.seed,
            $what
        );
        one
    }};
}

impl<A: GraphStore, B: GraphStore> Teller<'_, A, B> {
    /// Reads what there is, in some order, with what can go wrong; then compares.
    pub(super) async fn scan(&mut self, dice: &mut Dice, reality: &Reality, number: usize) {
        let mut start = self.start(reality, number);
        if dice.chance(20) {
            start.started_at += time::Duration::days(100);
        }
        let mut handle = both!(self, "opening", |store| store.begin_scan(start.clone())).unwrap();
        self.plan(dice, handle).await;
        let mut rows = reality.rows();
        dice.shuffle(&mut rows);
        let mut pages = [[0_u64; 2]; 4];
        let mut first = true;
        while !rows.is_empty() {
            if dice.chance(5) {
                start.fence = start.fence.next();
                let late = handle;
                handle = both!(self, "taking over", |store| store.begin_scan(start.clone())).unwrap();
                let page = progress(0, 0, 99, false);
                both!(self, "a late page", |store| store.apply(
                    late,
                    GraphBatch::default(),
                    page.clone()
                ))
                .unwrap_err();
            }
            let (which, batch) = take_page(dice, &mut rows);
            let part = dice.below(2);
            pages[which][part] += 1;
            let progress = progress(which, part, pages[which][part], false);
            let tell = async |batch: GraphBatch| {
                both!(self, format!("a page {batch:?}"), |store| store.apply(
                    handle,
                    batch.clone(),
                    progress.clone()
                ))
            };
            tell(batch.clone()).await.unwrap();
            if dice.chance(10) {
                tell(batch).await.unwrap();
            }
            if first && dice.chance(20) {
                let part = PartitionKey(part.to_string());
                let collection = &collections()[which];
                both!(self, "a restart", |store| store
                    .restart_partition(handle, collection, &part))
                .unwrap();
            }
            first = false;
        }
        let whole = self.settle(dice, handle, pages).await;
        if dice.chance(15) {
            let derive: Derive = Arc::new(derived);
            both!(self, "deriving", |store| store.rederive(handle, Arc::clone(&derive))).unwrap();
        }
        if dice.chance(90) {
            let verdict = if whole { Verdict::Complete } else { Verdict::Partial };
            let mut end = ended(verdict);
            end.ended_at = start.started_at;
            both!(self, "closing", |store| store.finish_scan(handle, end.clone())).unwrap();
        }
        compare::scan(self.one, self.other, start.scan_id, self.seed).await;
        compare::tenant(self.one, self.other, reality.tenant, self.seed, dice).await;
    }

    fn start(&self, reality: &Reality, number: usize) -> ScanStart {
        let number = u128::try_from(number).unwrap();
        ScanStart {
            scan_id: JobId::new(JobKind::Scan, Uuid::from_u128((u128::from(self.seed) << 32) | number)),
            fence: Fence::new(1),
            tenant_id: reality.tenant,
            principal: "reader".to_owned(),
            filters: ScanFilters::default(),
            started_at: at(i64::try_from(number).unwrap()),
        }
    }

    async fn plan(&self, dice: &mut Dice, handle: ScanHandle) {
        let plan: Vec<_> = collections()
            .into_iter()
            .map(|collection| PlannedCollection {
                collection,
                sweepable: dice.chance(90),
                expected: None,
                partitions: vec![PartitionKey("0".to_owned()), PartitionKey("1".to_owned())],
            })
            .collect();
        both!(self, "planning", |store| store.plan(handle, plan.clone())).unwrap();
    }

    /// Ends every collection in some way, and sweeps. Whether all were read whole.
    async fn settle(&self, dice: &mut Dice, handle: ScanHandle, pages: [[u64; 2]; 4]) -> bool {
        let mut whole = true;
        let keys = collections();
        for (which, key) in keys.iter().enumerate() {
            for (part, read) in pages[which].iter().enumerate() {
                let progress = progress(which, part, read + 1, true);
                both!(self, "the last page", |store| store.apply(
                    handle,
                    GraphBatch::default(),
                    progress.clone()
                ))
                .unwrap();
            }
            let state = match dice.below(10) {
                0 => CollectionState::Failed {
                    reason: "cut".to_owned(),
                },
                1 => CollectionState::Forbidden {
                    permission: "Reader".to_owned(),
                },
                _ => CollectionState::Complete,
            };
            whole &= state == CollectionState::Complete;
            both!(self, "settling", |store| store.settle(handle, key, state.clone())).unwrap();
        }
        for key in &keys {
            both!(self, "sweeping", |store| store.sweep(handle, key)).unwrap();
        }
        whole
    }
}

/// How far a partition was read with a page.
fn progress(which: usize, part: usize, page: u64, done: bool) -> LedgerProgress {
    LedgerProgress {
        collection: collections()[which].clone(),
        partition: Partition {
            key: PartitionKey(part.to_string()),
            cursor: (!done).then(|| format!("after {page}")),
            pages: page,
            rows: page,
            done,
        },
        page: Seq::new(page),
    }
}

/// Some rows of the collection that comes first.
fn take_page(dice: &mut Dice, rows: &mut Vec<(usize, Row)>) -> (usize, GraphBatch) {
    let (which, _) = rows[0];
    let size = 1 + dice.below(8);
    let mut batch = GraphBatch::default();
    rows.retain(|(of, row)| {
        let take = *of == which && batch.observations.len() + batch.listed.len() < size;
        match row {
            Row::Body(said) if take => batch.observations.push(said.as_ref().clone()),
            Row::Listed(edge) if take => batch.listed.push(edge.as_ref().clone()),
            Row::Body(_) | Row::Listed(_) => {}
        }
        !take
    });
    (which, batch)
}

/// Rules that read bodies otherwise than before.
fn derived(node: &Node) -> Observation {
    let mut edges = Vec::new();
    if let Ok(id) = node.display_id.parse() {
        let other = crate::contract::world::vnet("Derived");
        edges.push(edge(end(&id), Relation::Uses, end(&other)));
    }
    let mut node = node.clone();
    node.body = Some(json!({}));
    Observation {
        node,
        edges,
        aliases: vec![crate::contract::world::alias("host1")],
        lookups: Vec::new(),
    }
}

/// An error as the caller sees it.
pub(super) fn short(error: &StoreError) -> String {
    error.to_string()
}
