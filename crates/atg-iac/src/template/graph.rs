//! Which resource comes before which: cycles, a stable order, and layers in which groups of resources can be
//! deployed as wholes. Nodes are places in a list.

use std::collections::{BTreeMap, BTreeSet};

/// For each node, those that come before it.
pub(crate) type Edges = Vec<BTreeSet<usize>>;

/// The strongly connected component of each node, by number. Tarjan's way, without recursion.
pub(crate) fn components(edges: &Edges) -> Vec<usize> {
    let mut walk = Walk {
        number: vec![None; edges.len()],
        low: vec![0; edges.len()],
        component: vec![None; edges.len()],
        open: Vec::new(),
        next: 0,
        components: 0,
    };
    for start in 0..edges.len() {
        if walk.number.get(start).is_some_and(Option::is_none) {
            walk.from(start, edges);
        }
    }
    walk.component.into_iter().map(Option::unwrap_or_default).collect()
}

struct Walk {
    number: Vec<Option<usize>>,
    low: Vec<usize>,
    component: Vec<Option<usize>>,
    open: Vec<usize>,
    next: usize,
    components: usize,
}

impl Walk {
    fn from(&mut self, start: usize, edges: &Edges) {
        let targets = |node: usize| edges.get(node).map(|set| set.iter().copied().collect::<Vec<_>>());
        let mut stack = vec![(start, targets(start).unwrap_or_default())];
        self.enter(start);
        while let Some((node, rest)) = stack.last_mut() {
            let node = *node;
            let Some(target) = rest.pop() else {
                stack.pop();
                self.leave(node);
                if let Some((above, _)) = stack.last() {
                    self.lower(*above, self.low.get(node).copied().unwrap_or_default());
                }
                continue;
            };
            match self.number.get(target).copied().flatten() {
                None => {
                    self.enter(target);
                    stack.push((target, targets(target).unwrap_or_default()));
                }
                Some(number) => {
                    if self.component.get(target).is_some_and(Option::is_none) {
                        self.lower(node, number);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: usize) {
        if let (Some(number), Some(low)) = (self.number.get_mut(node), self.low.get_mut(node)) {
            *number = Some(self.next);
            *low = self.next;
        }
        self.next += 1;
        self.open.push(node);
    }

    fn lower(&mut self, node: usize, to: usize) {
        if let Some(low) = self.low.get_mut(node) {
            *low = (*low).min(to);
        }
    }

    fn leave(&mut self, node: usize) {
        if self.number.get(node).copied().flatten() != self.low.get(node).copied() {
            return;
        }
        while let Some(member) = self.open.pop() {
            if let Some(component) = self.component.get_mut(member) {
                *component = Some(self.components);
            }
            if member == node {
                break;
            }
        }
        self.components += 1;
    }
}

/// The nodes, each behind those that come before it, the smallest first where there is a choice. The edges
/// have no cycle.
pub(crate) fn order(edges: &Edges) -> Vec<usize> {
    let mut waits: Vec<usize> = edges.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (node, before) in edges.iter().enumerate() {
        for before in before {
            if let Some(list) = needed_by.get_mut(*before) {
                list.push(node);
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..edges.len()).filter(|node| waits.get(*node) == Some(&0)).collect();
    let mut out = Vec::with_capacity(edges.len());
    while let Some(node) = ready.pop_first() {
        out.push(node);
        for next in needed_by.get(node).into_iter().flatten() {
            if let Some(count) = waits.get_mut(*next) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.insert(*next);
                }
            }
        }
    }
    out
}

/// For each node a layer, so that the pairs of class and layer can be deployed as wholes: no two of them wait
/// for each other. A class that is in no cycle of classes has one layer.
pub(crate) fn layers(edges: &Edges, class: &[usize]) -> Vec<usize> {
    let classes = class.iter().max().map_or(0, |most| most + 1);
    let mut between: Edges = vec![BTreeSet::new(); classes];
    let of = |node: usize| class.get(node).copied().unwrap_or_default();
    for (node, before) in edges.iter().enumerate() {
        if let Some(set) = between.get_mut(of(node)) {
            set.extend(
                before
                    .iter()
                    .map(|before| of(*before))
                    .filter(|before| *before != of(node)),
            );
        }
    }
    let component = components(&between);
    let mut layer = vec![0; edges.len()];
    for node in order(edges) {
        let before = edges.get(node).into_iter().flatten();
        let lowest = before.filter_map(|before| {
            let (own, other) = (of(node), of(*before));
            let there = layer.get(*before).copied()?;
            if own == other {
                Some(there)
            } else {
                (component.get(own) == component.get(other)).then_some(there + 1)
            }
        });
        let lowest = lowest.max().unwrap_or_default();
        if let Some(layer) = layer.get_mut(node) {
            *layer = lowest;
        }
    }
    layer
}

/// Groups nodes by class and layer and gives the groups in an order in which they can be deployed. Each
/// group's nodes are in order too.
pub(crate) fn groups(edges: &Edges, class: &[usize]) -> Vec<Vec<usize>> {
    let layers = layers(edges, class);
    let key = |node: usize| Some((class.get(node).copied()?, layers.get(node).copied()?));
    let keys: BTreeSet<(usize, usize)> = (0..edges.len()).filter_map(key).collect();
    let number: BTreeMap<(usize, usize), usize> = keys.iter().enumerate().map(|(at, key)| (*key, at)).collect();
    let group_of = |node: usize| key(node).and_then(|key| number.get(&key).copied()).unwrap_or_default();
    let mut between: Edges = vec![BTreeSet::new(); number.len()];
    for (node, before) in edges.iter().enumerate() {
        let own = group_of(node);
        if let Some(set) = between.get_mut(own) {
            set.extend(
                before
                    .iter()
                    .map(|before| group_of(*before))
                    .filter(|other| *other != own),
            );
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); number.len()];
    for node in order(edges) {
        if let Some(list) = members.get_mut(group_of(node)) {
            list.push(node);
        }
    }
    order(&between)
        .into_iter()
        .filter_map(|group| members.get_mut(group).map(std::mem::take))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges(list: &[&[usize]]) -> Edges {
        list.iter().map(|before| before.iter().copied().collect()).collect()
    }

    #[test]
    fn a_cycle_is_one_component() {
        let found = components(&edges(&[&[1], &[2], &[0], &[0]]));
        assert_eq!(found[0], found[1]);
        assert_eq!(found[1], found[2]);
        assert_ne!(found[2], found[3]);
    }

    #[test]
    fn two_groups_that_wait_for_each_other_are_cut_into_layers() {
        // Two networks, each with a peering that needs the other one.
        let edges = edges(&[&[], &[], &[0, 1], &[0, 1]]);
        assert_eq!(groups(&edges, &[0, 1, 0, 1]), [vec![0], vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn a_group_that_only_waits_stays_whole() {
        let edges = edges(&[&[], &[], &[0], &[2]]);
        assert_eq!(groups(&edges, &[0, 1, 1, 1]), [vec![0], vec![1, 2, 3]]);
    }

    proptest! {
        #[test]
        fn every_node_is_in_one_group_behind_all_that_it_waits_for(
            raw in proptest::collection::vec((proptest::collection::vec(any::<prop::sample::Index>(), 0..4), 0_usize..4), 1..40)
        ) {
            let edges: Edges = raw.iter().enumerate()
                .map(|(node, (before, _))| if node == 0 { BTreeSet::new() } else { before.iter().map(|index| index.index(node)).collect() })
                .collect();
            let class: Vec<usize> = raw.iter().map(|(_, class)| *class).collect();
            let flat: Vec<usize> = groups(&edges, &class).concat();
            prop_assert_eq!(flat.len(), edges.len());
            for (at, node) in flat.iter().enumerate() {
                for before in &edges[*node] {
                    prop_assert!(flat[..at].contains(before));
                }
            }
        }
    }
}
