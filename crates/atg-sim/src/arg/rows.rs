//! What a query selects: the rows of its tables within the scope, in order.

use std::sync::Arc;

use serde_json::Value;

use super::eval::{self, Columns};
use super::kql::{Expr, Query, Step};
use crate::disguise;
use crate::seeded;
use crate::sim::Sim;
use crate::tables::Entry;
use crate::world::Table;

/// Which subscriptions a query looks at; management groups are resolved before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// In lower case; `None` is the whole tenant.
    pub(crate) subscriptions: Option<Vec<String>>,
    /// May not be read: its rows are absent.
    pub(crate) forbidden: Option<String>,
}

/// The outcome of a query.
pub(crate) enum Selected {
    /// Rows that are made when their page is asked for, and the steps that each goes through.
    Lazy {
        entries: Vec<Entry>,
        steps: Vec<Step>,
        ordered: bool,
    },
    /// Rows that exist only as a whole.
    Made(Vec<Value>),
}

impl Selected {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Lazy { entries, .. } => entries.len(),
            Self::Made(rows) => rows.len(),
        }
    }

    /// The rows of a range. Without an order each call has an order of its own, as the real service.
    pub(crate) fn rows(&self, sim: &Sim, start: usize, end: usize) -> Vec<Value> {
        let count = end.saturating_sub(start);
        match self {
            Self::Made(rows) => rows.iter().skip(start).take(count).cloned().collect(),
            Self::Lazy {
                entries,
                steps,
                ordered,
            } => {
                let mut picks: Vec<&Entry> = entries.iter().collect();
                if !ordered {
                    let seed = seeded::pair(sim.config.order_seed.unwrap_or(0), sim.number());
                    disguise::permute(&mut picks, seed, |entry| seeded::hash(0, &entry.lower));
                }
                let rows = picks.into_iter().skip(start).take(count);
                rows.filter_map(|entry| arg_row(sim, entry))
                    .filter_map(|row| steps.iter().try_fold(row, |row, step| eval::row_step(step, row)))
                    .collect()
            }
        }
    }
}

/// The world's tables behind a table of the query language.
pub(crate) fn tables(name: &str) -> Option<&'static [Table]> {
    match name {
        "resources" => Some(&[Table::Resources]),
        "resourcecontainers" => Some(&[Table::ManagementGroups, Table::Subscriptions, Table::ResourceGroups]),
        "authorizationresources" => Some(&[Table::RoleAssignments, Table::RoleDefinitions]),
        "policyresources" | "advisorresources" | "resourcechanges" | "securityresources" | "healthresources" => {
            Some(&[])
        }
        _ => None,
    }
}

/// Runs a query over the world.
pub(crate) fn select(sim: &Sim, query: &Query, tables: &[Table], scope: &Scope) -> Selected {
    let filters = query
        .steps
        .iter()
        .take_while(|step| matches!(step, Step::Where(_)))
        .count();
    let (filters, rest) = query.steps.split_at(filters);
    let mut entries: Vec<Entry> = Vec::new();
    for table in tables {
        let all = sim.tables.get(sim, *table);
        entries.extend(
            all.iter()
                .filter(|entry| in_scope(entry, scope))
                .filter(|entry| passes(sim, entry, filters))
                .cloned(),
        );
    }
    entries.sort_by(|left, right| left.lower.cmp(&right.lower));
    let order = by_id(rest);
    if order == Order::Other {
        let mut rows: Vec<Value> = entries.iter().filter_map(|entry| arg_row(sim, entry)).collect();
        if let Some(seed) = sim.config.order_seed {
            disguise::permute(&mut rows, seed, |row| seeded::hash(0, &row.to_string()));
        }
        return Selected::Made(rest.iter().fold(rows, |rows, step| eval::table_step(step, rows)));
    }
    if order == Order::Descending {
        entries.reverse();
    }
    let steps = rest
        .iter()
        .filter(|step| !matches!(step, Step::Order(_)))
        .cloned()
        .collect();
    Selected::Lazy {
        entries,
        steps,
        ordered: order != Order::None,
    }
}

/// A row as Resource Graph shows it.
pub(crate) fn arg_row(sim: &Sim, entry: &Entry) -> Option<Value> {
    let mut row = entry.row(sim)?;
    if let Value::Object(map) = &mut row {
        map.remove("apiVersion");
        // Types come in lower case, whatever they were written in.
        map.insert("type".to_owned(), Value::String(entry.kind.to_string()));
        if let Some(Value::String(group)) = map.get_mut("resourceGroup") {
            *group = group.to_ascii_lowercase();
        }
    }
    if let Some(seed) = sim.config.casing_seed {
        disguise::recase(&mut row, seeded::hash(seed, &entry.lower));
    }
    Some(row)
}

fn in_scope(entry: &Entry, scope: &Scope) -> bool {
    let own = entry.subscription();
    if own.is_some() && own == scope.forbidden.as_deref() {
        return false;
    }
    match (&scope.subscriptions, own) {
        (None, _) => true,
        (Some(listed), Some(own)) => listed.iter().any(|listed| listed == own),
        (Some(_), None) => false,
    }
}

fn passes(sim: &Sim, entry: &Entry, filters: &[Step]) -> bool {
    let lean = Lean {
        sim,
        entry,
        row: std::cell::OnceCell::new(),
    };
    filters
        .iter()
        .all(|step| !matches!(step, Step::Where(predicate) if !eval::truth(predicate, &lean)))
}

/// What the steps behind the filters make of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Rows go through one by one, in no order.
    None,
    /// One by one, by id.
    Ascending,
    Descending,
    /// The rows are needed as a whole.
    Other,
}

fn by_id(steps: &[Step]) -> Order {
    let mut order = Order::None;
    for step in steps {
        match step {
            Step::Project(columns) | Step::Extend(columns) => {
                let renames_id = columns.iter().any(|(name, expr)| name == "id" && !is_id(expr));
                if renames_id {
                    return Order::Other;
                }
            }
            Step::Order(keys) => match keys.first() {
                Some((key, true)) if is_id(key) => order = Order::Descending,
                Some((key, false)) if is_id(key) => order = Order::Ascending,
                _ => return Order::Other,
            },
            Step::Where(_) | Step::Summarize { .. } | Step::Distinct(_) | Step::Count | Step::Take(_) => {
                return Order::Other;
            }
            Step::ProjectAway(_) => {}
        }
    }
    order
}

fn is_id(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.len() == 1 && path.first().is_some_and(|name| name == "id"),
        Expr::Call(name, arguments) => name == "tolower" && arguments.first().is_some_and(is_id),
        Expr::Literal(_) | Expr::Binary(..) | Expr::In(..) => false,
    }
}

/// A row that is only made when a filter asks for more than its id says.
struct Lean<'a> {
    sim: &'a Sim,
    entry: &'a Entry,
    row: std::cell::OnceCell<Option<Value>>,
}

impl Columns for Lean<'_> {
    fn lower_id(&self) -> Option<String> {
        Some(self.entry.lower.to_string())
    }

    fn column(&self, name: &str) -> Option<Value> {
        match name {
            "type" => Some(Value::String(self.entry.kind.to_string())),
            // Ids and subscriptions are compared in lower case by all who mean to be right; whoever
            // compares with `==` gets the spelling of the row.
            "subscriptionId" if self.entry.table == Table::Resources => {
                Some(Value::String(self.entry.subscription().unwrap_or_default().to_owned()))
            }
            _ => self
                .row
                .get_or_init(|| arg_row(self.sim, self.entry))
                .as_ref()
                .and_then(|row| row.column(name)),
        }
    }
}

/// Shares a selection between the calls that page through it.
pub(crate) type Shared = Arc<Selected>;
