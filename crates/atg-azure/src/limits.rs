//! The bounds of this crate, with their units and reasons.

use time::Duration;

/// Connecting takes longer only where nothing answers.
pub(crate) const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// A Resource Graph query may run for 30 s; twice that covers a slow body.
pub(crate) const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);
/// Silence within a body: the connection is dead.
pub(crate) const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// Resource Graph refuses answers over 16 MiB; a provider list is about 10 MiB.
pub(crate) const ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// An error's text that is passed on.
pub(crate) const ERROR_TEXT_CHARS: usize = 300;

/// First pause before a retry; it doubles each time.
pub(crate) const RETRY_FIRST: Duration = Duration::milliseconds(250);
/// Longest pause of our own making.
pub(crate) const RETRY_LONGEST: Duration = Duration::seconds(20);
/// Longest `Retry-After` that is obeyed: ARM asks for minutes, hours would hold a job for nothing.
pub(crate) const RETRY_AFTER_LONGEST: Duration = Duration::minutes(5);

/// Rows of a Resource Graph page: its documented limit.
pub(crate) const ARG_PAGE_ROWS: u32 = 1000;
/// Rows of a Microsoft Graph page: its documented limit.
pub(crate) const GRAPH_PAGE_ROWS: u32 = 999;
/// Requests in one `$batch`: its documented limit.
pub(crate) const GRAPH_BATCH: u32 = 20;
/// Pages of one listing at plan time (subscriptions, groups of a subscription): a loop ends here.
pub(crate) const LIST_PAGES: usize = 200;
/// Resources that one partition reads in sequence: four pages.
pub(crate) const PARTITION_ROWS: u64 = 4000;
/// Partitions of one subscription: sixteen are in flight at once at most.
pub(crate) const PARTITIONS: u64 = 64;
/// How often a partition whose pages do not add up is read again.
pub(crate) const REREADS: u32 = 1;
/// How often a partition whose cursor expired is read again.
pub(crate) const EXPIRED_REREADS: u32 = 5;
/// Subscriptions asked at once while the plan is made.
pub(crate) const PLAN_CONCURRENCY: usize = 16;

/// A token is renewed this long before its end, or after four fifths of its life if that is later.
pub(crate) const TOKEN_MARGIN: Duration = Duration::minutes(5);
/// Life of a token whose end nobody tells.
pub(crate) const TOKEN_LIFE: Duration = Duration::hours(1);
/// Asking an authority, metadata service or the Azure CLI for a token.
pub(crate) const TOKEN_TIMEOUT: Duration = Duration::seconds(60);
/// A file that holds a token.
pub(crate) const TOKEN_FILE_BYTES: usize = 64 * 1024;

/// Requests in flight when nobody says otherwise: the default of a scan.
pub(crate) const MAX_CONCURRENCY: usize = 100;
/// Tries after the first when nobody says otherwise: the default of a scan.
pub(crate) const MAX_RETRIES: u32 = 3;
/// Planners that are remembered: one for each tenant and principal that was scanned lately.
pub(crate) const PLANNERS: usize = 256;
/// Rows of the collections that share a query, by their counts: a page, less what may have come since
/// they were counted.
pub(crate) const SHARED_ROWS: u64 = 900;
/// Subscriptions that share a query: a tenth of what a query may name, so that its text stays small.
pub(crate) const SHARED_SUBSCRIPTIONS: usize = 1000;
/// Pages of shared queries whose rows wait for their collections: as many as a scan asks for at once.
pub(crate) const SHARED_PAGES: usize = 3;
/// Subscriptions whose resources are counted by one query: a page holds a row for each, and one
/// for what lies outside of them.
pub(crate) const COUNTED_AT_ONCE: usize = 999;
