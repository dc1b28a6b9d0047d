//! Which subnets of a network are wrong, and the smallest change that puts them right. Pure.

use super::prefix::Prefix;

/// The smallest subnet of IPv4 that Azure takes. Source: Azure Virtual Network FAQ.
const LONGEST_V4: u32 = 29;
/// The size that every subnet of IPv6 has. Source: the same.
const LENGTH_V6: u32 = 64;

/// What is wrong with one of a network's prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// It lies outside the address space.
    Outside,
    /// It overlaps another one, at this place in the list.
    Overlaps(usize),
}

/// What is wrong, by the place of the prefix; the first of two that overlap is not to blame. `spaces` is empty when
/// the network's address space is not known.
pub(super) fn problems(spaces: &[Prefix], prefixes: &[Prefix]) -> Vec<(usize, Problem)> {
    let mut found = Vec::new();
    for (at, prefix) in prefixes.iter().enumerate() {
        if !spaces.is_empty() && !inside(spaces, prefix) {
            found.push((at, Problem::Outside));
        }
        let before = prefixes.iter().take(at);
        if let Some(other) = before.into_iter().position(|other| other.meets(prefix)) {
            found.push((at, Problem::Overlaps(other)));
        }
    }
    found
}

fn inside(spaces: &[Prefix], prefix: &Prefix) -> bool {
    spaces.iter().any(|space| space.holds(prefix))
}

/// The prefixes that have to change: the new one, or `None` where there is no room for it. As few as possible change:
/// prefixes are either apart or one holds the other, so the longer one stays. A new one is as large as the old one, or
/// as large as there is room, at the next free place behind the old one or else at the first.
pub(super) fn mend(spaces: &[Prefix], prefixes: &[Prefix]) -> Vec<(usize, Option<Prefix>)> {
    let mut order: Vec<usize> = (0..prefixes.len()).collect();
    let length = |at: &usize| prefixes.get(*at).map_or(0, |prefix| prefix.length);
    order.sort_by_key(|at| (std::cmp::Reverse(length(at)), *at));
    let mut taken: Vec<Prefix> = Vec::new();
    let mut moving = Vec::new();
    for at in order {
        match prefixes.get(at) {
            Some(prefix) if inside(spaces, prefix) && !taken.iter().any(|taken| taken.meets(prefix)) => {
                taken.push(*prefix);
            }
            Some(prefix) => moving.push((at, prefix)),
            None => {}
        }
    }
    // The largest first: they find room the hardest.
    moving.sort_by_key(|(at, prefix)| (prefix.length, *at));
    let mut changes = Vec::new();
    for (at, prefix) in moving {
        let new = place(spaces, prefix, &taken);
        taken.extend(new);
        changes.push((at, new));
    }
    changes.sort_by_key(|(at, _)| *at);
    changes
}

fn place(spaces: &[Prefix], old: &Prefix, taken: &[Prefix]) -> Option<Prefix> {
    let mut spaces: Vec<&Prefix> = spaces.iter().filter(|space| space.v6 == old.v6).collect();
    spaces.sort();
    let longest = if old.v6 { LENGTH_V6 } else { LONGEST_V4 };
    let shortest = if old.v6 && old.length != LENGTH_V6 {
        LENGTH_V6
    } else {
        old.length
    };
    (shortest..=longest.max(shortest)).find_map(|length| {
        let from = |from: u128| spaces.iter().find_map(|space| Prefix::free(space, from, length, taken));
        from(old.first).or_else(|| from(0))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts
            .iter()
            .map(|text| Prefix::parse(text).expect("a prefix"))
            .collect()
    }

    fn mended(spaces: &[&str], subnets: &[&str]) -> Vec<String> {
        let mut all = prefixes(subnets);
        for (at, new) in mend(&prefixes(spaces), &all.clone()) {
            all[at] = new.expect("room");
        }
        all.iter().map(Prefix::to_string).collect()
    }

    #[test]
    fn as_little_as_possible_changes() {
        for (spaces, subnets, expected) in [
            (
                &["10.0.0.0/16"][..],
                &["10.0.0.0/24", "10.0.1.0/24"][..],
                &["10.0.0.0/24", "10.0.1.0/24"][..],
            ),
            (
                &["10.0.0.0/16"],
                &["10.0.0.0/24", "10.0.0.0/24"],
                &["10.0.0.0/24", "10.0.1.0/24"],
            ),
            // One large one moves, not the two that lie in it.
            (
                &["10.0.0.0/16"],
                &["10.0.0.0/23", "10.0.0.0/24", "10.0.1.0/24"],
                &["10.0.2.0/23", "10.0.0.0/24", "10.0.1.0/24"],
            ),
            (&["10.0.0.0/16"], &["10.1.0.0/24"], &["10.0.0.0/24"]),
            (
                &["10.0.0.0/24"],
                &["10.0.0.0/24", "10.0.0.0/25"],
                &["10.0.0.128/25", "10.0.0.0/25"],
            ),
            (
                &["10.0.0.0/24", "fd00::/56"],
                &["fd00::/64", "fd00::/64"],
                &["fd00::/64", "fd00:0:0:1::/64"],
            ),
            (
                &["10.0.0.0/24", "10.9.0.0/24"],
                &["10.0.0.0/24", "10.0.0.0/24"],
                &["10.0.0.0/24", "10.9.0.0/24"],
            ),
        ] {
            assert_eq!(mended(spaces, subnets), expected, "{spaces:?} {subnets:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_told() {
        let full = prefixes(&["10.0.0.0/29", "10.0.0.0/29"]);
        assert_eq!(mend(&prefixes(&["10.0.0.0/29"]), &full), [(1, None)]);
        assert_eq!(mend(&[], &prefixes(&["10.0.0.0/24"])), [(0, None)]);
    }

    fn some_prefix() -> impl Strategy<Value = Prefix> {
        let v4 = (0_u32..4096, 20_u32..30)
            .prop_map(|(address, length)| Prefix::at(false, (10 << 24) | u128::from(address) << 4, length));
        let v6 =
            (0_u128..16, 60_u32..65).prop_map(|(net, length)| Prefix::at(true, (0xfd00 << 112) | net << 64, length));
        prop_oneof![3 => v4, 1 => v6].prop_map(|prefix| prefix.expect("a prefix"))
    }

    proptest! {
        #[test]
        fn after_mending_all_is_right_and_what_was_right_is_as_it_was(
            spaces in proptest::collection::vec(some_prefix(), 1..4),
            old in proptest::collection::vec(some_prefix(), 0..12),
        ) {
            let changes = mend(&spaces, &old);
            prop_assert_eq!(&changes, &mend(&spaces, &old));
            let mut new: Vec<Option<Prefix>> = old.iter().copied().map(Some).collect();
            for (at, change) in &changes {
                new[*at] = *change;
                prop_assert_ne!(*change, Some(old[*at]));
            }
            let placed: Vec<Prefix> = new.iter().flatten().copied().collect();
            prop_assert_eq!(problems(&spaces, &placed), []);
            // What is apart from all others and inside does not move, and nothing moves without a reason.
            for (at, prefix) in old.iter().enumerate() {
                let alone = old.iter().enumerate().all(|(other, one)| other == at || !one.meets(prefix));
                if alone && inside(&spaces, prefix) {
                    prop_assert_eq!(new[at], Some(*prefix));
                }
            }
            prop_assert!(!problems(&spaces, &old).is_empty() || changes.is_empty());
            // No network keeps more of its subnets: those that stay are as many as can be apart.
            let wrong = problems(&spaces, &old).iter().map(|(at, _)| *at).collect::<std::collections::BTreeSet<_>>();
            prop_assert!(changes.len() <= wrong.len());
        }
    }
}
