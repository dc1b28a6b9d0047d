//! Rows of one source by path, so that one walk over a body meets all of them.

use crate::relations::path::{Path, Step};

/// A place in a [`Trie`].
pub(crate) type Place = usize;

/// A tree of path steps with rows at its places.
#[derive(Debug)]
pub(crate) struct Trie {
    places: Vec<Branches>,
}

#[derive(Debug, Default)]
struct Branches {
    names: Vec<(String, Place)>,
    prefixes: Vec<(String, Place)>,
    any_name: Option<Place>,
    items: Vec<(usize, Place)>,
    any_item: Option<Place>,
    rows: Vec<usize>,
    name_rows: Vec<usize>,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            places: vec![Branches::default()],
        }
    }
}

impl Trie {
    /// Where every walk starts.
    pub(crate) const ROOT: Place = 0;

    /// Puts a row at its path.
    pub(crate) fn insert(&mut self, path: &Path, row: usize) {
        let mut at = Self::ROOT;
        for step in &path.steps {
            at = self.grow(at, step);
        }
        if let Some(place) = self.places.get_mut(at) {
            let rows = if path.of_name {
                &mut place.name_rows
            } else {
                &mut place.rows
            };
            rows.push(row);
        }
    }

    /// The places one member further down.
    pub(crate) fn member(&self, at: Place, name: &str, mut reach: impl FnMut(Place)) {
        let Some(place) = self.places.get(at) else { return };
        for (known, to) in &place.names {
            if known.eq_ignore_ascii_case(name) {
                reach(*to);
            }
        }
        for (prefix, to) in &place.prefixes {
            let head = name.get(..prefix.len());
            if head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) {
                reach(*to);
            }
        }
        place.any_name.into_iter().for_each(reach);
    }

    /// The places one item further down.
    pub(crate) fn item(&self, at: Place, item: usize, mut reach: impl FnMut(Place)) {
        let Some(place) = self.places.get(at) else { return };
        for (known, to) in &place.items {
            if *known == item {
                reach(*to);
            }
        }
        place.any_item.into_iter().for_each(reach);
    }

    /// The rows that read the value here.
    pub(crate) fn rows(&self, at: Place) -> &[usize] {
        self.places.get(at).map_or(&[], |place| place.rows.as_slice())
    }

    /// The rows that read the name of the member that leads here.
    pub(crate) fn name_rows(&self, at: Place) -> &[usize] {
        self.places.get(at).map_or(&[], |place| place.name_rows.as_slice())
    }

    fn grow(&mut self, at: Place, step: &Step) -> Place {
        let next = self.places.len();
        let Some(place) = self.places.get_mut(at) else {
            return at;
        };
        let to = match step {
            Step::Name(name) => branch(&mut place.names, name, next),
            Step::Prefix(prefix) => branch(&mut place.prefixes, prefix, next),
            Step::AnyName => *place.any_name.get_or_insert(next),
            Step::Item(item) => branch(&mut place.items, item, next),
            Step::AnyItem => *place.any_item.get_or_insert(next),
        };
        if to == next {
            self.places.push(Branches::default());
        }
        to
    }
}

fn branch<K: Clone + PartialEq>(branches: &mut Vec<(K, Place)>, key: &K, next: Place) -> Place {
    if let Some((_, to)) = branches.iter().find(|(known, _)| known == key) {
        return *to;
    }
    branches.push((key.clone(), next));
    next
}
