//! The quota planner of one tenant and principal: reserves before sending, learns from every
//! answer, and gives each lane its own budget, so that none starves.
//!
//! Relies on: a [`Meter`] for each budget (pure), a [`Clock`] to wait by. Must never: let a request
//! go after its cancellation.

mod meter;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use atg_models::Clock;
use time::{Duration, OffsetDateTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::meter::{Meter, Rule, Ticket};

pub(crate) use self::meter::Told;

/// Which budget a request is charged to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Resource Graph, per principal.
    Arg,
    /// ARM outside subscriptions.
    ArmTenant,
    /// ARM within a subscription (lower case).
    ArmSubscription(String),
    /// Microsoft Graph.
    Graph,
}

impl Lane {
    /// The documented limits. Sources: "Guidance for throttled requests in Azure Resource Graph",
    /// "Understand how Azure Resource Manager throttles requests", "Microsoft Graph
    /// service-specific throttling limits" (identity and access, a tenant of 50 to 500 users).
    const fn rule(&self) -> Rule {
        match self {
            Self::Arg => Rule::Window {
                limit: 15,
                span_ms: 5000,
            },
            Self::ArmTenant | Self::ArmSubscription(_) => Rule::Bucket {
                burst: 250,
                per_second: 25,
            },
            Self::Graph => Rule::Window {
                limit: 5000,
                span_ms: 10_000,
            },
        }
    }

    /// Requests in flight: no more than its budget can use, so that the rest is left to the others.
    const fn in_flight(&self) -> usize {
        match self {
            Self::Arg => 15,
            Self::ArmTenant | Self::ArmSubscription(_) => 12,
            Self::Graph => 16,
        }
    }
}

/// Shared by all readers of a tenant and principal.
pub(crate) struct Planner {
    clock: Arc<dyn Clock>,
    epoch: OffsetDateTime,
    lanes: Mutex<HashMap<Lane, Arc<LaneState>>>,
}

struct LaneState {
    meter: Mutex<Meter>,
    /// First come, first served: whoever holds it is the next to be let pass.
    turn: tokio::sync::Mutex<()>,
    in_flight: Arc<Semaphore>,
}

/// The right to send one request.
pub(crate) struct Permit {
    lane: Arc<LaneState>,
    ticket: Ticket,
    _in_flight: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// The wait was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled;

impl Planner {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            // The meter counts back from now by up to a window, and not below zero.
            epoch: clock.now() - Duration::hours(1),
            clock,
            lanes: Mutex::new(HashMap::new()),
        }
    }

    /// Waits until a request of this cost may be sent; `of_all` bounds the requests of all lanes.
    pub(crate) async fn acquire(
        &self,
        lane: &Lane,
        cost: u64,
        of_all: &Arc<Semaphore>,
        cancelled: &CancellationToken,
    ) -> Result<Permit, Cancelled> {
        let state = self.lane(lane);
        let wait = async {
            let in_flight = Arc::clone(&state.in_flight)
                .acquire_owned()
                .await
                .map_err(|_| Cancelled)?;
            let _turn = state.turn.lock().await;
            loop {
                // The place among all is taken last and not held while the budget is waited for.
                let now = self.clock.now();
                if let Some(until) = self.earliest(&state, now) {
                    self.clock.sleep_until(until).await;
                    continue;
                }
                let of_all = Arc::clone(of_all).acquire_owned().await.map_err(|_| Cancelled)?;
                match self.reserve(&state, cost) {
                    Ok(ticket) => {
                        return Ok(Permit {
                            lane: Arc::clone(&state),
                            ticket,
                            _in_flight: in_flight,
                            _of_all: of_all,
                        });
                    }
                    Err(until) => {
                        drop(of_all);
                        self.clock.sleep_until(until).await;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(Cancelled),
            permit = wait => permit,
        }
    }

    /// Learns from the answer to a request. Its place is free when the permit is dropped.
    pub(crate) fn finish(&self, permit: &Permit, told: Told) {
        let now_ms = self.ms(self.clock.now());
        let mut meter = permit.lane.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.answered(permit.ticket, told, now_ms);
    }

    fn lane(&self, lane: &Lane) -> Arc<LaneState> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let state = lanes.entry(lane.clone()).or_insert_with(|| {
            Arc::new(LaneState {
                meter: Mutex::new(Meter::new(lane.rule())),
                turn: tokio::sync::Mutex::new(()),
                in_flight: Arc::new(Semaphore::new(lane.in_flight())),
            })
        });
        Arc::clone(state)
    }

    fn earliest(&self, state: &LaneState, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let meter = state.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let closed_ms = meter.closed_until_ms();
        (closed_ms > self.ms(now)).then(|| self.at(closed_ms))
    }

    fn reserve(&self, state: &LaneState, cost: u64) -> Result<Ticket, OffsetDateTime> {
        let now_ms = self.ms(self.clock.now());
        let mut meter = state.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.reserve(cost, now_ms).map_err(|until_ms| self.at(until_ms))
    }

    fn ms(&self, moment: OffsetDateTime) -> u64 {
        u64::try_from((moment - self.epoch).whole_milliseconds()).unwrap_or_default()
    }

    fn at(&self, ms: u64) -> OffsetDateTime {
        // A millisecond on top: clocks are finer than the meter's scale.
        let ms = i64::try_from(ms).unwrap_or(i64::MAX).saturating_add(1);
        self.epoch.saturating_add(Duration::milliseconds(ms))
    }
}
