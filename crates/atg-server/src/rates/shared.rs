//! Requests that all servers of a store count together.
//!
//! A server takes a grant of some requests from the store and lets that many in; what was granted counts from
//! then on, so that all servers together never let in more than the limit. A grant is used within
//! [`limits::REQUEST_GRANT_LIFE`]; what is left of it then goes back with the next. Grants grow while they are used up, so that a
//! busy key costs the store a few writes a second and not one a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atg_auth::KeyPrefix;
use atg_db::{Back, Grant, ReplicaStore, StoreError};
use atg_models::limits;
use time::{Duration, OffsetDateTime};

use super::{Standing, used_up};
use crate::error::ApiError;

/// The largest grant, as a share of the limit: what a server may hold without using it.
const GRANT_SHARE: u32 = 20;

/// The requests of all keys. A key that was idle for a window is forgotten.
pub(crate) struct SharedRates {
    limit: u32,
    store: Arc<dyn ReplicaStore>,
    keys: Mutex<HashMap<KeyPrefix, Arc<Key>>>,
}

/// One key: whoever finds its grant used up asks for the next, the others wait for that.
#[derive(Default)]
struct Key {
    asking: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
    /// How often the store did not answer.
    unanswered: AtomicU64,
}

/// The grant that is being used.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    size: u32,
    left: u32,
    granted_at: Option<OffsetDateTime>,
    /// On all servers, as the store last said.
    used: u32,
    next_at: Option<OffsetDateTime>,
}

impl Held {
    /// Lets one request in, if the grant still holds one.
    fn take(&mut self, now: OffsetDateTime) -> bool {
        let fresh = self
            .granted_at
            .is_some_and(|at| (now - at).abs() < limits::REQUEST_GRANT_LIFE);
        if !fresh || self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }

    /// How many to ask for: twice as many when all were used, one after a pause.
    fn wanted(&self, limit: u32) -> u32 {
        let most = (limit / GRANT_SHARE).max(1);
        if self.left == 0 {
            self.size.saturating_mul(2).clamp(1, most)
        } else {
            1
        }
    }

    fn standing(&self, limit: u32, now: OffsetDateTime) -> Standing {
        let taken = self.used.saturating_sub(self.left);
        // Measured by the store's clock: never further away than a window is long.
        let reset = self.next_at.map_or(Duration::ZERO, |at| at - now);
        let reset = reset.min(limits::REQUESTS_WINDOW);
        Standing {
            limit: u64::from(limit),
            remaining: u64::from(limit.saturating_sub(taken)),
            reset: reset.max(Duration::ZERO),
        }
    }
}

impl SharedRates {
    pub(super) fn new(limit: u32, store: Arc<dyn ReplicaStore>) -> Self {
        Self {
            limit,
            store,
            keys: Mutex::default(),
        }
    }

    /// Counts a request, or refuses it.
    pub(super) async fn admit(&self, key: &KeyPrefix, now: OffsetDateTime) -> Result<(), ApiError> {
        let entry = self.entry(key, now);
        if entry.held().take(now) {
            return Ok(());
        }
        let unanswered = entry.unanswered.load(Ordering::Relaxed);
        let _asking = entry.asking.lock().await;
        // Whoever asked before may have got enough for this one too; or no answer, and then all of them that
        // waited go at once: in line, each would wait as long again.
        if entry.held().take(now) {
            return Ok(());
        }
        if entry.unanswered.load(Ordering::Relaxed) != unanswered {
            return Err(not_counted().into());
        }
        let before = *entry.held();
        let back = before.granted_at.filter(|_| before.left > 0).map(|granted_at| Back {
            unused: before.left,
            granted_at,
        });
        let wanted = before.wanted(self.limit);
        let asked = self.store.take_requests(key, wanted, self.limit, back, now).await;
        let Grant { granted, used, next_at } = asked.inspect_err(|_| {
            entry.unanswered.fetch_add(1, Ordering::Relaxed);
        })?;
        let mut held = entry.held();
        *held = Held {
            size: granted,
            left: granted,
            granted_at: Some(now),
            used,
            next_at,
        };
        if held.take(now) {
            return Ok(());
        }
        Err(used_up(held.standing(self.limit, now)))
    }

    /// Where a key stands, as the store last said.
    pub(super) fn standing(&self, key: &KeyPrefix, now: OffsetDateTime) -> Standing {
        let known = self.keys().get(key).map(|key| *key.held());
        known.unwrap_or_default().standing(self.limit, now)
    }

    /// How many keys are remembered.
    pub(super) fn len(&self) -> usize {
        self.keys().len()
    }

    fn entry(&self, key: &KeyPrefix, now: OffsetDateTime) -> Arc<Key> {
        let mut keys = self.keys();
        if let Some(entry) = keys.get(key) {
            return Arc::clone(entry);
        }
        // A new key is rare; the idle ones go then.
        keys.retain(|_, key| {
            let granted_at = key.held().granted_at;
            granted_at.is_none_or(|at| (now - at).abs() < limits::REQUESTS_WINDOW)
        });
        Arc::clone(keys.entry(key.clone()).or_default())
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<KeyPrefix, Arc<Key>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_counted() -> StoreError {
    StoreError::Unavailable {
        doing: "counting a request",
        source: "the store did not answer the one before".into(),
    }
}

impl Key {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
