//! The keys that a server knows: those of its configuration now, stored ones beside them.

use std::collections::HashMap;

use atg_models::Environment;
use time::OffsetDateTime;

use crate::key::{ApiKey, KeyDigest, KeyFormatError, KeyPrefix};
use crate::principal::{Principal, Scope, Tenants};

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// For people: unique among stored keys.
    pub name: String,
    /// By which it is found.
    pub prefix: KeyPrefix,
    /// Of the whole key.
    pub digest: KeyDigest,
    /// Where it is meant for.
    pub environment: Environment,
    /// What it may do.
    pub scope: Scope,
    /// For which tenants.
    pub tenants: Tenants,
    /// Until when.
    pub expires_at: Option<OffsetDateTime>,
}

impl KeyRecord {
    /// The record of a key.
    pub fn of(key: &ApiKey, name: impl Into<String>, scope: Scope, tenants: Tenants) -> Self {
        Self {
            name: name.into(),
            prefix: key.prefix().clone(),
            digest: key.digest(),
            environment: key.environment(),
            scope,
            tenants,
            expires_at: None,
        }
    }

    /// Whether its time has passed.
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|expires| now >= expires)
    }

    /// Whether it counts there: production takes its own keys only.
    pub fn counts_in(&self, environment: Environment) -> bool {
        environment != Environment::Production || self.environment == Environment::Production
    }

    /// Who uses it.
    pub fn principal(&self) -> Principal {
        let Self {
            name,
            prefix,
            digest: _,
            environment: _,
            scope,
            tenants,
            expires_at,
        } = self.clone();
        Principal {
            key_prefix: prefix,
            key_name: name,
            scope,
            tenants,
            expires_at,
        }
    }
}

/// A wrong entry of `ATG_API_KEYS`. It does not repeat the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key {position} of the list is {error}")]
pub struct KeyListError {
    /// From 1.
    pub position: usize,
    /// What is wrong.
    pub error: KeyFormatError,
}

/// The keys that a server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    records: Vec<KeyRecord>,
    /// Places in `records`: a request looks through the few keys of one prefix, however many there are.
    by_prefix: HashMap<KeyPrefix, Vec<usize>>,
}

impl Keyring {
    /// These keys.
    pub fn new(records: Vec<KeyRecord>) -> Self {
        Self::default().with(records)
    }

    /// The keys of `ATG_API_KEYS`: comma-separated, in order, with every scope and for all tenants.
    /// A blank list has none.
    pub fn from_list(list: &str) -> Result<Self, KeyListError> {
        if list.trim().is_empty() {
            return Ok(Self::default());
        }
        let keys = list.split(',').enumerate().map(|(at, text)| {
            let position = at.saturating_add(1);
            let key: ApiKey = text.trim().parse().map_err(|error| KeyListError { position, error })?;
            Ok(KeyRecord::of(
                &key,
                format!("config-{position}"),
                Scope::Admin,
                Tenants::All,
            ))
        });
        keys.collect::<Result<_, _>>().map(Self::new)
    }

    /// These keys and those.
    #[must_use]
    pub fn with(mut self, records: impl IntoIterator<Item = KeyRecord>) -> Self {
        for record in records {
            let place = self.records.len();
            self.by_prefix.entry(record.prefix.clone()).or_default().push(place);
            self.records.push(record);
        }
        self
    }

    /// All keys, in order.
    pub fn records(&self) -> &[KeyRecord] {
        &self.records
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record of this key. Found by the public prefix; digests are compared in constant time.
    pub fn find(&self, key: &ApiKey) -> Option<&KeyRecord> {
        let digest = key.digest();
        self.of_prefix(key.prefix()).find(|record| record.digest == digest)
    }

    /// Whether a key has this prefix, whatever else is true of it.
    pub fn has_prefix(&self, prefix: &KeyPrefix) -> bool {
        self.by_prefix.contains_key(prefix)
    }

    /// Whether a key with this prefix, and so its open sockets, is still welcome at `now`.
    pub fn holds(&self, prefix: &KeyPrefix, now: OffsetDateTime) -> bool {
        self.of_prefix(prefix).any(|record| !record.is_expired(now))
    }

    /// Whether anyone can get in at `now` where `environment` holds.
    pub fn opens(&self, now: OffsetDateTime, environment: Environment) -> bool {
        let mut records = self.records.iter();
        records.any(|record| record.counts_in(environment) && !record.is_expired(now))
    }

    fn of_prefix(&self, prefix: &KeyPrefix) -> impl Iterator<Item = &KeyRecord> {
        let places = self.by_prefix.get(prefix).into_iter().flatten();
        places.filter_map(|place| self.records.get(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ApiKey {
        ApiKey::generate(Environment::Dev, [byte; 32])
    }

    #[test]
    fn a_list_keeps_its_order() {
        let list = format!("{} , {}", key(1).expose(), key(2).expose());
        let keyring = Keyring::from_list(&list).unwrap();
        let names: Vec<_> = keyring.records().iter().map(|record| record.name.as_str()).collect();
        assert_eq!(names, ["config-1", "config-2"]);
        assert_eq!(keyring.find(&key(2)).unwrap().scope, Scope::Admin);
        assert!(keyring.find(&key(3)).is_none());
        assert!(Keyring::from_list(" ").unwrap().is_empty());
    }

    #[test]
    fn a_wrong_entry_is_named_by_its_place_only() {
        let list = format!("{},{}x", key(1).expose(), key(2).expose());
        let error = Keyring::from_list(&list).unwrap_err();
        assert_eq!(error.position, 2);
        assert!(error.to_string().starts_with("key 2 of the list is invalid format"));
        assert_eq!(
            Keyring::from_list(&format!("{},", key(1).expose())).unwrap_err().error,
            KeyFormatError::TooShort
        );
    }

    #[test]
    fn two_keys_may_share_a_prefix() {
        let first = ApiKey::generate(Environment::Dev, [7; 32]);
        let mut bytes = [7; 32];
        bytes[31] = 8;
        let second = ApiKey::generate(Environment::Dev, bytes);
        assert_eq!(first.prefix(), second.prefix());
        let records =
            [&first, &second].map(|key| KeyRecord::of(key, key.expose().len().to_string(), Scope::Read, Tenants::All));
        let keyring = Keyring::new(records.to_vec());
        assert_eq!(keyring.find(&second).unwrap().digest, second.digest());
    }

    #[test]
    fn production_opens_to_its_own_keys_only() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let dev = Keyring::from_list(key(1).expose()).unwrap();
        assert!(dev.opens(now, Environment::Integration) && !dev.opens(now, Environment::Production));
        let own = ApiKey::generate(Environment::Production, [2; 32]);
        let mut record = KeyRecord::of(&own, "own", Scope::Read, Tenants::All);
        record.expires_at = Some(now + time::Duration::SECOND);
        let both = dev.with([record]);
        assert!(both.opens(now, Environment::Production));
        assert!(!both.opens(now + time::Duration::SECOND, Environment::Production));
        assert!(both.has_prefix(own.prefix()) && !both.has_prefix(key(3).prefix()));
        assert!(!Keyring::default().opens(now, Environment::Dev));
    }

    #[test]
    fn nothing_prints_a_key() {
        let keyring = Keyring::from_list(key(0xab).expose()).unwrap();
        assert!(!format!("{keyring:?}").contains(&"ab".repeat(8)));
    }
}
