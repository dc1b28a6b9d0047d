//! How many requests of a key are held open: sockets, event streams, requests that wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use atg_auth::KeyPrefix;
use atg_models::{ErrorCode, limits};

use crate::error::ApiError;

/// Seconds after which a client may look whether one has ended.
const RETRY_AFTER_SECONDS: i64 = 5;

/// Counts what is held open.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<KeyPrefix, u32>>>);

/// One of a key's places; free again when it is dropped.
pub(crate) struct Seat {
    streams: Streams,
    key: KeyPrefix,
}

impl Streams {
    /// Takes a place; `None` when the key has used all.
    pub(crate) fn seat(&self, key: &KeyPrefix) -> Option<Seat> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key.clone()).or_default();
        if *count >= limits::SOCKETS_PER_KEY_MAX {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Seat {
            streams: self.clone(),
            key: key.clone(),
        })
    }

    /// Takes a place; 429 when the key has used all.
    pub(crate) fn take(&self, key: &KeyPrefix) -> Result<Seat, ApiError> {
        self.seat(key).ok_or_else(|| {
            let limit = limits::SOCKETS_PER_KEY_MAX;
            let message = format!("the rate limit of {limit} open sockets and streams of this key is reached");
            ApiError::new(ErrorCode::RateLimited, message).retry_after(RETRY_AFTER_SECONDS)
        })
    }

    /// How many are held open, of all keys.
    pub(crate) fn len(&self) -> usize {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.values()
            .map(|count| usize::try_from(*count).unwrap_or(usize::MAX))
            .sum()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_so_many_places_and_gets_them_back() {
        let (streams, key) = (Streams::default(), KeyPrefix::from_stored("01234567").unwrap());
        let mut seats: Vec<_> = (0..limits::SOCKETS_PER_KEY_MAX)
            .map(|_| streams.take(&key).unwrap())
            .collect();
        assert!(streams.take(&key).is_err());
        let other = KeyPrefix::from_stored("76543210").unwrap();
        assert!(streams.take(&other).is_ok());
        seats.pop();
        assert!(streams.seat(&key).is_some());
        drop(seats);
        assert_eq!(streams.len(), 0);
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
