//! The ledger as a running scan sees it, and what it tells of its progress.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use atg_jobs::OperationContext;
use atg_models::graph::{CollectionKey, CollectionState, LedgerEntry, Partition};
use atg_models::job::Progress;

use crate::limits::ROWS_IF_UNKNOWN;

/// Percentages: planning before, sweeping and closing after.
const READING_FROM: f64 = 2.0;
const READING_TO: f64 = 90.0;

/// What is known while a scan reads.
pub(super) struct Board {
    inner: Mutex<Inner>,
    subscriptions: BTreeMap<String, String>,
}

struct Inner {
    entries: BTreeMap<CollectionKey, LedgerEntry>,
    /// The steps under way, in the order in which they were begun: the first stands for all.
    steps: Vec<&'static str>,
    /// The last one that stood for all.
    phase: &'static str,
    resources: u64,
}

impl Board {
    /// Of a ledger; `resources` were stored by earlier attempts.
    pub(super) fn new(ledger: Vec<LedgerEntry>, subscriptions: &[(String, String)], resources: u64) -> Self {
        let entries = ledger
            .into_iter()
            .map(|entry| (entry.collection.clone(), entry))
            .collect();
        Self {
            inner: Mutex::new(Inner {
                entries,
                steps: Vec::new(),
                phase: "plan",
                resources,
            }),
            subscriptions: subscriptions.iter().cloned().collect(),
        }
    }

    /// A collection's entry.
    pub(super) fn entry(&self, collection: &CollectionKey) -> Option<LedgerEntry> {
        self.with(|inner| inner.entries.get(collection).cloned())
    }

    /// All entries, by key.
    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        self.with(|inner| inner.entries.values().cloned().collect())
    }

    /// A partition after a page, or after it began again.
    pub(super) fn moved(&self, collection: &CollectionKey, now: &Partition, resources: u64) {
        self.with(|inner| {
            inner.resources = inner.resources.saturating_add(resources);
            let Some(entry) = inner.entries.get_mut(collection) else {
                return;
            };
            entry.state = CollectionState::Reading;
            if let Some(partition) = entry.partitions.iter_mut().find(|partition| partition.key == now.key) {
                partition.clone_from(now);
            }
        });
    }

    /// A collection that nothing more is read of.
    pub(super) fn settled(&self, collection: &CollectionKey, state: CollectionState) {
        self.with(|inner| {
            if let Some(entry) = inner.entries.get_mut(collection) {
                entry.state = state;
            }
        });
    }

    /// A step is being read from now on.
    pub(super) fn begun(&self, step: &'static str) {
        self.with(|inner| {
            inner.steps.push(step);
            inner.phase = inner.steps.first().copied().unwrap_or(step);
        });
    }

    /// A step was read.
    pub(super) fn ended(&self, step: &'static str) {
        self.with(|inner| {
            inner.steps.retain(|under_way| *under_way != step);
            inner.phase = inner.steps.first().copied().unwrap_or(inner.phase);
        });
    }

    /// Tells how far the reading is.
    pub(super) fn tell(&self, context: &dyn OperationContext, current: Option<&CollectionKey>) {
        let (phase, resources, fraction) = self.with(|inner| {
            let (done, all) = inner
                .entries
                .values()
                .map(weigh)
                .fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            let fraction = if all > 0.0 { done / all } else { 0.0 };
            (inner.phase, inner.resources, fraction)
        });
        let percent = READING_FROM + (READING_TO - READING_FROM) * fraction;
        let message = format!("reading {phase}: {resources} resources so far");
        context.progress(Progress {
            phase: phase.to_owned(),
            current_subscription: current.and_then(|key| self.subscriptions.get(key.scope()).cloned()),
            ..self.progress(message, percent)
        });
    }

    /// Tells what comes after the reading.
    pub(super) fn tell_phase(&self, context: &dyn OperationContext, phase: &'static str, message: &str, percent: f64) {
        self.with(|inner| inner.phase = phase);
        context.progress(self.progress(message.to_owned(), percent));
    }

    fn progress(&self, message: String, percent: f64) -> Progress {
        let (phase, resources) = self.with(|inner| (inner.phase, inner.resources));
        Progress {
            phase: phase.to_owned(),
            message,
            percent,
            current_subscription: None,
            total_subscriptions: u64::try_from(self.subscriptions.len()).ok(),
            resources_discovered: Some(resources),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much of an entry is done, and how much there is, in rows as far as they are known.
fn weigh(entry: &LedgerEntry) -> (f64, f64) {
    let rows = approximate(entry.rows());
    let all = approximate(entry.expected.unwrap_or(ROWS_IF_UNKNOWN).max(1));
    if entry.state.is_settled() {
        return (all, all);
    }
    // The last tenth is for the collection's end.
    (rows.min(all * 0.9), all)
}

/// Percentages need no more than 32 bits of a count.
fn approximate(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
