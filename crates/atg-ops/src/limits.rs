//! Bounds of the operations, each with its unit and reason. Shared ones: [`atg_models::limits`].

use time::Duration;

/// How much of Azure's answers is in memory at once, in units of a small page. Parsed, a Resource
/// Graph page of 1,000 rows takes some 20 MiB.
pub(crate) const PAGE_UNITS: usize = 24;

/// What a Resource Graph page weighs: six of them are held at a time.
pub(crate) const LARGE_PAGE_UNITS: u32 = 4;

/// How often a partition is read again from its start because its cursor expired.
pub(crate) const RESTARTS_MAX: u32 = 3;

/// The first wait for a store that does not answer; it doubles up to [`STORE_WAIT_MAX`].
pub(crate) const STORE_WAIT_FIRST: Duration = Duration::milliseconds(100);

/// The longest wait for a store that does not answer.
pub(crate) const STORE_WAIT_MAX: Duration = Duration::seconds(2);

/// How a collection counts in the percentage when nobody knows its size, in rows.
pub(crate) const ROWS_IF_UNKNOWN: u64 = 500;
