//! The system's clock and randomness: the only place of the server that touches them.

use atg_models::clock::BoxFuture;
use atg_models::{Clock, IdGen, JobId, JobKind};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is given")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()> {
        let wait = (deadline - self.now()).try_into().unwrap_or(std::time::Duration::ZERO);
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGen for SystemIds {
    fn job_id(&self, kind: JobKind, now: OffsetDateTime) -> JobId {
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        JobId::new(
            kind,
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.nanosecond())),
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the randomness that everyone else is given"
    )]
    fn random_u128(&self) -> u128 {
        Uuid::new_v4().as_u128()
    }
}
