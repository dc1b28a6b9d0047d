//! The bounds of the embedded stores, each with its unit and its reason.

use std::time::Duration;

/// Jobs that wait for a writer's turn: with pages of some MiB more would only be memory.
pub(crate) const WRITE_QUEUE: usize = 8;
/// Connections for short reads: more than the blocking threads of a small machine can use at once.
pub(crate) const READERS: usize = 4;
/// Streams (snapshots, exports) at one time; each has a connection and a state of its own.
pub(crate) const STREAMS: usize = 8;
/// Rows in a page of a stream.
pub(crate) const STREAM_PAGE_ROWS: usize = 256;
/// Bytes of bodies in a page of a stream: large bodies end a page early.
pub(crate) const STREAM_PAGE_BYTES: usize = 1024 * 1024;
/// Pages that wait for a stream's reader.
pub(crate) const STREAM_QUEUE: usize = 2;
/// How long a stream waits for its reader before it is cut off with an error.
pub(crate) const STREAM_STALL: Duration = Duration::from_mins(5);
/// How long a short read may take.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a read of the whole tenant may take (counts and digest of a million nodes).
pub(crate) const LONG_READ_TIMEOUT: Duration = Duration::from_mins(15);
/// How long one write transaction may take.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_mins(2);
/// How long the health question may take: the trait promises half a second.
pub(crate) const HEALTH_TIMEOUT: Duration = Duration::from_millis(400);
/// How long SQLite itself waits for another process (a backup) to let go of the file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Page cache of the writer, in KiB.
pub(crate) const WRITER_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of a reader, in KiB.
pub(crate) const READER_CACHE_KIB: i64 = 8 * 1024;
/// Prepared statements that a connection keeps.
pub(crate) const STATEMENTS: usize = 128;
/// Interned words held in memory before the cache starts afresh.
pub(crate) const CACHED_WORDS: usize = 100_000;

/// Observations and listed edges in one page.
pub(crate) const BATCH_ROWS: usize = 20_000;
/// Bodies from this size on are compressed, in bytes: below it the gain is less than a page.
pub(crate) const COMPRESS_FROM_BYTES: usize = 4096;
/// The largest body that is read back, in bytes.
pub(crate) const BODY_BYTES: usize = 64 * 1024 * 1024;
/// Nodes, edges or other rows that one sweeping transaction removes.
pub(crate) const SWEEP_ROWS: u32 = 500;
/// Rows that one page of a list holds at most, whatever is asked for.
pub(crate) const PAGE_ROWS: u32 = 10_000;
/// A value of the reader's cache, in bytes.
pub(crate) const CACHE_VALUE_BYTES: usize = 4 * 1024 * 1024;
/// How long a tombstone keeps the last body.
pub(crate) const TOMBSTONE_DAYS: i64 = 90;
/// How many scans of a tenant can be asked for their changes.
pub(crate) const CHANGES_OF_SCANS: i64 = 30;

/// Bytes in one part of an artifact's upload.
pub(crate) const UPLOAD_PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts in flight.
pub(crate) const UPLOAD_PARTS: usize = 2;
/// How long a connection to the blob service may take to come about.
pub(crate) const BLOB_CONNECT: Duration = Duration::from_secs(5);
/// How long the blob service may keep silent: until its answer begins, and within it. A download may take as long as
/// its reader does.
pub(crate) const BLOB_SILENCE: Duration = Duration::from_secs(30);
/// How often a request to it is tried again …
pub(crate) const BLOB_RETRIES: usize = 5;
/// … and how long after its begin at most: whoever waits is told to come back.
pub(crate) const BLOB_RETRIED_WITHIN: Duration = Duration::from_secs(10);
