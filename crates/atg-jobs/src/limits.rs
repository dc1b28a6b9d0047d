//! Bounds that only the engine knows, each with its unit and reason. Shared ones: [`atg_models::limits`].

use time::Duration;

/// How long an operation that was asked to stop may go on before its future is dropped. A cancelled
/// job is to end within a second.
pub const STOP_GRACE: Duration = Duration::milliseconds(750);

/// The first wait after the store did not answer; it doubles up to [`STORE_RETRY_MAX`].
pub const STORE_RETRY_FIRST: Duration = Duration::milliseconds(100);

/// The longest wait before the store is asked again: work goes on soon after it is back.
pub const STORE_RETRY_MAX: Duration = Duration::seconds(2);

/// Jobs whose readers are woken by hints. Readers beyond it look at the store every [`READER_LOOK`].
pub const WATCHED_JOBS: usize = 25_000;

/// A reader looks at the store at least this often, in case a hint was lost.
pub const READER_LOOK: Duration = Duration::seconds(2);

/// How often a server that shares its store asks for what the others did: a reader elsewhere gets an event, and an
/// attempt elsewhere its cancel, well within a second.
pub const NEWS_LOOK: Duration = Duration::milliseconds(400);

/// Events in one page of a reader: what one reader that is behind holds in memory, some 15 KiB.
pub const READER_PAGE_EVENTS: u32 = 50;

/// Pages that readers share: about one for each job that is followed, and those that latecomers read.
pub const PAGES_MAX: usize = 50_000;

/// Bytes of the pages that readers share, which are less than 4 KiB for each of the most readers there can be.
pub const PAGES_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Expired leases released in one go.
pub const EXPIRED_JOBS: u32 = 200;
