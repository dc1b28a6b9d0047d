//! The tables of jobs.

/// Each step is one transaction; never change one that was released.
pub(in crate::sqlite) const STEPS: &[&str] = &["
CREATE TABLE job(
  k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, tenant TEXT NOT NULL, tenant_use TEXT NOT NULL,
  on_crash TEXT NOT NULL, key_prefix TEXT NOT NULL, params TEXT NOT NULL,
  state TEXT NOT NULL, attempt INTEGER NOT NULL, fence INTEGER NOT NULL, owner TEXT, lease_until INTEGER,
  due INTEGER NOT NULL, error TEXT, progress TEXT, result TEXT, artifact TEXT,
  created_at INTEGER NOT NULL, started_at INTEGER, updated_at INTEGER NOT NULL, completed_at INTEGER,
  waits_for TEXT, last_seq INTEGER NOT NULL DEFAULT 0, checkpoint BLOB);
CREATE INDEX job_active ON job(state, due) WHERE state IN ('queued', 'running', 'cancelling');
CREATE INDEX job_created ON job(created_at);
CREATE INDEX job_completed ON job(completed_at) WHERE completed_at IS NOT NULL;
CREATE TABLE event(
  job INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(job, seq)) WITHOUT ROWID;
CREATE TABLE idempotency(
  key_prefix TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, job TEXT NOT NULL, made_at INTEGER NOT NULL,
  PRIMARY KEY(key_prefix, key)) WITHOUT ROWID;
CREATE INDEX idempotency_made ON idempotency(made_at);
"];
