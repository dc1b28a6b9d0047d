//! The bounds of the Neo4j backend, each with its unit and its reason.
//!
//! The driver's own limits do not hold everywhere (its handshake has none), so every call stands under one
//! of these. A call that was cut may still have been carried out: a time-out means unknown, never not done.

use std::time::Duration;

/// How long a call waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a short read may take, its wait for the server included.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How often what cannot be understood is read, before it is called damaged: it may have gone while it was read.
pub(crate) const READINGS: u32 = 5;
/// How long a read of the whole tenant may take.
const LONG_READ_TIMEOUT: Duration = Duration::from_mins(10);
/// How long the begin of a transaction may take, a new connection included: no lock is waited for.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one statement of a transaction may take: above the server's `db.lock.acquisition.timeout`
/// (10 s in the manual), so that its answer comes first.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(45);
/// How much earlier than we the server gives up a read, so that its answer comes first.
pub(crate) const SERVER_FIRST: Duration = Duration::from_secs(1);
/// How long a rollback may take before its connection is left to the pool's own check.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(2);
/// The limit of a connection's making and of each wait for bytes on it, for the driver: beyond our own.
pub(crate) const CONNECTION_TIMEOUT: Duration = Duration::from_mins(11);
/// How long the health question may take: the trait promises half a second.
const HEALTH_TIMEOUT: Duration = Duration::from_millis(400);
/// How often a transaction is tried that the server gave up for a passing reason (a deadlock, a lock that
/// was not free in time), or whose end is not known and that may be repeated.
pub(crate) const TRIES: u32 = 5;
/// The first wait between two tries; it doubles, with jitter.
pub(crate) const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait between two tries.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Rows that the driver fetches at once: 200, its own default, is a third slower.
pub(crate) const FETCH_ROWS: usize = 5_000;
/// Rows of one `UNWIND`: more gains nothing, and costs the server's memory.
pub(crate) const UNWIND_ROWS: usize = 5_000;
/// Bytes of one `UNWIND`'s rows, about: large bodies end a portion early.
pub(crate) const UNWIND_BYTES: usize = 8 * 1024 * 1024;
/// Nodes in a page of a stream.
pub(crate) const STREAM_NODES: u32 = 1_000;
/// Edges in a page of a stream.
pub(crate) const STREAM_EDGES: usize = 10_000;
/// Bodies up to this many characters come with their page; larger ones are fetched when their turn comes.
pub(crate) const INLINE_BODY_CHARS: u32 = 16 * 1024;
/// Characters of such large bodies that are fetched at once (one body at least).
pub(crate) const LARGE_BODIES_CHARS: u64 = 4 * 1024 * 1024;
/// Connections at least: a migration holds its lock on one and changes the schema on another.
pub(crate) const CONNECTIONS_MIN: u32 = 2;
/// Transactions that a job's node remembers: a call that is tried again finds itself behind as many others.
pub(crate) const MARKS_OF_A_JOB: usize = 16;
/// Calls whose end is not known and that may come again; the oldest is forgotten first.
pub(crate) const UNSETTLED_CALLS: usize = 1_000;
/// Old idempotency rows that one transaction removes.
pub(crate) const PURGE_ROWS: u32 = 5_000;

/// How long each kind of call may take. A test of what happens then has shorter ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) acquire: Duration,
    pub(crate) read: Duration,
    pub(crate) long_read: Duration,
    pub(crate) begin: Duration,
    pub(crate) statement: Duration,
    pub(crate) rollback: Duration,
    pub(crate) health: Duration,
}

/// Those of the product.
pub(crate) const BOUNDS: Bounds = Bounds {
    acquire: ACQUIRE_TIMEOUT,
    read: READ_TIMEOUT,
    long_read: LONG_READ_TIMEOUT,
    begin: BEGIN_TIMEOUT,
    statement: STATEMENT_TIMEOUT,
    rollback: ROLLBACK_TIMEOUT,
    health: HEALTH_TIMEOUT,
};
