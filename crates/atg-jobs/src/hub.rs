//! Hints that a job's log has grown. Never data: whoever is woken reads the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atg_models::JobId;
use tokio::sync::watch;

use crate::limits::WATCHED_JOBS;

/// Wakes the readers of a job.
#[derive(Clone, Default)]
pub struct Hub {
    watched: Arc<Mutex<HashMap<JobId, watch::Sender<u64>>>>,
    /// Of the last hint, of whichever job: a later hint has a higher number.
    last: Arc<AtomicU64>,
}

impl Hub {
    /// Tells the readers of a job that there is something to read.
    pub fn stir(&self, job: JobId) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(&job) {
            if sender.receiver_count() == 0 {
                watched.remove(&job);
            } else {
                sender.send_replace(self.next());
            }
        }
    }

    /// Listens for one job. Past the bound the listener hears nothing and has to look by itself.
    pub fn listen(&self, job: JobId) -> Listener {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let known = watched.contains_key(&job);
        let receiver = (known || watched.len() < WATCHED_JOBS).then(|| {
            watched
                .entry(job)
                .or_insert_with(|| watch::channel(self.next()).0)
                .subscribe()
        });
        Listener {
            hub: self.clone(),
            job,
            receiver,
        }
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Which jobs are watched.
    pub(crate) fn watched(&self) -> Vec<JobId> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.keys().copied().collect()
    }

    /// How many jobs are watched.
    pub fn watched_jobs(&self) -> usize {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Hears hints for one job; its entry goes with its last listener.
pub struct Listener {
    hub: Hub,
    job: JobId,
    receiver: Option<watch::Receiver<u64>>,
}

impl Listener {
    /// The number of the last hint, or of the time when the job came to be watched. What is read after
    /// this was asked is at least as new. `None` for a listener past the bound.
    pub fn hint(&self) -> Option<u64> {
        self.receiver.as_ref().map(|receiver| *receiver.borrow())
    }

    /// Resolves at the first hint since the last call. Never resolves for a listener past the bound.
    pub async fn stirred(&mut self) {
        let heard = match &mut self.receiver {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !heard {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.receiver.take().is_none() {
            return;
        }
        let mut watched = self.hub.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched
            .get(&self.job)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            watched.remove(&self.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atg_models::JobKind;
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    const JOB: JobId = JobId::new(JobKind::Scan, Uuid::nil());

    #[test]
    fn a_hint_wakes_each_listener_once_and_entries_go_with_the_last() {
        let hub = Hub::default();
        hub.stir(JOB);
        assert_eq!(hub.watched_jobs(), 0, "nobody listens");
        let mut one = hub.listen(JOB);
        let mut two = hub.listen(JOB);
        assert!(one.stirred().now_or_never().is_none());
        hub.stir(JOB);
        hub.stir(JOB);
        assert!(one.stirred().now_or_never().is_some());
        assert!(one.stirred().now_or_never().is_none(), "hints coalesce");
        assert!(two.stirred().now_or_never().is_some());
        drop(one);
        assert_eq!(hub.watched_jobs(), 1);
        drop(two);
        assert_eq!(hub.watched_jobs(), 0);
    }
}
