//! Which collections share a Resource Graph query. Pure.
//!
//! A query costs the same whether it brings ten rows or a thousand, so small subscriptions are asked
//! for together, as their counts allow. This makes a scan faster and is never needed to be right: each
//! collection can be read alone, and is as soon as a shared answer is not what was counted.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::graph::{PartitionKey, PlannedCollection};

use crate::plan::sources::{RESOURCE_GROUPS, RESOURCES, ROLE_ASSIGNMENTS};
use crate::{ScanPlan, limits};

/// Collections of one source that one query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) source: &'static str,
    /// Of each of them: the same text, hence the same query.
    pub(crate) partition: PartitionKey,
    /// Subscriptions, and the rows that each is known to hold.
    pub(crate) members: BTreeMap<String, u64>,
}

/// Subscriptions that may be asked for together, and what is known of them beside the plan.
#[derive(Debug)]
pub(crate) struct Sharing {
    /// That ARM lists: of others Resource Graph says nothing.
    pub(crate) seen: BTreeSet<String>,
    /// Role assignments by subscription, for which the plan has no count.
    pub(crate) assignments: Option<BTreeMap<String, u64>>,
}

/// The groups of a plan. Orders its collections so that a few groups are read side by side.
pub(crate) fn share(plan: &mut ScanPlan, sharing: &Sharing) -> Vec<Group> {
    let mut groups = Vec::new();
    for step in &mut plan.steps {
        for source in [RESOURCE_GROUPS, RESOURCES, ROLE_ASSIGNMENTS] {
            let counted = sharing.counted(source, &step.collections);
            let rows: Vec<u64> = counted.iter().map(|(_, rows)| *rows).collect();
            let positions = |group: &[usize]| -> Vec<usize> {
                let places = group.iter().filter_map(|at| counted.get(*at));
                places.map(|(position, _)| *position).collect()
            };
            let several: Vec<Vec<usize>> = cut(&rows).into_iter().filter(|group| group.len() > 1).collect();
            groups.extend(several.iter().filter_map(|group| {
                let members = group.iter().filter_map(|at| counted.get(*at));
                of_members(source, &step.collections, members)
            }));
            let several: Vec<Vec<usize>> = several.iter().map(|group| positions(group)).collect();
            arrange(&mut step.collections, &several);
        }
    }
    groups
}

impl Sharing {
    /// Where the collections of a source are that may share, and their rows.
    fn counted(&self, source: &str, collections: &[PlannedCollection]) -> Vec<(usize, u64)> {
        let rows = |planned: &PlannedCollection| {
            let scope = planned.collection.scope();
            let alone = planned.partitions.len() != 1 || !self.seen.contains(scope);
            if planned.collection.source() != source || alone {
                return None;
            }
            let known = || Some(self.assignments.as_ref()?.get(scope).copied().unwrap_or(0));
            planned
                .expected
                .or_else(|| (source == ROLE_ASSIGNMENTS).then(known).flatten())
        };
        let positions = collections.iter().enumerate();
        positions
            .filter_map(|(at, planned)| Some((at, rows(planned)?)))
            .collect()
    }
}

fn of_members<'a>(
    source: &'static str,
    collections: &[PlannedCollection],
    members: impl Iterator<Item = &'a (usize, u64)>,
) -> Option<Group> {
    let planned: Vec<_> = members
        .filter_map(|(at, rows)| Some((collections.get(*at)?, *rows)))
        .collect();
    let partition = planned.first()?.0.partitions.first()?.clone();
    let same = |planned: &PlannedCollection| planned.partitions.first() == Some(&partition);
    planned.iter().all(|(planned, _)| same(planned)).then(|| Group {
        source,
        members: planned
            .iter()
            .map(|(planned, rows)| (planned.collection.scope().to_owned(), *rows))
            .collect(),
        partition,
    })
}

/// Cuts a run of collections into groups, by their rows. What fills half a page goes alone, so that
/// every other group but the last fills the other half.
fn cut(rows: &[u64]) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    let mut open = Vec::new();
    let mut sum: u64 = 0;
    for (at, own) in rows.iter().copied().enumerate() {
        if own > limits::SHARED_ROWS / 2 {
            groups.push(vec![at]);
            continue;
        }
        if sum.saturating_add(own) > limits::SHARED_ROWS || open.len() >= limits::SHARED_SUBSCRIPTIONS {
            groups.push(std::mem::take(&mut open));
            sum = 0;
        }
        sum = sum.saturating_add(own);
        open.push(at);
    }
    if !open.is_empty() {
        groups.push(open);
    }
    groups
}

/// Puts the members of as many groups as are kept at a time in turns, in the places that they have:
/// whoever reads in order waits for several answers at once, and has one group behind it before the next.
fn arrange(collections: &mut [PlannedCollection], groups: &[Vec<usize>]) {
    let mut order = Vec::new();
    for together in groups.chunks(limits::SHARED_PAGES) {
        let longest = together.iter().map(Vec::len).max().unwrap_or(0);
        order.extend((0..longest).flat_map(|turn| together.iter().filter_map(move |group| group.get(turn).copied())));
    }
    let mut places = order.clone();
    places.sort_unstable();
    let arranged: Vec<_> = order.iter().filter_map(|at| collections.get(*at).cloned()).collect();
    for (place, planned) in places.into_iter().zip(arranged) {
        if let Some(here) = collections.get_mut(place) {
            *here = planned;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Slice;
    use crate::{Step, Track};
    use atg_models::graph::CollectionKey;
    use proptest::prelude::*;

    fn collection(source: &str, scope: &str, expected: Option<u64>) -> PlannedCollection {
        PlannedCollection {
            collection: CollectionKey::new(source, scope),
            sweepable: true,
            expected,
            partitions: Slice::cut(expected, None),
        }
    }

    fn plan(collections: Vec<PlannedCollection>) -> ScanPlan {
        ScanPlan {
            principal: "me".to_owned(),
            subscriptions: Vec::new(),
            steps: vec![Step {
                name: "resources",
                track: Track::Resources,
                collections,
            }],
            not_planned: Vec::new(),
        }
    }

    fn sharing(seen: &[&str]) -> Sharing {
        Sharing {
            seen: seen.iter().map(|id| (*id).to_owned()).collect(),
            assignments: None,
        }
    }

    fn members(groups: &[Group]) -> Vec<Vec<(&str, u64)>> {
        groups
            .iter()
            .map(|group| group.members.iter().map(|(id, rows)| (id.as_str(), *rows)).collect())
            .collect()
    }

    #[test]
    fn small_subscriptions_share_and_large_ones_do_not() {
        let mut plan = plan(vec![
            collection(RESOURCES, "a", Some(3)),
            collection(RESOURCES, "large", Some(9_000)),
            collection(RESOURCES, "half", Some(500)),
            collection(RESOURCES, "b", Some(0)),
            collection(RESOURCES, "uncounted", None),
            collection(RESOURCES, "unseen", Some(1)),
            collection(RESOURCES, "tenant", Some(2)),
            collection("arm.denyassignments", "a", Some(1)),
        ]);
        let seen = sharing(&["a", "b", "half", "large", "uncounted"]);
        let groups = share(&mut plan, &seen);
        assert_eq!(members(&groups), [[("a", 3), ("b", 0)]]);
        assert_eq!((groups[0].source, groups[0].partition.0.as_str()), (RESOURCES, "{}"));
    }

    #[test]
    fn role_assignments_share_when_they_were_counted() {
        let both = || {
            plan(vec![
                collection(ROLE_ASSIGNMENTS, "a", None),
                collection(ROLE_ASSIGNMENTS, "b", None),
            ])
        };
        let uncounted = sharing(&["a", "b"]);
        assert_eq!(share(&mut both(), &uncounted), []);
        let counted = Sharing {
            assignments: Some([("b".to_owned(), 7)].into()),
            ..uncounted
        };
        assert_eq!(members(&share(&mut both(), &counted)), [[("a", 0), ("b", 7)]]);
    }

    #[test]
    fn groups_take_turns_and_nothing_else_moves() {
        let third = limits::SHARED_ROWS / 3;
        let ids = ["a", "b", "c", "d", "e", "f", "g"];
        let mut planned: Vec<_> = ids.iter().map(|id| collection(RESOURCES, id, Some(third))).collect();
        planned.insert(1, collection(RESOURCES, "large", Some(9_000)));
        let mut plan = plan(planned);
        let groups = share(&mut plan, &sharing(&ids));
        assert_eq!(groups.len(), 2, "the last one is alone");
        let scopes: Vec<_> = plan.steps[0]
            .collections
            .iter()
            .map(|planned| planned.collection.scope())
            .collect();
        assert_eq!(scopes, ["a", "large", "d", "b", "e", "c", "f", "g"]);
    }

    proptest! {
        #[test]
        fn every_collection_is_in_one_group_within_the_bounds(
            rows in prop::collection::vec(prop_oneof![Just(0_u64), 0_u64..20, 0_u64..2_000, Just(u64::MAX)], 0..2_500)
        ) {
            let groups = cut(&rows);
            let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert!(all.iter().copied().eq(0..rows.len()));
            for group in groups.iter().filter(|group| group.len() > 1) {
                prop_assert!(group.iter().map(|at| rows[*at]).sum::<u64>() <= limits::SHARED_ROWS);
                prop_assert!(group.len() <= limits::SHARED_SUBSCRIPTIONS);
                prop_assert!(group.is_sorted());
            }
            let small: Vec<_> = groups.iter().filter(|group| rows[group[0]] <= limits::SHARED_ROWS / 2).collect();
            let sum = rows.iter().filter(|rows| **rows <= limits::SHARED_ROWS / 2).sum::<u64>();
            let least = usize::try_from(sum / limits::SHARED_ROWS).unwrap() + rows.len() / limits::SHARED_SUBSCRIPTIONS;
            prop_assert!(small.len() <= 2 * least + 3, "{} groups of {sum} rows", small.len());
        }

        #[test]
        fn arranging_keeps_every_collection(sizes in prop::collection::vec(0_u64..500, 0..60)) {
            let ids: Vec<String> = (0..sizes.len()).map(|at| at.to_string()).collect();
            let planned = ids.iter().zip(&sizes).map(|(id, rows)| collection(RESOURCES, id, Some(*rows)));
            let before: Vec<_> = planned.collect();
            let mut plan = plan(before.clone());
            let sharing = Sharing { seen: ids.iter().cloned().collect(), assignments: None };
            share(&mut plan, &sharing);
            let key = |planned: &PlannedCollection| planned.collection.to_string();
            let mut after = plan.steps.remove(0).collections;
            after.sort_by_key(key);
            let mut before = before;
            before.sort_by_key(key);
            prop_assert_eq!(after, before);
        }
    }
}
