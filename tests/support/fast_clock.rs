//! A clock that runs faster than the system's, so that leases pass and waits end while a test looks on.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use atg_models::Clock;
use atg_models::clock::BoxFuture;
use time::{Duration, OffsetDateTime};

/// Counts from the system's time on, so many times as fast. Clones are one clock.
#[derive(Clone)]
pub struct FastClock {
    began: Instant,
    base: Arc<Mutex<OffsetDateTime>>,
    times: u32,
}

impl FastClock {
    /// A clock that runs this many times as fast as the system's.
    pub fn new(times: u32) -> Self {
        Self {
            began: Instant::now(),
            base: Arc::new(Mutex::new(OffsetDateTime::now_utc())),
            times,
        }
    }

    /// Sets it on. Who sleeps already sleeps on.
    pub fn advance(&self, by: Duration) {
        *self.base.lock().unwrap() += by;
    }
}

impl Clock for FastClock {
    fn now(&self) -> OffsetDateTime {
        *self.base.lock().unwrap() + self.began.elapsed() * self.times
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let wait: std::time::Duration = (deadline - self.now()).try_into().unwrap_or_default();
        let clock = self.clone();
        Box::pin(async move {
            tokio::time::sleep(wait / clock.times).await;
            // A timer may be a millisecond early, which is many here.
            while clock.now() < deadline {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
    }
}
