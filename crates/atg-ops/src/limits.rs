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
/// Hexadecimal digits of a placeholder: 40 bits, so that among 10,000 values of a sort one in 20,000
/// specifications has a collision, which is then told apart by a longer one.
pub(crate) const PLACEHOLDER_DIGITS: usize = 10;

/// Lines of properties that a specification shows of one resource.
pub(crate) const SPEC_PROPERTIES_MAX: usize = 80;

/// Members within members that a specification follows.
pub(crate) const SPEC_DEPTH_MAX: usize = 12;

/// Plain values of one list that a specification shows.
pub(crate) const SPEC_ITEMS_MAX: usize = 12;

/// Relationships that a specification shows of one resource.
pub(crate) const SPEC_RELATIONSHIPS_MAX: usize = 40;

/// Rows of one table of a specification: role assignments, gaps.
pub(crate) const SPEC_ROWS_MAX: usize = 500;

/// The largest file of a specification, in bytes: what editors and viewers still open at once.
pub(crate) const SPEC_FILE_MAX_BYTES: usize = 2 * 1024 * 1024;

/// Nodes or edges that a specification works on at a time: the bodies of so many are in memory together.
pub(crate) const SPEC_CHUNK_ROWS: usize = 250;

/// How many findings of a generation its result repeats: it is read whole by every client, the report has them all.
pub(crate) const SHOWN_FINDINGS_MAX: usize = 20;
