//! What a simulator has seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Lane;

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatsReport {
    /// Calls by lane, all answers included; the control endpoints are not counted.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered 429, by the budgets or by a fault.
    pub throttled: u64,
    /// Calls answered with another status from 400 on, or cut.
    pub failed: u64,
    /// How often each fault fired, by name.
    pub faults: BTreeMap<String, u64>,
    /// The least seconds that the admitted calls need under the documented budgets.
    pub floor_seconds: f64,
    /// The same by lane.
    pub floor_seconds_by_lane: BTreeMap<String, f64>,
    /// The first call, in milliseconds since 1970.
    pub first_call_ms: Option<u64>,
    /// The last one.
    pub last_call_ms: Option<u64>,
    /// Calls since the last mark, or since the start.
    pub calls_after_mark: u64,
    /// Tokens given.
    pub tokens: u64,
}

/// The counters behind a report.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) calls: BTreeMap<Lane, u64>,
    pub(crate) throttled: u64,
    pub(crate) failed: u64,
    pub(crate) first_ms: Option<u64>,
    pub(crate) last_ms: Option<u64>,
    pub(crate) after_mark: u64,
    pub(crate) tokens: u64,
}

impl Stats {
    /// A call came in.
    pub(crate) fn came(&mut self, lane: Lane, now_ms: u64) {
        *self.calls.entry(lane).or_insert(0) += 1;
        self.first_ms.get_or_insert(now_ms);
        self.last_ms = Some(now_ms);
        self.after_mark += 1;
    }

    /// A call was answered.
    pub(crate) fn answered(&mut self, status: u16) {
        if status == 429 {
            self.throttled += 1;
        } else if status >= 400 {
            self.failed += 1;
        }
    }
}
