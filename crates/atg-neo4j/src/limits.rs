//! Every bound of this crate.

use std::time::Duration;

/// How long a start may take: 8 s on two idle cores, and several times that beside a compiler.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(3);
/// How long an orderly stop may take: 3 s with the waits of [`crate::home`], which a busy machine stretches.
pub(crate) const STOPPED_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks at the process and its port.
pub(crate) const LOOK: Duration = Duration::from_millis(50);
/// How long one look waits for the port.
pub(crate) const PROBE: Duration = Duration::from_secs(2);
/// How often a start whose port was taken meanwhile chooses another.
pub(crate) const PORT_TRIES: u32 = 5;
/// How many ports are looked at for a free one.
pub(crate) const PORT_LOOKS: u32 = 200;
/// How many lines of each log an error shows.
pub(crate) const LOG_LINES: usize = 40;
/// A home without an owner is removed when it is older: its maker may be about to lock a younger one.
pub(crate) const ORPHAN_AGE: Duration = Duration::from_mins(1);
/// Heap of a server, in MiB.
pub(crate) const HEAP_MIB: u32 = 512;
/// Page cache of a server for functional tests, in MiB.
pub(crate) const PAGE_CACHE_MIB: u32 = 128;
/// Page cache of a server that is measured, in MiB.
pub(crate) const MEASURED_PAGE_CACHE_MIB: u32 = 256;
