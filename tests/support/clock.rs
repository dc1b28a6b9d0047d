//! A clock that runs, and can be put forward.

use atg_models::Clock;
use atg_models::clock::BoxFuture;
use atg_server::SystemClock;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

/// The system's time and what it was put forward by.
#[derive(Clone)]
pub struct AheadClock(Arc<watch::Sender<Duration>>);

impl Default for AheadClock {
    fn default() -> Self {
        Self(Arc::new(watch::channel(Duration::ZERO).0))
    }
}

impl AheadClock {
    /// Puts it forward and wakes who waited for that.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|ahead| *ahead += by);
    }
}

impl Clock for AheadClock {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + *self.0.borrow()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let mut ahead = self.0.subscribe();
        Box::pin(async move {
            loop {
                let now_ahead = *ahead.borrow_and_update();
                tokio::select! {
                    () = SystemClock.sleep_until(deadline - now_ahead) => return,
                    changed = ahead.changed() => changed.unwrap(),
                }
            }
        })
    }
}
