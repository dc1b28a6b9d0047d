//! The rows of the world by id: made once when they are first asked for, so that filters and pages
//! need not make every row again. Only ids and types are kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::fault::{Fault, FaultKind};
use crate::seeded;
use crate::sim::Sim;
use crate::world::Table;

/// Rows that a delegated subscription of another tenant shows.
const DELEGATED_ROWS: usize = 5;

/// Where a row stands, and what filters ask most.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) table: Table,
    pub(crate) index: usize,
    /// The id in lower case.
    pub(crate) lower: Box<str>,
    /// The type in lower case.
    pub(crate) kind: Arc<str>,
    /// A row that is not of the world.
    pub(crate) extra: Option<Arc<Value>>,
}

impl Entry {
    /// The subscription of its id.
    pub(crate) fn subscription(&self) -> Option<&str> {
        subscription(&self.lower)
    }

    /// The whole row as the world has it.
    pub(crate) fn row(&self, sim: &Sim) -> Option<Value> {
        match &self.extra {
            Some(row) => Some(Value::clone(row)),
            None => sim.world.row(self.table, self.index),
        }
    }
}

/// The indexes made so far.
#[derive(Default)]
pub(crate) struct Tables {
    made: Mutex<HashMap<Table, Arc<Vec<Entry>>>>,
}

impl Tables {
    /// Forgets all, after the world has changed.
    pub(crate) fn clear(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A table's entries, sorted by id.
    pub(crate) fn get(&self, sim: &Sim, table: Table) -> Arc<Vec<Entry>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(made.entry(table).or_insert_with(|| Arc::new(build(sim, table))))
    }
}

/// The subscription segment of a lower-cased id.
pub(crate) fn subscription(lower: &str) -> Option<&str> {
    // Two of the published examples have a blank in front.
    lower
        .trim_start()
        .strip_prefix("/subscriptions/")
        .and_then(|rest| rest.split('/').next())
}

/// The subscription that a fault takes away: the named one, or the one of that number.
pub(crate) fn forbidden_subscription(sim: &Sim, fault: &Fault) -> Option<String> {
    if let Some(target) = &fault.target {
        return Some(target.to_ascii_lowercase());
    }
    let entries = sim.tables.get(sim, Table::Subscriptions);
    let own: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.extra.is_none())
        .filter_map(Entry::subscription)
        .collect();
    let count = seeded::wide(own.len()).max(1);
    own.get(seeded::narrow(fault.value.unwrap_or(0) % count))
        .map(|id| (*id).to_owned())
}

/// A field of a row as lower-cased text.
pub(crate) fn lower_field(row: &Value, name: &str) -> String {
    row.get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn build(sim: &Sim, table: Table) -> Vec<Entry> {
    let mut kinds: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut entries = Vec::new();
    let mut add = |row: &Value, index: usize, extra: Option<Arc<Value>>| {
        let kind = lower_field(row, "type");
        let kind = kinds.get(kind.as_str()).cloned().unwrap_or_else(|| {
            let kind: Arc<str> = kind.into();
            kinds.insert(Arc::clone(&kind));
            kind
        });
        let lower = lower_field(row, "id").into_boxed_str();
        entries.push(Entry {
            table,
            index,
            lower,
            kind,
            extra,
        });
    };
    for index in 0..sim.world.len(table) {
        if let Some(row) = sim.world.row(table, index) {
            add(&row, index, None);
        }
    }
    for row in delegated(sim, table) {
        add(&row, usize::MAX, Some(Arc::new(row.clone())));
    }
    entries.sort_by(|left, right| left.lower.cmp(&right.lower));
    entries
}

/// The rows of the delegated subscription: copies of this tenant's under other ids.
fn delegated(sim: &Sim, table: Table) -> Vec<Value> {
    let wanted = if table == Table::Subscriptions {
        1
    } else if matches!(table, Table::ResourceGroups | Table::Resources) {
        DELEGATED_ROWS
    } else {
        0
    };
    if wanted == 0 || !sim.is_armed(FaultKind::DelegatedSubscription) {
        return Vec::new();
    }
    let foreign = sim.foreign_tenant();
    let foreign_subscription = seeded::uuid(sim.config.seed, "delegated subscription");
    (0..sim.world.len(table))
        .filter_map(|index| sim.world.row(table, index))
        .filter_map(|row| {
            let id = lower_field(&row, "id");
            let own = subscription(&id)?.to_owned();
            let text = row.to_string();
            let text = replace_ignoring_case(&text, &own, &foreign_subscription);
            let text = replace_ignoring_case(&text, &sim.tenant(), &foreign);
            serde_json::from_str(&text).ok()
        })
        .take(wanted)
        .collect()
}

/// Replaces a text that is of ASCII letters, digits and hyphens, whatever its casing.
pub(crate) fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let from = from.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (found, hit) in lower.match_indices(&from) {
        out.push_str(text.get(at..found).unwrap_or_default());
        out.push_str(to);
        at = found + hit.len();
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
