//! The tables of keys.

/// Each step is one transaction; never change one that was released.
pub(in crate::sqlite) const STEPS: &[&str] = &["
CREATE TABLE api_key(
  k INTEGER PRIMARY KEY, name TEXT NOT NULL, prefix TEXT NOT NULL UNIQUE, digest BLOB NOT NULL,
  environment TEXT NOT NULL, scope TEXT NOT NULL, tenants TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, rotated_at INTEGER, revoked_at INTEGER, last_used_at INTEGER);
CREATE INDEX api_key_name ON api_key(name);
CREATE TABLE revision(number INTEGER NOT NULL);
INSERT INTO revision(number) VALUES (0);
"];
