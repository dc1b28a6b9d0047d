//! Bounds of the operations, each with its unit and reason. Shared ones: [`atg_models::limits`].

use time::Duration;

/// Resource Graph pages in memory at once. Parsed, one of 1,000 rows takes some 20 MiB.
pub(crate) const LARGE_PAGES: usize = 3;

/// Microsoft Graph pages of whole objects in memory at once, beside those of Resource Graph. Parsed, one of
/// 999 users takes some 10 MiB.
pub(crate) const DIRECTORY_PAGES: usize = 2;

/// Other pages in memory at once. They have a bound of their own, so that a lane that waits for its
/// quota does not hold up the others.
pub(crate) const SMALL_PAGES: usize = 24;

/// How often a partition is read again from its start because its cursor expired.
pub(crate) const RESTARTS_MAX: u32 = 3;

/// The first wait for a store that does not answer; it doubles up to [`STORE_WAIT_MAX`].
pub(crate) const STORE_WAIT_FIRST: Duration = Duration::milliseconds(100);

/// The longest wait for a store that does not answer.
pub(crate) const STORE_WAIT_MAX: Duration = Duration::seconds(2);

/// How a collection counts in the percentage when nobody knows its size, in rows.
pub(crate) const ROWS_IF_UNKNOWN: u64 = 500;

/// Jobs of a tenant that are looked at in one go when it is removed.
pub(crate) const JOBS_PAGE_ROWS: u32 = 200;
