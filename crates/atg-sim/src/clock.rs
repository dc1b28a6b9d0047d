//! The system's clock for the binary, and one that a test feeds.

use std::sync::{Arc, Mutex, PoisonError};

use atg_models::Clock;
use atg_models::clock::BoxFuture;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this type is where the simulator takes its time from"
    )]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let wait = deadline - self.now();
        Box::pin(async move {
            if let Ok(wait) = std::time::Duration::try_from(wait) {
                tokio::time::sleep(wait).await;
            }
        })
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct TestClock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    now: Mutex<OffsetDateTime>,
    moved: Notify,
}

impl TestClock {
    /// Starts at a moment.
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            inner: Arc::new(Inner {
                now: Mutex::new(now),
                moved: Notify::new(),
            }),
        }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        {
            let mut now = self.inner.now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.saturating_add(by);
        }
        self.inner.moved.notify_waiters();
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.inner.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let moved = clock.inner.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if clock.now() >= deadline {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms(now: OffsetDateTime) -> u64 {
    u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}
