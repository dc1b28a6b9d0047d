//! What a reader remembers of the partitions it reads: how often each was begun again and why, and
//! which rows and links it has seen.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Mutex, PoisonError};

use atg_models::graph::{CollectionKey, PartitionKey};

use crate::{PageError, limits};

/// A partition of a collection.
pub(crate) type Place = (CollectionKey, PartitionKey);

#[derive(Debug, Default)]
pub(crate) struct Memory {
    places: Mutex<HashMap<Place, Remembered>>,
}

#[derive(Debug, Default)]
struct Remembered {
    mismatches: u32,
    expiries: u32,
    /// Hashes of rows and links of the reading under way.
    seen: HashSet<u64>,
}

impl Memory {
    /// A partition is read from its start.
    pub(crate) fn begin(&self, place: &Place) {
        self.with(place, |remembered| remembered.seen.clear());
    }

    /// Notes a row's id or a link; `false` if it was there before in this reading.
    pub(crate) fn note(&self, place: &Place, what: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let hash = hasher.finish();
        self.with(place, |remembered| remembered.seen.insert(hash))
    }

    /// The partition was read to its end.
    pub(crate) fn forget(&self, place: &Place) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.remove(place);
    }

    /// The pages do not add up: once more from the start, then it has failed.
    pub(crate) fn mismatch(&self, place: &Place, reason: &str) -> PageError {
        let before = self.with(place, |remembered| {
            remembered.mismatches += 1;
            remembered.mismatches - 1
        });
        if before < limits::REREADS {
            tracing::warn!(collection = %place.0, reason, "pages do not add up, reading again");
            return PageError::CursorExpired;
        }
        self.forget(place);
        PageError::Failed {
            reason: format!("{reason}, also when read again"),
        }
    }

    /// The cursor is gone: from the start again, a few times.
    pub(crate) fn expired(&self, place: &Place) -> PageError {
        let before = self.with(place, |remembered| {
            remembered.expiries += 1;
            remembered.expiries - 1
        });
        if before < limits::EXPIRED_REREADS {
            return PageError::CursorExpired;
        }
        self.forget(place);
        PageError::Failed {
            reason: format!("the cursor expired {} times", before.saturating_add(1)),
        }
    }

    fn with<T>(&self, place: &Place, change: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        change(places.entry(place.clone()).or_default())
    }
}
