//! The time of servers that share a store: the store's.
//!
//! A lease that one server gives itself is judged by another, so both must mean the same by “now”. Each keeps its
//! own clock and the distance to the database's, which is measured again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use atg_db::neo4j;
use atg_models::Clock;
use atg_models::clock::BoxFuture;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

/// How often the distance is measured.
const MEASURED_EVERY: Duration = Duration::seconds(10);
/// A question that took longer than this says too little about the moment of its answer, once that is known at all: a
/// database that is slow to answer is no reason not to begin.
const LONGEST_QUESTION: Duration = Duration::milliseconds(500);
/// From this distance on the operator is told: Azure's tokens and logs depend on the machine's clock too.
const TOLD_FROM: Duration = Duration::seconds(2);

/// A clock that goes like another one, some time ahead or behind.
pub(crate) struct SharedClock {
    own: Arc<dyn Clock>,
    /// What the store's clock is ahead of ours, in nanoseconds.
    ahead: AtomicI64,
    /// Whether that was measured.
    is_known: AtomicBool,
}

impl SharedClock {
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self {
            own,
            ahead: AtomicI64::new(0),
            is_known: AtomicBool::new(false),
        }
    }

    /// Measures the distance from time to time, until the server stops.
    pub(crate) async fn follow(self: Arc<Self>, store: neo4j::Stores, until: CancellationToken) {
        let mut told = false;
        loop {
            let measured = self.measure(&store).await;
            let far = measured.is_some_and(|ahead| ahead.abs() >= TOLD_FROM);
            if far && !told {
                let seconds = measured.unwrap_or_default().as_seconds_f64();
                tracing::warn!(
                    seconds,
                    "the clock of this machine and that of the database differ: the database's counts for jobs"
                );
            }
            told = far;
            tokio::select! {
                () = until.cancelled() => return,
                () = self.own.sleep_until(self.own.now() + MEASURED_EVERY) => {}
            }
        }
    }

    /// How far ahead the store's clock is, if it answered soon enough to tell.
    pub(crate) async fn measure(&self, store: &neo4j::Stores) -> Option<Duration> {
        let asked = self.own.now();
        let theirs: OffsetDateTime = store.now().await.ok()?;
        self.take(asked, theirs, self.own.now())
    }

    /// Takes in what the store said between two moments of our own; answers the distance that holds then.
    fn take(&self, asked: OffsetDateTime, theirs: OffsetDateTime, answered: OffsetDateTime) -> Option<Duration> {
        let took: Duration = answered - asked;
        let was_known = self.is_known.swap(true, Ordering::Relaxed);
        if was_known && took > LONGEST_QUESTION {
            return None;
        }
        let middle: Duration = theirs - (asked + took / 2);
        // What the answer does not rule out stays as it is: a clock that is right does not jump.
        if !was_known || (middle - self.ahead()).abs() > took / 2 {
            let nanos = i64::try_from(middle.whole_nanoseconds()).unwrap_or_default();
            self.ahead.store(nanos, Ordering::Relaxed);
        }
        Some(self.ahead())
    }

    fn ahead(&self) -> Duration {
        Duration::nanoseconds(self.ahead.load(Ordering::Relaxed))
    }
}

impl Clock for SharedClock {
    fn now(&self) -> OffsetDateTime {
        self.own.now() + self.ahead()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        self.own.sleep_until(deadline - self.ahead())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    #[tokio::test]
    async fn it_goes_some_time_ahead_and_sleeps_as_long() {
        let clock = SharedClock::new(Arc::new(SystemClock));
        clock.ahead.store(3_600_000_000_000, Ordering::Relaxed);
        let ahead = clock.now() - SystemClock.now();
        assert!((ahead - Duration::HOUR).abs() < Duration::SECOND, "{ahead}");
        clock.sleep_until(clock.now() + Duration::MILLISECOND).await;
    }

    #[test]
    fn it_moves_when_it_is_proved_wrong() {
        let at = |ms: i64| OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(ms);
        let clock = SharedClock::new(Arc::new(SystemClock));
        let hour = 3_600_000;
        // The first answer counts however long it took; from then on a slow one says nothing.
        let first = clock.take(at(0), at(hour), at(2_000)).unwrap();
        assert_eq!(first, Duration::milliseconds(hour - 1_000));
        assert_eq!(clock.take(at(0), at(0), at(501)), None);
        assert_eq!(clock.ahead(), first);
        // One that does not contradict it changes nothing, one that does counts.
        assert_eq!(clock.take(at(0), at(hour - 800), at(400)), Some(first));
        let moved = clock.take(at(0), at(hour), at(10)).unwrap();
        assert_eq!(moved, Duration::milliseconds(hour - 5));
    }
}
