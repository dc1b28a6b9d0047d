//! The system's clock, moved on by a test: who sleeps until a moment that is past then wakes.

use atg_models::Clock;
use atg_models::clock::BoxFuture;
use atg_server::SystemClock;
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

/// The system's clock and a distance. Clones are one clock.
#[derive(Clone)]
pub struct ShiftedClock(watch::Sender<Duration>);

impl Default for ShiftedClock {
    fn default() -> Self {
        Self(watch::channel(Duration::ZERO).0)
    }
}

impl ShiftedClock {
    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|shift| *shift += by);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + *self.0.borrow()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let mut shift = self.0.subscribe();
        Box::pin(async move {
            loop {
                let by = *shift.borrow_and_update();
                let moved = tokio::select! {
                    () = SystemClock.sleep_until(deadline - by) => return,
                    moved = shift.changed() => moved,
                };
                if moved.is_err() {
                    // The clock is gone, and its time with it.
                    return std::future::pending().await;
                }
            }
        })
    }
}
