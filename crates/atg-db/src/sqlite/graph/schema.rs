//! The graph's tables.
//!
//! `word` interns what repeats. `node` is narrow; tags and bodies stand beside it. A node's state is
//! 0 referred to only, 1 observed, 2 gone: its last body is kept, and nothing refers to it. A stub
//! that was observed once has state 0 and `gone_at`. An assertion belongs to a body (`coll_k` 0), to
//! an answered look-up of a body (-1), or to a collection (above 0). Kinds of ends stand in an
//! assertion only where the id does not prove them.

/// Each step is one transaction; never change one that was released.
pub(in crate::sqlite) const STEPS: &[&str] = &["
CREATE TABLE word(k INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE tenant(k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, gen INTEGER NOT NULL DEFAULT 0);
CREATE TABLE coll(k INTEGER PRIMARY KEY, t INTEGER NOT NULL, key TEXT NOT NULL, UNIQUE(t, key));
CREATE TABLE node(
  k INTEGER PRIMARY KEY, t INTEGER NOT NULL, id TEXT NOT NULL, state INTEGER NOT NULL,
  kind_k INTEGER NOT NULL, type_k INTEGER, sub_k INTEGER, rg_k INTEGER, loc_k INTEGER, api_k INTEGER,
  coll_k INTEGER, gen INTEGER NOT NULL, first_gen INTEGER NOT NULL, source INTEGER NOT NULL,
  display TEXT, name TEXT, hash BLOB, said BLOB,
  first_seen INTEGER, observed_at INTEGER NOT NULL, gone_at INTEGER,
  UNIQUE(t, id));
CREATE INDEX node_coll ON node(coll_k) WHERE coll_k IS NOT NULL;
CREATE INDEX node_gone ON node(t, gone_at) WHERE state = 2;
CREATE TABLE node_body(k INTEGER PRIMARY KEY, tags TEXT, codec INTEGER NOT NULL, body BLOB);
CREATE TABLE edge(
  e INTEGER PRIMARY KEY, s INTEGER NOT NULL, rel INTEGER NOT NULL, d INTEGER NOT NULL, qual TEXT NOT NULL,
  UNIQUE(s, rel, d, qual));
CREATE INDEX edge_in ON edge(d, rel, s);
CREATE TABLE assertion(
  e INTEGER NOT NULL, by_k INTEGER NOT NULL, path_k INTEGER NOT NULL, coll_k INTEGER NOT NULL,
  gen INTEGER NOT NULL, s_kind INTEGER, d_kind INTEGER, props TEXT,
  PRIMARY KEY(e, by_k, path_k, coll_k)) WITHOUT ROWID;
CREATE INDEX assertion_by ON assertion(by_k);
CREATE INDEX assertion_coll ON assertion(coll_k) WHERE coll_k > 0;
CREATE TABLE alias(
  t INTEGER NOT NULL, kind_k INTEGER NOT NULL, value TEXT NOT NULL, k INTEGER NOT NULL,
  PRIMARY KEY(t, kind_k, value, k)) WITHOUT ROWID;
CREATE INDEX alias_of ON alias(k);
CREATE TABLE lookup(
  l INTEGER PRIMARY KEY, t INTEGER NOT NULL, kind_k INTEGER NOT NULL, value TEXT NOT NULL, by_k INTEGER NOT NULL,
  rel INTEGER NOT NULL, to_found INTEGER NOT NULL, qual TEXT NOT NULL, path_k INTEGER NOT NULL, props TEXT,
  anchor TEXT, found_k INTEGER);
CREATE INDEX lookup_alias ON lookup(t, kind_k, value);
CREATE INDEX lookup_by ON lookup(by_k);
CREATE TABLE scan(
  k INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, t INTEGER NOT NULL, gen INTEGER NOT NULL, fence INTEGER NOT NULL,
  principal TEXT NOT NULL, filters TEXT NOT NULL, started_at INTEGER NOT NULL, version TEXT NOT NULL,
  verdict TEXT, ended TEXT, digest TEXT,
  written INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0, removed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX scan_tenant ON scan(t, gen);
CREATE TABLE ledger(
  l INTEGER PRIMARY KEY, scan INTEGER NOT NULL, key TEXT NOT NULL, sweepable INTEGER NOT NULL, expected INTEGER,
  state TEXT NOT NULL, swept INTEGER NOT NULL DEFAULT 0, UNIQUE(scan, key));
CREATE TABLE part(
  p INTEGER PRIMARY KEY, l INTEGER NOT NULL, key TEXT NOT NULL, cursor TEXT, pages INTEGER NOT NULL DEFAULT 0,
  rows INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, UNIQUE(l, key));
CREATE TABLE page(p INTEGER NOT NULL, page INTEGER NOT NULL, PRIMARY KEY(p, page)) WITHOUT ROWID;
CREATE TABLE change(
  t INTEGER NOT NULL, gen INTEGER NOT NULL, k INTEGER NOT NULL, before BLOB, after BLOB,
  PRIMARY KEY(t, gen, k)) WITHOUT ROWID;
CREATE TABLE cache(t INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(t, key));
"];

/// A node that is only referred to.
pub(in crate::sqlite) const STUB: i64 = 0;
/// A node that was read.
pub(in crate::sqlite) const OBSERVED: i64 = 1;
/// A node that is gone.
pub(in crate::sqlite) const GONE: i64 = 2;

/// An assertion of a body.
pub(in crate::sqlite) const BY_BODY: i64 = 0;
/// An assertion of a body's answered look-up.
pub(in crate::sqlite) const BY_LOOKUP: i64 = -1;
