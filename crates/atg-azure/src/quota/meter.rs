//! The pure model of one budget: what may be sent now, and when the next request may be.
//!
//! Time is milliseconds on any scale that does not run backwards. A meter is told what the service
//! answered and believes whoever is stricter. It never waits and never sends.

use std::collections::VecDeque;

/// How a service counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// At most `limit` units in any `span_ms`.
    Window { limit: u64, span_ms: u64 },
    /// A bucket of `burst` units into which `per_second` flow.
    Bucket { burst: u64, per_second: u64 },
}

/// What an answer says about the budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Units left, as the service sees it.
    pub(crate) remaining: Option<u64>,
    /// When the window that `remaining` speaks of ends.
    pub(crate) resets_after_ms: Option<u64>,
    /// The answer was 429.
    pub(crate) throttled: bool,
    /// `Retry-After`.
    pub(crate) retry_after_ms: Option<u64>,
}

/// A request that was let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    serial: u64,
    sent_ms: u64,
    left: u64,
}

/// A service's window begins when a request arrives there, which lies between the moments of
/// sending and of the answer. A slot is taken to be free again a span after its answer, but not
/// later than this after it was sent: slow answers arrive early and think long.
const ARRIVAL_MS: u64 = 200;
/// Units of a bucket that are left alone, for arrivals closer together than their departures.
const BUCKET_RESERVE: u64 = 2;
/// Thousandths of a unit, so that a bucket needs no floating point.
const MILLI: u64 = 1000;
/// Pause after a 429 that names none.
const THROTTLED_PAUSE_MS: u64 = 1000;

/// One budget.
#[derive(Debug)]
pub(crate) struct Meter {
    rule: Rule,
    serial: u64,
    /// Nothing passes before this moment.
    closed_until_ms: u64,
    /// Window: when each unit was spent, oldest first.
    spent: VecDeque<Spent>,
    /// Window: the sum of the costs in `spent`.
    spent_units: u64,
    /// Bucket: thousandths of units.
    level: u64,
    /// Bucket: when `level` was right.
    level_at_ms: u64,
}

#[derive(Debug, Clone, Copy)]
struct Spent {
    serial: u64,
    cost: u64,
    at_ms: u64,
}

impl Meter {
    /// A budget of which nothing was used.
    pub(crate) fn new(rule: Rule) -> Self {
        let level = match rule {
            Rule::Window { .. } => 0,
            Rule::Bucket { burst, .. } => burst * MILLI,
        };
        Self {
            rule,
            serial: 0,
            closed_until_ms: 0,
            spent: VecDeque::new(),
            spent_units: 0,
            level,
            level_at_ms: 0,
        }
    }

    /// Lets a request of this cost pass, or says when to ask again.
    pub(crate) fn reserve(&mut self, cost: u64, now_ms: u64) -> Result<Ticket, u64> {
        self.settle(now_ms);
        if now_ms < self.closed_until_ms {
            return Err(self.closed_until_ms);
        }
        let left = match self.rule {
            Rule::Window { limit, span_ms } => self.reserve_in_window(cost, now_ms, limit, span_ms)?,
            Rule::Bucket { per_second, .. } => self.reserve_in_bucket(cost, now_ms, per_second)?,
        };
        Ok(Ticket {
            serial: self.serial,
            sent_ms: now_ms,
            left,
        })
    }

    /// Takes in what the answer to a request said.
    pub(crate) fn answered(&mut self, ticket: Ticket, told: Told, now_ms: u64) {
        self.settle(now_ms);
        if told.throttled {
            let pause = told
                .retry_after_ms
                .or(told.resets_after_ms)
                .unwrap_or(THROTTLED_PAUSE_MS);
            self.closed_until_ms = self.closed_until_ms.max(now_ms.saturating_add(pause.max(1)));
            self.level = 0;
            self.level_at_ms = self.closed_until_ms;
        }
        match self.rule {
            Rule::Window { limit, span_ms } => {
                let arrived_ms = now_ms.min(ticket.sent_ms.saturating_add(ARRIVAL_MS));
                if let Some(spent) = self.spent.iter_mut().find(|spent| spent.serial == ticket.serial) {
                    spent.at_ms = arrived_ms;
                    self.spent.make_contiguous().sort_by_key(|spent| spent.at_ms);
                }
                self.hear_window(ticket, told, now_ms, limit, span_ms);
            }
            Rule::Bucket { per_second, .. } => {
                if let Some(remaining) = told.remaining {
                    // It has refilled since the service counted.
                    let since_ms = now_ms.saturating_sub(ticket.sent_ms);
                    let most = remaining
                        .saturating_mul(MILLI)
                        .saturating_add(since_ms.saturating_mul(per_second));
                    self.level = self.level.min(most);
                }
            }
        }
    }

    /// Nothing passes before this moment.
    pub(crate) fn closed_until_ms(&self) -> u64 {
        self.closed_until_ms
    }

    fn settle(&mut self, now_ms: u64) {
        match self.rule {
            Rule::Window { span_ms, .. } => {
                while let Some(first) = self.spent.front() {
                    if first.at_ms.saturating_add(span_ms) > now_ms {
                        break;
                    }
                    self.spent_units = self.spent_units.saturating_sub(first.cost);
                    self.spent.pop_front();
                }
            }
            Rule::Bucket { burst, per_second } => {
                let passed_ms = now_ms.saturating_sub(self.level_at_ms);
                let level = self.level.saturating_add(passed_ms.saturating_mul(per_second));
                self.level = level.min(burst * MILLI);
                self.level_at_ms = self.level_at_ms.max(now_ms);
            }
        }
    }

    fn reserve_in_window(&mut self, cost: u64, now_ms: u64, limit: u64, span_ms: u64) -> Result<u64, u64> {
        let after = self.spent_units.saturating_add(cost);
        // A request that costs more than the limit passes alone, or it would never pass.
        if after > limit && !self.spent.is_empty() {
            let mut missing = after - limit;
            for spent in &self.spent {
                if missing <= spent.cost {
                    return Err(spent.at_ms.saturating_add(span_ms));
                }
                missing -= spent.cost;
            }
            let last = self.spent.back().map_or(now_ms, |spent| spent.at_ms);
            return Err(last.saturating_add(span_ms));
        }
        self.serial += 1;
        self.spend(cost, now_ms.saturating_add(ARRIVAL_MS));
        Ok(limit.saturating_sub(after))
    }

    fn reserve_in_bucket(&mut self, cost: u64, now_ms: u64, per_second: u64) -> Result<u64, u64> {
        let need = cost.saturating_add(BUCKET_RESERVE).saturating_mul(MILLI);
        if self.level < need {
            let wait_ms = (need - self.level).div_ceil(per_second.max(1));
            return Err(now_ms.saturating_add(wait_ms.max(1)));
        }
        self.serial += 1;
        self.level -= cost.saturating_mul(MILLI);
        Ok(self.level / MILLI)
    }

    /// Somebody else spends from the same budget when the service sees less left than is known here.
    fn hear_window(&mut self, ticket: Ticket, told: Told, now_ms: u64, limit: u64, span_ms: u64) {
        let Some(remaining) = told.remaining else { return };
        // An answer that is older than the window speaks of another one.
        if now_ms.saturating_sub(ticket.sent_ms) >= span_ms {
            return;
        }
        let known = ticket.left.min(limit.saturating_sub(self.spent_units));
        if remaining < known {
            let until_ms = told.resets_after_ms.unwrap_or(span_ms).min(span_ms);
            let at_ms = now_ms.saturating_add(until_ms).saturating_sub(span_ms);
            self.serial += 1;
            self.spend(known - remaining, at_ms);
        }
    }

    fn spend(&mut self, cost: u64, at_ms: u64) {
        self.spent_units = self.spent_units.saturating_add(cost);
        let spent = Spent {
            serial: self.serial,
            cost,
            at_ms,
        };
        let place = self.spent.partition_point(|earlier| earlier.at_ms <= at_ms);
        self.spent.insert(place, spent);
    }
}
