//! What other servers of the store do with jobs that this one runs, or whose readers it has.
//!
//! A hint of the hub goes no further than this process. So a server that shares its store asks it for news,
//! with one query for all its jobs, however many readers they have.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use atg_db::News;
use atg_models::JobId;
use atg_models::job::JobState;

use crate::attempt::StopReason;
use crate::engine::Inner;
use crate::limits::NEWS_LOOK;

/// Asks again and again, until the server drains.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut known = HashMap::new();
    loop {
        tokio::select! {
            () = inner.draining.cancelled() => return,
            () = inner.clock.sleep_until(inner.clock.now() + NEWS_LOOK) => {}
        }
        let ids = ids(&inner);
        if ids.is_empty() {
            known.clear();
            continue;
        }
        // A store that does not answer is the engine's loop to complain of; nothing is new meanwhile.
        if let Ok(news) = inner.jobs.news(&ids).await {
            known = news
                .into_iter()
                .map(|news| (news.id, tell(&inner, &known, news)))
                .collect();
        }
    }
}

fn ids(inner: &Inner) -> Vec<JobId> {
    let running = inner.attempts().into_iter().map(|attempt| attempt.id);
    let ids: BTreeSet<JobId> = inner.hub.watched().into_iter().chain(running).collect();
    ids.into_iter().collect()
}

fn tell(inner: &Inner, known: &HashMap<JobId, News>, news: News) -> News {
    if known.get(&news.id) != Some(&news) {
        inner.hub.stir(news.id);
    }
    if news.state == JobState::Cancelling {
        let attempts = inner.attempts();
        for attempt in attempts.iter().filter(|attempt| attempt.id == news.id) {
            attempt.stop(StopReason::Cancel);
        }
    }
    news
}
