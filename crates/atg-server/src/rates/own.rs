//! A sliding window, exact to the request, in this server's memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use atg_auth::KeyPrefix;
use atg_models::limits;
use time::{Duration, OffsetDateTime};

use super::{Standing, used_up};
use crate::error::ApiError;

/// The requests of all keys. A key that was idle for a window is forgotten.
pub(crate) struct OwnRates {
    limit: u32,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    windows: HashMap<KeyPrefix, Window>,
    swept_at: Option<OffsetDateTime>,
}

impl OwnRates {
    /// So many requests a minute for each key.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            keys: Mutex::default(),
        }
    }

    /// Counts a request, or refuses it; a refused one costs nothing.
    pub(crate) fn admit(&self, key: &KeyPrefix, now: OffsetDateTime) -> Result<(), ApiError> {
        let mut keys = self.keys();
        keys.sweep(now);
        if !keys.windows.contains_key(key) {
            keys.windows.insert(key.clone(), Window::default());
        }
        let admitted = keys
            .windows
            .get_mut(key)
            .map_or(Ok(()), |window| window.admit(self.limit, now));
        admitted.map_err(used_up)
    }

    /// Where a key stands.
    pub(crate) fn standing(&self, key: &KeyPrefix, now: OffsetDateTime) -> Standing {
        let mut keys = self.keys();
        let window = keys.windows.get_mut(key);
        window.map_or_else(
            || Window::default().standing(self.limit, now),
            |window| window.standing(self.limit, now),
        )
    }

    /// How many keys are remembered.
    pub(crate) fn len(&self) -> usize {
        self.keys().windows.len()
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn sweep(&mut self, now: OffsetDateTime) {
        let due = self
            .swept_at
            .is_none_or(|at| (now - at).abs() >= limits::REQUESTS_WINDOW);
        if due {
            self.swept_at = Some(now);
            self.windows.retain(|_, window| {
                window.forget(millis(now));
                window.used > 0
            });
        }
    }
}

/// The requests of one key that still count, by the millisecond in which they came.
#[derive(Debug, Default)]
struct Window {
    came: VecDeque<(i64, u32)>,
    used: u32,
}

impl Window {
    fn admit(&mut self, limit: u32, now: OffsetDateTime) -> Result<(), Standing> {
        let at = millis(now);
        self.forget(at);
        if self.used >= limit {
            return Err(self.standing(limit, now));
        }
        self.used = self.used.saturating_add(1);
        match self.came.back_mut() {
            Some((last, count)) if *last >= at => *count = count.saturating_add(1),
            Some(_) | None => self.came.push_back((at, 1)),
        }
        Ok(())
    }

    fn standing(&mut self, limit: u32, now: OffsetDateTime) -> Standing {
        let at = millis(now);
        self.forget(at);
        let leaves = self
            .came
            .front()
            .map_or(at, |(first, _)| first.saturating_add(window_ms()));
        Standing {
            limit: u64::from(limit),
            remaining: u64::from(limit.saturating_sub(self.used)),
            reset: Duration::milliseconds(leaves.saturating_sub(at)),
        }
    }

    fn forget(&mut self, now: i64) {
        // A clock that was set back would hold the key for as long as it was ahead.
        if self
            .came
            .back()
            .is_some_and(|(last, _)| last.saturating_sub(now) > window_ms())
        {
            *self = Self::default();
        }
        while let Some((first, count)) = self.came.front().copied() {
            if first.saturating_add(window_ms()) > now {
                break;
            }
            self.used = self.used.saturating_sub(count);
            self.came.pop_front();
        }
    }
}

fn window_ms() -> i64 {
    limits::REQUESTS_WINDOW.whole_seconds().saturating_mul(1_000)
}

fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const START: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn key(number: u32) -> KeyPrefix {
        KeyPrefix::from_stored(&format!("{number:08x}")).unwrap()
    }

    fn at(ms: i64) -> OffsetDateTime {
        START + Duration::milliseconds(ms)
    }

    #[test]
    fn a_request_counts_for_a_minute_to_the_millisecond() {
        let rates = OwnRates::new(3);
        for ms in [0, 0, 10_000] {
            rates.admit(&key(1), at(ms)).unwrap();
        }
        assert!(rates.admit(&key(1), at(59_999)).is_err());
        rates.admit(&key(2), at(59_999)).unwrap();
        for _ in 0..2 {
            rates.admit(&key(1), at(60_000)).unwrap();
        }
        let standing = rates.standing(&key(1), at(60_000));
        assert_eq!((standing.remaining, standing.reset), (0, Duration::seconds(10)));
        assert!(rates.admit(&key(1), at(69_999)).is_err());
        rates.admit(&key(1), at(70_000)).unwrap();
    }

    /// Against a list of all that was admitted, over requests at pseudo-random distances.
    #[test]
    fn the_window_is_a_list_of_all_requests() {
        const LIMIT: u32 = 50;
        for seed in 1..=20_u64 {
            let mut state = seed;
            let (mut window, mut model, mut now) = (Window::default(), Vec::new(), 0_i64);
            for step in 0..3_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                now += i64::try_from((state >> 33) % 2_400).unwrap();
                model.retain(|came| now - came < 60_000);
                let may = model.len() < 50;
                assert_eq!(window.admit(LIMIT, at(now)).is_ok(), may, "seed {seed}, step {step}");
                if may {
                    model.push(now);
                }
            }
        }
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let rates = OwnRates::new(5);
        for number in 0..1_000 {
            rates.admit(&key(number), at(i64::from(number))).unwrap();
        }
        assert_eq!(rates.len(), 1_000);
        rates.admit(&key(1), at(200_000)).unwrap();
        assert_eq!(rates.len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let rates = OwnRates::new(1);
        rates.admit(&key(1), at(3_600_000)).unwrap();
        rates.admit(&key(1), at(0)).unwrap();
        assert!(rates.admit(&key(1), at(1)).is_err());
    }
}
