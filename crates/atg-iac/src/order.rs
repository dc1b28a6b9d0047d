//! A stable order in which everything stands after what it refers to; cycles are broken and noted.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::{Item, Program};
use crate::select::Resource;
use crate::value::{Block, Val};

/// Orders the items. A reference that closes a cycle becomes the plain id, with a note.
pub(crate) fn order(program: &mut Program, resources: &[Resource]) {
    let addresses: Vec<String> = program.items.iter().map(Item::address).collect();
    let mut queue = Queue::new(&program.items, &addresses);
    while let Some(at) = queue.next_ready() {
        queue.done(at);
    }
    while let Some(at) = queue.first_waiting() {
        let own = addresses.get(at);
        let open = queue.waiting().into_iter().filter_map(|at| {
            let item = program.items.get(at)?;
            let id = resources.get(item.of)?.display_id.clone();
            let address = addresses.get(at).filter(|address| Some(*address) != own)?;
            Some((address.as_str(), id))
        });
        let open: Open<'_> = open.collect();
        if let Some(item) = program.items.get_mut(at) {
            cut(item, &open);
        }
        queue.done(at);
        while let Some(at) = queue.next_ready() {
            queue.done(at);
        }
    }
    let rank = queue.rank;
    let items = std::mem::take(&mut program.items);
    let mut ranked: Vec<_> = items
        .into_iter()
        .enumerate()
        .map(|(at, item)| (rank.get(&at).copied().unwrap_or_default(), item))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    program.items = ranked.into_iter().map(|(_, item)| item).collect();
}

struct Queue<'a> {
    addresses: &'a [String],
    waits: Vec<usize>,
    needed_by: BTreeMap<usize, Vec<usize>>,
    ready: BTreeSet<(&'a str, usize)>,
    rank: BTreeMap<usize, usize>,
}

impl<'a> Queue<'a> {
    fn new(items: &[Item], addresses: &'a [String]) -> Self {
        let place: BTreeMap<&str, usize> = addresses
            .iter()
            .enumerate()
            .map(|(at, text)| (text.as_str(), at))
            .collect();
        let mut waits = vec![0; addresses.len()];
        let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for ((at, item), waits) in items.iter().enumerate().zip(&mut waits) {
            let targets = item.uses.iter().filter_map(|address| place.get(address.as_str()));
            for target in targets.filter(|target| **target != at) {
                needed_by.entry(*target).or_default().push(at);
                *waits += 1;
            }
        }
        let ready = addresses
            .iter()
            .enumerate()
            .filter(|(at, _)| waits.get(*at) == Some(&0))
            .map(|(at, address)| (address.as_str(), at))
            .collect();
        Self {
            addresses,
            waits,
            needed_by,
            ready,
            rank: BTreeMap::new(),
        }
    }

    fn next_ready(&mut self) -> Option<usize> {
        self.ready.pop_first().map(|(_, at)| at)
    }

    fn done(&mut self, at: usize) {
        let rank = self.rank.len();
        self.rank.insert(at, rank);
        for next in self.needed_by.get(&at).into_iter().flatten() {
            let Some(count) = self.waits.get_mut(*next) else {
                continue;
            };
            *count = count.saturating_sub(1);
            if *count == 0 && !self.rank.contains_key(next) {
                let address = self.addresses.get(*next).map_or("", String::as_str);
                self.ready.insert((address, *next));
            }
        }
    }

    fn waiting(&self) -> BTreeSet<usize> {
        (0..self.addresses.len())
            .filter(|at| !self.rank.contains_key(at))
            .collect()
    }

    /// The first by address of those in, or behind, a cycle.
    fn first_waiting(&self) -> Option<usize> {
        let waiting = self.waiting().into_iter();
        waiting.min_by_key(|at| self.addresses.get(*at))
    }
}

/// Addresses that still wait, each with the id of the resource behind it.
type Open<'a> = BTreeMap<&'a str, String>;

/// Replaces the references of `item` to what still waits by plain ids.
fn cut(item: &mut Item, open: &Open<'_>) {
    let mut cut = Vec::new();
    cut_block(&mut item.block, open, "", &mut cut);
    for (path, address) in cut {
        item.uses.remove(&address);
        let note = format!("{address} refers back to this; the plain id stands here instead of a reference");
        item.notes.push((path, note));
    }
}

fn cut_block(block: &mut Block, open: &Open<'_>, path: &str, cut: &mut Vec<(String, String)>) {
    for (name, value) in &mut block.attrs {
        cut_value(value, open, &format!("{path}{name}"), cut);
    }
    for (name, inner) in &mut block.blocks {
        for inner in inner {
            cut_block(inner, open, &format!("{path}{name}."), cut);
        }
    }
}

fn cut_value(value: &mut Val, open: &Open<'_>, path: &str, cut: &mut Vec<(String, String)>) {
    match value {
        Val::Ref { address, attr, rest } => {
            let Some(id) = open.get(address.as_str()) else {
                return;
            };
            cut.push((path.to_owned(), address.clone()));
            *value = match attr.as_str() {
                "id" => Val::Text(format!("{id}{rest}")),
                _ => Val::Text(id.rsplit('/').next().unwrap_or_default().to_owned()),
            };
        }
        Val::List(items) => items.iter_mut().for_each(|item| cut_value(item, open, path, cut)),
        Val::Map(members) => {
            for (name, member) in members {
                cut_value(member, open, &format!("{path}.{name}"), cut);
            }
        }
        Val::Json(inner) => cut_value(inner, open, path, cut),
        Val::Null
        | Val::Bool(_)
        | Val::Number(_)
        | Val::Text(_)
        | Val::Secret
        | Val::Ask(_)
        | Val::Of { .. }
        | Val::Var(_)
        | Val::Template(_) => {}
    }
}
