//! Requests a minute, per key.
//!
//! One server counts in memory, exact to the request; servers that share a store take grants from it. Anonymous
//! requests are not counted: what they get (health, documentation, a refusal) costs no more than counting them,
//! and an address is no identity. The number of connections bounds them.

mod own;
mod shared;

use std::sync::Arc;

use actix_web::http::header::HeaderName;
use atg_auth::KeyPrefix;
use atg_db::ReplicaStore;
use atg_models::ErrorCode;
use time::{Duration, OffsetDateTime};

use crate::error::ApiError;
use own::OwnRates;
use shared::SharedRates;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Where a key stands with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many are allowed in a window.
    pub(crate) limit: u64,
    /// How many are left.
    pub(crate) remaining: u64,
    /// Until one more is left than now.
    pub(crate) reset: Duration,
}

impl Standing {
    /// As the client gets it. Times are whole seconds, rounded up.
    pub(crate) fn headers(self) -> [(HeaderName, String); 3] {
        [
            (LIMIT, self.limit.to_string()),
            (REMAINING, self.remaining.to_string()),
            (RESET, seconds_up(self.reset).to_string()),
        ]
    }
}

/// Whole seconds, so that after them the time has surely passed.
pub(crate) fn seconds_up(duration: Duration) -> i64 {
    let seconds = duration.whole_seconds();
    let more = i64::from(duration > Duration::seconds(seconds));
    seconds.saturating_add(more).max(0)
}

/// The requests of all keys.
pub(crate) enum Rates {
    /// Counted by this server alone.
    Own(OwnRates),
    /// Counted by all servers of a store together.
    Shared(SharedRates),
}

impl Rates {
    /// So many requests a minute for each key, counted together with other servers where there is such a store.
    pub(crate) fn new(limit: u32, shared: Option<Arc<dyn ReplicaStore>>) -> Self {
        match shared {
            None => Self::Own(OwnRates::new(limit)),
            Some(store) => Self::Shared(SharedRates::new(limit, store)),
        }
    }

    /// Counts a request, or refuses it; a refused one costs nothing.
    pub(crate) async fn admit(&self, key: &KeyPrefix, now: OffsetDateTime) -> Result<(), ApiError> {
        match self {
            Self::Own(own) => own.admit(key, now),
            Self::Shared(shared) => shared.admit(key, now).await,
        }
    }

    /// Where a key stands.
    pub(crate) fn standing(&self, key: &KeyPrefix, now: OffsetDateTime) -> Standing {
        match self {
            Self::Own(own) => own.standing(key, now),
            Self::Shared(shared) => shared.standing(key, now),
        }
    }

    /// How many keys are remembered.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Own(own) => own.len(),
            Self::Shared(shared) => shared.len(),
        }
    }
}

/// The 429 of a key that has used up its requests.
fn used_up(standing: Standing) -> ApiError {
    let message = format!("the rate limit of {} requests a minute is used up", standing.limit);
    refused(message, standing)
}

/// The 429 of a limit that is used up.
pub(crate) fn refused(message: String, standing: Standing) -> ApiError {
    let error = ApiError::new(ErrorCode::RateLimited, message).retry_after(seconds_up(standing.reset).max(1));
    standing
        .headers()
        .into_iter()
        .fold(error, |error, (name, value)| error.with(name, &value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        let seconds = [0, 1, 999, 1_000, 1_001, -5].map(|ms| seconds_up(Duration::milliseconds(ms)));
        assert_eq!(seconds, [0, 1, 1, 1, 2, 0]);
    }
}
