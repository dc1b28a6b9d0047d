//! The documented budgets: token buckets for ARM, windows for Resource Graph and Microsoft Graph.
//!
//! Sources: "Understand how Azure Resource Manager throttles requests", "Guidance for throttled
//! requests in Azure Resource Graph", "Microsoft Graph service-specific throttling limits"
//! (identity and access, a medium tenant). Time is an argument. The floor is what the admitted
//! calls need at the least, whoever made them and however late.

use std::collections::HashMap;

use crate::call::Lane;

/// Reads that a full ARM bucket holds.
const ARM_BURST: u64 = 250;
/// Reads that flow back per second.
const ARM_REFILL_PER_S: u64 = 25;
/// Resource Graph queries per window.
const ARG_PER_WINDOW: u64 = 15;
/// Length of the Resource Graph window.
const ARG_WINDOW_MS: u64 = 5_000;
/// Microsoft Graph resource units per window, for a tenant of 50 to 500 users.
const GRAPH_PER_WINDOW: u64 = 5_000;
/// Length of the Microsoft Graph window.
const GRAPH_WINDOW_MS: u64 = 10_000;
/// Thousandths, so that a bucket needs no floating point.
const MILLI: u64 = 1_000;

/// What a budget says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it may pass.
    pub(crate) admitted: bool,
    /// What is left.
    pub(crate) remaining: u64,
    /// When it is worth coming back, or the window ends.
    pub(crate) wait_ms: u64,
}

/// All budgets of the simulator.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    buckets: HashMap<(Lane, String), Budget>,
    enforced: bool,
}

#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Thousandths of reads left (ARM), or units spent in this window.
    level: u64,
    since_ms: u64,
    spent: u64,
}

impl Quotas {
    /// With or without enforcement; the floor is computed in both cases.
    pub(crate) fn new(enforced: bool) -> Self {
        Self {
            buckets: HashMap::new(),
            enforced,
        }
    }

    /// Asks the budget `key` of a lane for `cost`.
    pub(crate) fn take(&mut self, lane: Lane, key: &str, cost: u64, now_ms: u64) -> Verdict {
        let first = Budget {
            level: if lane == Lane::Arm { ARM_BURST * MILLI } else { 0 },
            since_ms: now_ms,
            spent: 0,
        };
        let enforced = self.enforced;
        let budget = self.buckets.entry((lane, key.to_owned())).or_insert(first);
        let verdict = match lane {
            Lane::Arm => budget.bucket(cost, now_ms, enforced),
            Lane::Arg => budget.window(cost, now_ms, ARG_PER_WINDOW, ARG_WINDOW_MS, enforced),
            Lane::Graph => budget.window(cost, now_ms, GRAPH_PER_WINDOW, GRAPH_WINDOW_MS, enforced),
            Lane::Token | Lane::Data | Lane::Control => Verdict {
                admitted: true,
                remaining: 0,
                wait_ms: 0,
            },
        };
        if verdict.admitted {
            budget.spent = budget.spent.saturating_add(cost);
        }
        verdict
    }

    /// The least time in milliseconds that the admitted calls of each lane need.
    pub(crate) fn floors_ms(&self) -> HashMap<Lane, u64> {
        let mut floors = HashMap::new();
        for ((lane, _), budget) in &self.buckets {
            let floor = floor_ms(*lane, budget.spent);
            let entry = floors.entry(*lane).or_insert(0);
            *entry = floor.max(*entry);
        }
        floors
    }
}

impl Budget {
    fn bucket(&mut self, cost: u64, now_ms: u64, enforced: bool) -> Verdict {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        // 25 a second are 25 thousandths a millisecond.
        self.level = self
            .level
            .saturating_add(passed_ms.saturating_mul(ARM_REFILL_PER_S))
            .min(ARM_BURST * MILLI);
        self.since_ms = self.since_ms.max(now_ms);
        let need = cost * MILLI;
        let admitted = self.level >= need || !enforced;
        let wait_ms = if admitted {
            0
        } else {
            (need - self.level).div_ceil(ARM_REFILL_PER_S)
        };
        if admitted {
            self.level = self.level.saturating_sub(need);
        }
        Verdict {
            admitted,
            remaining: self.level / MILLI,
            wait_ms,
        }
    }

    fn window(&mut self, cost: u64, now_ms: u64, limit: u64, window_ms: u64, enforced: bool) -> Verdict {
        if now_ms.saturating_sub(self.since_ms) >= window_ms {
            self.since_ms = now_ms;
            self.level = 0;
        }
        let admitted = self.level.saturating_add(cost) <= limit || !enforced;
        if admitted {
            self.level = self.level.saturating_add(cost);
        }
        Verdict {
            admitted,
            remaining: limit.saturating_sub(self.level),
            wait_ms: self.since_ms.saturating_add(window_ms).saturating_sub(now_ms),
        }
    }
}

/// The least time that `spent` units need in a lane.
fn floor_ms(lane: Lane, spent: u64) -> u64 {
    let windows = |limit: u64, window_ms: u64| spent.div_ceil(limit).saturating_sub(1).saturating_mul(window_ms);
    match lane {
        Lane::Arm => spent.saturating_sub(ARM_BURST).saturating_mul(MILLI) / ARM_REFILL_PER_S,
        Lane::Arg => windows(ARG_PER_WINDOW, ARG_WINDOW_MS),
        Lane::Graph => windows(GRAPH_PER_WINDOW, GRAPH_WINDOW_MS),
        Lane::Token | Lane::Data | Lane::Control => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_graph_admits_fifteen_queries_in_five_seconds() {
        let mut quotas = Quotas::new(true);
        for left in (0..15).rev() {
            let verdict = quotas.take(Lane::Arg, "p", 1, 1_000);
            assert!(verdict.admitted);
            assert_eq!(verdict.remaining, left);
        }
        assert_eq!(
            quotas.take(Lane::Arg, "p", 1, 2_000),
            Verdict {
                admitted: false,
                remaining: 0,
                wait_ms: 4_000
            }
        );
        assert!(quotas.take(Lane::Arg, "p", 1, 6_000).admitted);
        assert_eq!(
            quotas.floors_ms().get(&Lane::Arg),
            Some(&5_000),
            "16 queries need a second window"
        );
    }

    #[test]
    fn a_resource_manager_bucket_refills() {
        let mut quotas = Quotas::new(true);
        assert!((0..250).all(|_| quotas.take(Lane::Arm, "s/p", 1, 0).admitted));
        assert_eq!(quotas.take(Lane::Arm, "s/p", 1, 0).wait_ms, 40);
        assert!(
            quotas.take(Lane::Arm, "other/p", 1, 0).admitted,
            "each subscription has its own"
        );
        assert!((0..25).all(|_| quotas.take(Lane::Arm, "s/p", 1, 1_000).admitted));
        assert!(!quotas.take(Lane::Arm, "s/p", 1, 1_000).admitted);
        assert_eq!(quotas.floors_ms().get(&Lane::Arm), Some(&1_000));
    }

    #[test]
    fn without_enforcement_the_floor_is_still_known() {
        let mut quotas = Quotas::new(false);
        assert!((0..100).all(|_| quotas.take(Lane::Arg, "p", 1, 0).admitted));
        assert_eq!(quotas.floors_ms().get(&Lane::Arg), Some(&30_000));
    }
}
