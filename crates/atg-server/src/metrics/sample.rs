//! The exposition, with what is looked up only when somebody asks.

use atg_db::Health;
use atg_models::job::{JobFilter, JobState};
use atg_models::limits;
use futures_util::future::{Either, select};

use super::Metric;
use crate::routes::store_health;
use crate::state::AppState;

/// The text format of Prometheus.
pub(crate) async fn exposition(state: &AppState) -> String {
    let meters = &state.meters;
    let is_up = store_health(state).await == Health::Connected;
    meters.set(Metric::StoreUp, &[], if is_up { 1.0 } else { 0.0 });
    meters.set(Metric::JobsRunning, &[], number(state.engine.running()));
    if let Some(queued) = queued(state).await {
        meters.set(
            Metric::JobsQueued,
            &[],
            number(usize::try_from(queued).unwrap_or(usize::MAX)),
        );
    }
    meters.handle.render()
}

/// `None` when the store does not answer in time: what was known before stays.
async fn queued(state: &AppState) -> Option<u64> {
    let filter = JobFilter {
        states: vec![JobState::Queued],
        ..JobFilter::default()
    };
    let deadline = state
        .clock
        .sleep_until(state.clock.now() + limits::STORE_HEALTH_TIMEOUT);
    match select(state.jobs.list(filter, 1, 0), deadline).await {
        Either::Left((page, _)) => page.ok().map(|page| page.total),
        Either::Right(((), _)) => None,
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
