//! Fills templates with resources, within what ARM takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::graph::{self, Edges};
use crate::template::ids::Scope;
use crate::template::item::Item;
use crate::template::limits::{
    FRAME_BYTES, PARAMETER_BYTES, PARAMETERS_MAX, RESOURCE_MAX_BYTES, RESOURCES_MAX, TEMPLATE_MAX_BYTES,
};
use crate::template::plan::Root;
use crate::template::value::Param;

/// What a template holds so far.
#[derive(Debug, Default)]
struct Load {
    bytes: usize,
    resources: usize,
    params: BTreeSet<String>,
}

/// Fills templates.
pub(super) struct Packer<'a> {
    /// All items.
    pub(super) items: &'a [Item],
    /// Their bytes.
    pub(super) size: &'a [usize],
    /// All parameters.
    pub(super) params: &'a BTreeMap<String, Param>,
    /// What is full.
    pub(super) roots: Vec<Root>,
}

impl Packer<'_> {
    /// The items of one root scope that can be deployed together.
    pub(super) fn part(&mut self, part: &[usize], edges: &Edges) {
        let number: BTreeMap<usize, usize> = part.iter().enumerate().map(|(at, item)| (*item, at)).collect();
        let inner: Edges = part
            .iter()
            .map(|item| {
                let before = edges.get(*item).into_iter().flatten();
                before.filter_map(|before| number.get(before).copied()).collect()
            })
            .collect();
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        let class: Vec<usize> = part
            .iter()
            .map(|at| {
                let key = match self.items.get(*at) {
                    Some(item) if matches!(item.scope, Scope::Group(..)) => item.scope.key(),
                    Some(_) | None => format!("#{at}"),
                };
                let next = classes.len();
                *classes.entry(key).or_insert(next)
            })
            .collect();
        let Some(scope) = part
            .first()
            .and_then(|at| self.items.get(*at))
            .map(|item| item.scope.root())
        else {
            return;
        };
        let mut load = Load::default();
        let mut open = Root::new(scope.clone());
        for group in graph::groups(&inner, &class) {
            let group: Vec<usize> = group.iter().filter_map(|at| part.get(*at).copied()).collect();
            for piece in self.pieces(&group) {
                let mut own = self.load(&piece);
                let whole = self.is_module(&piece);
                if whole {
                    own.resources = 1;
                    // Each module declares its parameters, and is given them.
                    own.bytes += FRAME_BYTES + own.param_bytes(self.params);
                }
                if !load.takes(&own, self.params, TEMPLATE_MAX_BYTES) {
                    let full = std::mem::replace(&mut open, Root::new(scope.clone()));
                    self.close(full, std::mem::take(&mut load));
                }
                load.add(own);
                if whole {
                    open.add_module(piece, self.items);
                } else {
                    open.items.extend(piece);
                }
            }
        }
        self.close(open, load);
    }

    fn close(&mut self, mut root: Root, load: Load) {
        root.params = load.params;
        if !root.items.is_empty() || !root.modules.is_empty() {
            self.roots.push(root);
        }
    }

    fn is_module(&self, piece: &[usize]) -> bool {
        let first = piece.first().and_then(|at| self.items.get(*at));
        first.is_some_and(|item| matches!(item.scope, Scope::Group(..)))
    }

    fn load(&self, items: &[usize]) -> Load {
        let mut load = Load::default();
        for at in items {
            load.bytes += self.size.get(*at).copied().unwrap_or_default();
            load.resources += 1;
            load.params.extend(
                self.items
                    .get(*at)
                    .into_iter()
                    .flat_map(|item| item.params.iter().cloned()),
            );
        }
        load
    }

    /// Cuts a group's items so that each piece is a template within the limits.
    fn pieces(&self, group: &[usize]) -> Vec<Vec<usize>> {
        let mut pieces = Vec::new();
        let mut load = Load::default();
        let mut open = Vec::new();
        for at in group {
            let own = self.load(std::slice::from_ref(at));
            if !load.takes(&own, self.params, RESOURCE_MAX_BYTES - FRAME_BYTES) {
                pieces.push(std::mem::take(&mut open));
                load = Load::default();
            }
            load.add(own);
            open.push(*at);
        }
        pieces.push(open);
        pieces
    }
}

impl Load {
    /// Whether `more` has room beside this. An empty template takes anything.
    fn takes(&self, more: &Self, params: &BTreeMap<String, Param>, max_bytes: usize) -> bool {
        let new = more.params.difference(&self.params).count();
        self.resources == 0
            || (self.resources + more.resources <= RESOURCES_MAX
                && self.params.len() + new <= PARAMETERS_MAX
                && self.bytes + more.bytes + self.param_bytes(params) + more.param_bytes(params) + FRAME_BYTES
                    <= max_bytes)
    }

    fn param_bytes(&self, params: &BTreeMap<String, Param>) -> usize {
        let params = self.params.iter().filter_map(|key| params.get(key));
        params.map(|param| PARAMETER_BYTES + param.texts_bytes()).sum()
    }

    fn add(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.resources += more.resources;
        self.params.extend(more.params);
    }
}
