//! The keys that count at this moment: those of the configuration, and the stored ones as they were last seen.
//!
//! A request costs no query: one task looks at the store several times a second, takes in what has changed, and
//! ends the streams of keys that no longer hold. Stored keys that could not be looked at for too long do not
//! count: nobody knows whether one of them was revoked.

mod startup;
mod streams;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use atg_auth::{AuthError, KeyPrefix, Keyring, Principal};
use atg_db::{KeyStore, StoreError};
use atg_models::{Clock, Environment, ErrorCode, limits};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, StoreChoice};
use crate::error::{ApiError, chain};

pub(crate) use startup::no_key;
pub use startup::{check_key, generated_key};
pub(crate) use streams::StreamPass;
use streams::Streams;

/// What was last seen of the stored keys.
struct Seen {
    /// All keys that are not revoked, the configuration's first.
    keyring: Keyring,
    /// Of the store; `None` before it was seen at all.
    revision: Option<u64>,
}

impl Seen {
    fn nothing(configured: &Keyring) -> Self {
        Self {
            keyring: configured.clone(),
            revision: None,
        }
    }
}

/// The keys that count.
pub(crate) struct Keys {
    configured: Keyring,
    environment: Environment,
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    seen: RwLock<Arc<Seen>>,
    /// Since when the store does not answer.
    unseen_since: Mutex<Option<OffsetDateTime>>,
    /// Uses of stored keys that are not written down yet.
    uses: Mutex<HashMap<KeyPrefix, OffsetDateTime>>,
    streams: Streams,
}

impl Keys {
    /// Reads the stored keys for the first time. A store that does not answer yet is looked at again later: until
    /// then only the configuration's keys count.
    pub(crate) async fn open(
        config: &Config,
        store: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (seen, unseen_since) = match see(&config.keyring, store.as_ref()).await {
            Ok(seen) => (seen, None),
            Err(error) if error.is_retryable() && !matches!(config.store, StoreChoice::Sqlite) => {
                (Seen::nothing(&config.keyring), Some(OffsetDateTime::UNIX_EPOCH))
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            configured: config.keyring.clone(),
            environment: config.environment,
            store,
            clock,
            seen: RwLock::new(Arc::new(seen)),
            unseen_since: Mutex::new(unseen_since),
            uses: Mutex::default(),
            streams: Streams::default(),
        })
    }

    /// Whether any key lets someone in, or may do so once the store answers.
    pub(crate) fn may_open(&self) -> bool {
        let unseen = self.unseen_since.lock().unwrap_or_else(PoisonError::into_inner);
        unseen.is_some() || self.seen().keyring.opens(self.clock.now(), self.environment)
    }

    /// Who sends this `Authorization` header.
    pub(crate) fn of_header(&self, header: Option<&str>) -> Result<Principal, ApiError> {
        self.checked(|keyring, now| atg_auth::authenticate(header, keyring, now, self.environment))
    }

    /// Who has this key, which came otherwise.
    pub(crate) fn of_key(&self, key: &str) -> Result<Principal, ApiError> {
        self.checked(|keyring, now| atg_auth::authenticate_key(key, keyring, now, self.environment))
    }

    /// A pass for a stream that stays open after its request was answered: it ends with the key.
    pub(crate) fn open_stream(&self, principal: &Principal) -> Result<StreamPass, ApiError> {
        let holds = |prefix: &KeyPrefix| self.seen().keyring.holds(prefix, self.clock.now());
        let pass = self.streams.enter(&principal.key_prefix, holds);
        pass.ok_or_else(|| unauthenticated(AuthError::InvalidKey))
    }

    fn checked(
        &self,
        who: impl FnOnce(&Keyring, OffsetDateTime) -> Result<Principal, AuthError>,
    ) -> Result<Principal, ApiError> {
        let now = self.clock.now();
        let principal = who(&self.seen().keyring, now).map_err(unauthenticated)?;
        if self.configured.has_prefix(&principal.key_prefix) {
            return Ok(principal);
        }
        let unseen_since = *self.unseen_since.lock().unwrap_or_else(PoisonError::into_inner);
        if unseen_since.is_some_and(|since| now - since > limits::KEYS_UNSEEN_MAX) {
            return Err(ApiError::new(
                ErrorCode::DatabaseUnavailable,
                "the database of stored keys is not available at the moment, try again",
            ));
        }
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.insert(principal.key_prefix.clone(), now);
        Ok(principal)
    }

    fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the store again and again, until the server takes no more work.
    pub(crate) async fn watch(self: Arc<Self>, until: CancellationToken) {
        let mut write_at = self.clock.now() + limits::KEY_USES_WRITTEN;
        loop {
            tokio::select! {
                () = until.cancelled() => break,
                () = self.clock.sleep_until(self.clock.now() + limits::KEYS_LOOK) => {}
            }
            self.look().await;
            if self.clock.now() >= write_at {
                self.write_uses().await;
                write_at = self.clock.now() + limits::KEY_USES_WRITTEN;
            }
        }
        self.write_uses().await;
    }

    /// Takes in what has changed, and ends the streams of keys that no longer hold.
    async fn look(&self) {
        let looked = self.take_in().await;
        {
            let mut unseen_since = self.unseen_since.lock().unwrap_or_else(PoisonError::into_inner);
            match (&looked, *unseen_since) {
                (Ok(()), None) | (Err(_), Some(_)) => {}
                (Ok(()), Some(_)) => {
                    *unseen_since = None;
                    tracing::info!("the stored keys can be read again");
                }
                (Err(error), None) => {
                    *unseen_since = Some(self.clock.now());
                    tracing::warn!(error = chain(error), "the stored keys cannot be read");
                }
            }
        }
        let (keyring, now) = (&self.seen().keyring, self.clock.now());
        self.streams.end_where(|prefix| !keyring.holds(prefix, now));
    }

    async fn take_in(&self) -> Result<(), StoreError> {
        if Some(self.store.revision().await?) == self.seen().revision {
            return Ok(());
        }
        let seen = see(&self.configured, self.store.as_ref()).await?;
        tracing::info!(keys = seen.keyring.records().len(), "the stored keys have changed");
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(seen);
        Ok(())
    }

    async fn write_uses(&self) {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.store.touch(uses.into_iter().collect()).await {
            tracing::warn!(error = chain(&error), "the use of keys could not be written down");
        }
    }
}

/// The revision first: a change in between is then seen at the next look.
async fn see(configured: &Keyring, store: &dyn KeyStore) -> Result<Seen, StoreError> {
    let revision = store.revision().await?;
    let stored = store.list().await?;
    let valid = stored.into_iter().filter(|key| key.revoked_at.is_none());
    let keyring = configured.clone().with(valid.map(|key| key.record));
    Ok(Seen {
        keyring,
        revision: Some(revision),
    })
}

fn unauthenticated(error: AuthError) -> ApiError {
    ApiError::new(AuthError::CODE, error.to_string())
}

#[cfg(test)]
mod tests;
