//! A clock that moves only when it is told to, and ids that count up. For tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atg_models::clock::BoxFuture;
use atg_models::{Clock, IdGen, JobId, JobKind};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;
use uuid::Uuid;

/// A clock for tests.
#[derive(Clone)]
pub struct TestClock(Arc<watch::Sender<OffsetDateTime>>);

impl TestClock {
    /// A clock that stands at `now`.
    pub fn at(now: OffsetDateTime) -> Self {
        Self(Arc::new(watch::channel(now).0))
    }

    /// Moves it on and wakes who waited for that.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by);
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.borrow()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| *now >= deadline).await.is_err() {
                // The clock is gone, and its time with it.
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Ids that count up from 1.
#[derive(Default)]
pub struct TestIds {
    last: AtomicU64,
    random: Mutex<u128>,
}

impl IdGen for TestIds {
    fn job_id(&self, kind: JobKind, _now: OffsetDateTime) -> JobId {
        let number = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        JobId::new(kind, Uuid::from_u128(u128::from(number)))
    }

    fn random_u128(&self) -> u128 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        *random = random.wrapping_add(1);
        *random
    }
}
