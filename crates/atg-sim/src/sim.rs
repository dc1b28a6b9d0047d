//! The state behind all routes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::format_description::well_known::Rfc3339;

use crate::arg::route::Queries;
use crate::call::Lane;
use crate::clock::unix_ms;
use crate::config::SimConfig;
use crate::fault::{Fault, FaultKind, Faults};
use crate::quota::Quotas;
use crate::seeded;
use crate::stats::{Stats, StatsReport};
use crate::tables::Tables;
use crate::world::{PlantedChanges, World};

/// A running tenant.
pub(crate) struct Sim {
    pub(crate) config: SimConfig,
    pub(crate) world: Arc<dyn World>,
    /// Signs tokens.
    pub(crate) secret: String,
    pub(crate) tables: Tables,
    pub(crate) queries: Queries,
    quotas: Mutex<Quotas>,
    stats: Mutex<Stats>,
    faults: Mutex<Faults>,
    numbers: AtomicU64,
    tokens: AtomicU64,
    expired_up_to: AtomicU64,
}

impl Sim {
    pub(crate) fn new(config: SimConfig) -> Self {
        let mut faults = Faults::default();
        config.faults.iter().cloned().for_each(|fault| faults.arm(fault));
        Self {
            world: Arc::clone(&config.world),
            secret: seeded::uuid(config.seed, "token signature"),
            tables: Tables::default(),
            queries: Queries::default(),
            quotas: Mutex::new(Quotas::new(config.quotas)),
            stats: Mutex::default(),
            faults: Mutex::new(faults),
            numbers: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            expired_up_to: AtomicU64::new(0),
            config,
        }
    }

    /// The tenant's id, hyphenated and in lower case.
    pub(crate) fn tenant(&self) -> String {
        self.world.tenant_id().to_string()
    }

    /// Another tenant, always the same.
    pub(crate) fn foreign_tenant(&self) -> String {
        seeded::uuid(self.config.seed, "foreign tenant")
    }

    pub(crate) fn now_ms(&self) -> u64 {
        unix_ms(self.config.clock.now())
    }

    pub(crate) fn timestamp(&self) -> String {
        self.config.clock.now().format(&Rfc3339).unwrap_or_default()
    }

    /// A number that no other call gets.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn request_id(&self) -> String {
        seeded::uuid(seeded::pair(self.config.seed, self.number()), "request")
    }

    pub(crate) fn quotas(&self) -> MutexGuard<'_, Quotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arms a fault; what it changes about the rows is there from the next call on.
    pub(crate) fn arm(&self, fault: Fault) {
        let changes_rows = fault.kind == FaultKind::DelegatedSubscription;
        self.faults().arm(fault);
        if changes_rows {
            self.forget_rows();
        }
    }

    pub(crate) fn clear_faults(&self) {
        self.faults().clear();
        self.forget_rows();
    }

    pub(crate) fn is_armed(&self, kind: FaultKind) -> bool {
        self.faults().armed(kind).is_some()
    }

    pub(crate) fn armed(&self, kind: FaultKind) -> Option<Fault> {
        self.faults().armed(kind).cloned()
    }

    /// Whether a fault strikes a call that it could strike.
    pub(crate) fn strikes(&self, kind: FaultKind, lane: Lane, path_lower: &str) -> Option<Fault> {
        self.faults().strikes(kind, lane, path_lower)
    }

    /// The serial of a new token.
    pub(crate) fn next_token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn count_token(&self) {
        self.stats().tokens += 1;
    }

    pub(crate) fn expired_up_to(&self) -> u64 {
        self.expired_up_to.load(Ordering::Relaxed)
    }

    /// All tokens given so far are refused from now on.
    pub(crate) fn expire_tokens(&self) {
        self.expired_up_to
            .store(self.tokens.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn plant_changes(&self) -> PlantedChanges {
        let planted = self.world.plant_changes();
        self.forget_rows();
        planted
    }

    pub(crate) fn mark(&self) {
        self.stats().after_mark = 0;
    }

    pub(crate) fn report(&self) -> StatsReport {
        let floors = self.quotas().floors_ms();
        let seconds = |ms: u64| std::time::Duration::from_millis(ms).as_secs_f64();
        let fired = self.faults().fired().clone();
        let stats = self.stats();
        StatsReport {
            calls: stats
                .calls
                .iter()
                .map(|(lane, count)| (lane.as_str().to_owned(), *count))
                .collect(),
            throttled: stats.throttled,
            failed: stats.failed,
            faults: fired
                .into_iter()
                .map(|(kind, count)| (kind.as_str().to_owned(), count))
                .collect(),
            floor_seconds: seconds(floors.values().copied().max().unwrap_or(0)),
            floor_seconds_by_lane: floors
                .iter()
                .map(|(lane, ms)| (lane.as_str().to_owned(), seconds(*ms)))
                .collect(),
            first_call_ms: stats.first_ms,
            last_call_ms: stats.last_ms,
            calls_after_mark: stats.after_mark,
            tokens: stats.tokens,
        }
    }

    fn forget_rows(&self) {
        self.tables.clear();
        self.queries.clear();
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
