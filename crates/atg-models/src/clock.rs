//! Time and randomness as arguments. Only the binaries hold the system's.

use std::future::Future;
use std::pin::Pin;

use time::OffsetDateTime;

use crate::ids::{JobId, JobKind};

/// A boxed future, so that the traits here need no async runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, UTC.
    fn now(&self) -> OffsetDateTime;

    /// Resolves when [`Clock::now`] has reached `deadline`; at once if it has already.
    fn sleep_until(&self, deadline: OffsetDateTime) -> BoxFuture<'static, ()>;
}

/// Where ids come from.
pub trait IdGen: Send + Sync + 'static {
    /// A new job id (UUID v7 of that moment).
    fn job_id(&self, kind: JobKind, now: OffsetDateTime) -> JobId;

    /// 128 random bits, for request ids and worker names.
    fn random_u128(&self) -> u128;
}
