//! Resources that wait for each other: one of them stops waiting, and its reader is told. And resources that
//! cannot be made at the same time: they take turns.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::graph::{self, Edges, components};
use crate::template::item::Item;
use crate::template::value::{Expr, Key, Value};

/// Breaks all cycles. Afterwards the edges of the items have none.
pub(crate) fn cut(items: &mut [Item]) {
    loop {
        let edges = edges(items);
        let component = components(&edges);
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, number) in component.iter().enumerate() {
            members.entry(*number).or_default().push(at);
        }
        members.retain(|_, members| members.len() > 1);
        if members.is_empty() {
            return;
        }
        for members in members.into_values() {
            let inside: BTreeSet<usize> = members.iter().copied().collect();
            let held = |at: &usize| {
                items
                    .get(*at)
                    .and_then(|item| item.holder)
                    .is_some_and(|by| inside.contains(&by))
            };
            // What holds another comes before it by its id, so one of them is held by none of the others.
            let Some(first) = members.iter().copied().find(|at| !held(at)) else {
                continue;
            };
            cut_one(items, first, &inside);
        }
    }
}

/// The namespace whose parents take one change at a time: children that are deployed side by side are refused
/// with `AnotherOperationInProgress`. Source: Azure Resource Manager, "Resolve common deployment errors".
const ONE_AT_A_TIME: &str = "Microsoft.Network/";

/// Lets the children of one parent take turns where the parent needs that. No cycle comes of it, because they
/// wait in an order that they already have.
pub(crate) fn take_turns(items: &mut [Item]) {
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for at in graph::order(&edges(items)) {
        let Some(item) = items.get_mut(at) else {
            continue;
        };
        let is_child = item.names.len() > 1 && item.type_.starts_with(ONE_AT_A_TIME);
        if let Some(holder) = item.holder.filter(|_| is_child)
            && let Some(before) = last.insert(holder, at)
        {
            item.uses.insert(before);
        }
    }
}

/// For each item those that come before it.
pub(crate) fn edges(items: &[Item]) -> Edges {
    items.iter().map(|item| item.needs().collect()).collect()
}

fn cut_one(items: &mut [Item], at: usize, inside: &BTreeSet<usize>) {
    let labels: BTreeMap<usize, String> = inside
        .iter()
        .filter_map(|at| Some((*at, items.get(*at)?.label())))
        .collect();
    let Some(item) = items.get_mut(at) else {
        return;
    };
    item.uses.retain(|other| !inside.contains(other));
    let mut cut = Cut {
        own: at,
        labels: &labels,
        notes: Vec::new(),
    };
    for (key, value) in &mut item.members {
        if let Key::Text(name) = key {
            cut.value(value, name);
        }
    }
    item.notes.extend(cut.notes);
}

struct Cut<'a> {
    own: usize,
    labels: &'a BTreeMap<usize, String>,
    notes: Vec<(String, String)>,
}

impl Cut<'_> {
    fn value(&mut self, value: &mut Value, path: &str) {
        match value {
            // What another resource says about itself cannot be had without waiting for it.
            Value::Expr(Expr::Attr(of, _, read)) if self.is_cut(*of, path) => *value = Value::Text(read.clone()),
            Value::Expr(expr) => self.expr(expr, path),
            Value::List(items) => items.iter_mut().for_each(|item| self.value(item, path)),
            Value::Map(members) => {
                for (key, member) in members {
                    let below = match key {
                        Key::Text(name) => format!("{path}.{name}"),
                        Key::Expr(expr) => {
                            self.expr(expr, path);
                            path.to_owned()
                        }
                    };
                    self.value(member, &below);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    fn expr(&mut self, expr: &mut Expr, path: &str) {
        if let Expr::Id(target) = expr
            && target.waits
            && target.of.is_some_and(|of| self.is_cut(of, path))
        {
            target.waits = false;
        }
    }

    fn is_cut(&mut self, of: usize, path: &str) -> bool {
        let Some(label) = self.labels.get(&of).filter(|_| of != self.own) else {
            return false;
        };
        let note = format!("{label} needs this one too; it is named here and not waited for");
        self.notes.push((path.to_owned(), note));
        true
    }
}
