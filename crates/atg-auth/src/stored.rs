//! A key as it is stored: made, rotated, revoked, expired. Pure: the store keeps what is decided here.

use time::{Duration, OffsetDateTime};

use crate::key::ApiKey;
use crate::keyring::KeyRecord;

/// How a stored key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// It counts.
    Active,
    /// It counts beside its successor, until it expires.
    Rotated,
    /// Its time has passed.
    Expired,
    /// It was taken back.
    Revoked,
}

impl KeyStatus {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotated => "rotated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// What it is and may do.
    pub record: KeyRecord,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When a successor took its name.
    pub rotated_at: Option<OffsetDateTime>,
    /// When it was taken back.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used, to a minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// What a rotation changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that takes the name.
    pub successor: StoredKey,
    /// When the old one ends.
    pub old_expires_at: OffsetDateTime,
}

impl StoredKey {
    /// A key that is made now.
    pub const fn new(record: KeyRecord, created_at: OffsetDateTime) -> Self {
        Self {
            record,
            created_at,
            rotated_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    /// How it is.
    pub fn status(&self, now: OffsetDateTime) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.record.is_expired(now) {
            KeyStatus::Expired
        } else if self.rotated_at.is_some() {
            KeyStatus::Rotated
        } else {
            KeyStatus::Active
        }
    }

    /// Whether it lets anyone in.
    pub fn is_living(&self, now: OffsetDateTime) -> bool {
        match self.status(now) {
            KeyStatus::Active | KeyStatus::Rotated => true,
            KeyStatus::Expired | KeyStatus::Revoked => false,
        }
    }

    /// Puts `key` in its place: the same name, rights and span of life. The old one goes on for `overlap`,
    /// and never longer than it would have.
    pub fn rotate(&self, key: &ApiKey, overlap: Duration, now: OffsetDateTime) -> Rotation {
        let old = &self.record;
        let mut record = KeyRecord::of(key, old.name.clone(), old.scope, old.tenants.clone());
        record.expires_at = old.expires_at.map(|expires| now + (expires - self.created_at));
        let end = now + overlap;
        Rotation {
            successor: Self::new(record, now),
            old_expires_at: old.expires_at.map_or(end, |expires| expires.min(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::{Scope, Tenants};
    use atg_models::Environment;

    const MADE: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key(byte: u8) -> ApiKey {
        ApiKey::generate(Environment::Dev, [byte; 32])
    }

    fn stored(lifetime: Option<Duration>) -> StoredKey {
        let mut record = KeyRecord::of(&key(1), "ci", Scope::Operate, Tenants::All);
        record.expires_at = lifetime.map(|lifetime| MADE + lifetime);
        StoredKey::new(record, MADE)
    }

    #[test]
    fn a_revoked_key_is_revoked_whatever_else_it_is() {
        let now = MADE + Duration::HOUR;
        let mut key = stored(Some(Duration::HOUR * 2));
        assert_eq!(key.status(now), KeyStatus::Active);
        key.rotated_at = Some(MADE);
        assert_eq!(key.status(now), KeyStatus::Rotated);
        assert!(key.is_living(now));
        assert_eq!(key.status(now + Duration::HOUR), KeyStatus::Expired);
        key.revoked_at = Some(now);
        assert_eq!(key.status(now), KeyStatus::Revoked);
        assert!(!key.is_living(now));
    }

    fn check(lifetime: Option<i64>, rotated_after: i64, overlap: i64, old_ends: i64, new_ends: Option<i64>) {
        let old = stored(lifetime.map(Duration::hours));
        let now = MADE + Duration::hours(rotated_after);
        let rotation = old.rotate(&key(2), Duration::hours(overlap), now);
        let hours = |at: OffsetDateTime| (at - MADE).whole_hours();
        assert_eq!(hours(rotation.old_expires_at), old_ends);
        let new = rotation.successor;
        assert_eq!(new.record.expires_at.map(hours), new_ends);
        assert_eq!((new.record.name.as_str(), new.record.scope), ("ci", Scope::Operate));
        assert_eq!(new.record.digest, key(2).digest());
    }

    #[test]
    fn a_successor_lives_as_long_as_the_old_one_was_meant_to() {
        check(None, 5, 24, 29, None);
        check(None, 5, 0, 5, None);
        check(Some(100), 10, 24, 34, Some(110));
        // The overlap does not lengthen a life.
        check(Some(100), 90, 24, 100, Some(190));
    }
}
