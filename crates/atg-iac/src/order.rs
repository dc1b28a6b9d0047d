//! A stable order in which everything stands after what it refers to; cycles are broken and noted.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::Program;

/// Orders the items, and turns the references that close a cycle into notes.
pub(crate) fn order(program: &mut Program) {
    let addresses: Vec<String> = program.items.iter().map(crate::program::Item::address).collect();
    let place: BTreeMap<&str, usize> = addresses
        .iter()
        .enumerate()
        .map(|(at, address)| (address.as_str(), at))
        .collect();
    let mut waits: Vec<usize> = vec![0; addresses.len()];
    let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, item) in program.items.iter().enumerate() {
        for target in item.uses.iter().filter_map(|address| place.get(address.as_str())) {
            if *target != at {
                needed_by.entry(*target).or_default().push(at);
                if let Some(count) = waits.get_mut(at) {
                    *count += 1;
                }
            }
        }
    }
    let key = |at: usize| addresses.get(at).map_or("", String::as_str);
    let mut ready: BTreeSet<(&str, usize)> = (0..addresses.len())
        .filter(|at| waits.get(*at) == Some(&0))
        .map(|at| (key(at), at))
        .collect();
    let mut rank = BTreeMap::new();
    while let Some((_, at)) = ready.pop_first() {
        rank.insert(at, rank.len());
        for next in needed_by.get(&at).into_iter().flatten() {
            if let Some(count) = waits.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    ready.insert((key(*next), *next));
                }
            }
        }
    }
    let items = std::mem::take(&mut program.items);
    let mut ranked: Vec<_> = items
        .into_iter()
        .enumerate()
        .map(|(at, item)| (rank.get(&at).copied().unwrap_or(usize::MAX), item.address(), item))
        .collect();
    ranked.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    program.items = ranked.into_iter().map(|(_, _, item)| item).collect();
}
