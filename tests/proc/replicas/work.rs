//! What is asked of the servers: jobs of every kind, each under a name of its own, some asked for twice, some cancelled.

use std::time::Duration;

use atg_models::{JobId, TenantId};
use atg_tests::KEY;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};

use super::{http, persistent};

/// Of a hundred jobs so many are scans, and so many specifications; the others are code.
const SCANS: u32 = 40;
const SPECIFICATIONS: u32 = 15;
/// Of a hundred so many are cancelled, and so many are asked for by two clients at once.
const CANCELLED: u32 = 15;
const TWICE: u32 = 25;
/// The latest moment of a cancel.
const CANCEL_MS: u64 = 4_000;

/// What a job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    Scan,
    /// Code, in this language.
    Code(&'static str),
    Specification,
}

impl Wanted {
    /// Everything that is answered with files.
    pub(crate) const FILES: [Self; 4] = [
        Self::Code("terraform"),
        Self::Code("arm"),
        Self::Code("bicep"),
        Self::Specification,
    ];

    fn some(random: &mut ChaCha8Rng) -> Self {
        match random.random_range(0..100) {
            number if number < SCANS => Self::Scan,
            number if number < SCANS + SPECIFICATIONS => Self::Specification,
            number => Self::FILES[usize::try_from(number % 3).unwrap()],
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Scan => "/api/v1/scan",
            Self::Code(_) => "/api/v1/generate-iac",
            Self::Specification => "/api/v1/generate-spec",
        }
    }

    pub(crate) fn body(self, tenant: TenantId) -> Value {
        match self {
            Self::Scan | Self::Specification => json!({"tenant_id": tenant}),
            Self::Code(format) => json!({"tenant_id": tenant, "format": format}),
        }
    }
}

/// One job that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its idempotency key.
    pub(crate) name: String,
    pub(crate) wanted: Wanted,
    pub(crate) tenant: TenantId,
    /// How long after it was taken on it is cancelled.
    pub(crate) cancel_after: Option<Duration>,
    twice: bool,
}

/// So many orders.
pub(crate) fn orders(seed: u64, count: u64, tenants: &[TenantId]) -> Vec<Order> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let order = |number| {
        let wanted = Wanted::some(&mut random);
        let tenant = tenants[random.random_range(0..tenants.len())];
        // What is made of a graph whose scan was cancelled says so: other tenants keep to what can be compared.
        let may_be_cancelled = wanted != Wanted::Scan || tenant == tenants[0];
        let cancelled = random.random_range(0..100) < CANCELLED && may_be_cancelled;
        let after = Duration::from_millis(random.next_u64() % CANCEL_MS);
        Order {
            name: format!("order-{number}"),
            wanted,
            tenant,
            cancel_after: cancelled.then_some(after),
            twice: random.random_range(0..100) < TWICE,
        }
    };
    (0..count).map(order).collect()
}

/// An order that was taken on.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) order: Order,
    pub(crate) job: JobId,
    /// How often it was asked for.
    pub(crate) sent: u64,
}

impl Order {
    /// Without anything special.
    pub(crate) fn plain(name: String, wanted: Wanted, tenant: TenantId) -> Self {
        Self {
            name,
            wanted,
            tenant,
            cancel_after: None,
            twice: false,
        }
    }

    /// Asks until it is taken on; whoever asks, and how often, it is one job.
    pub(crate) async fn give(self, url: &str) -> Taken {
        let (one, other) = if self.twice {
            let (one, other) = tokio::join!(self.ask(url), self.ask(url));
            (one, Some(other))
        } else {
            (self.ask(url).await, None)
        };
        let (job, mut sent, _) = one;
        if let Some((other, sent_too, _)) = other {
            assert_eq!(job, other, "{self:?} made two jobs");
            sent += sent_too;
        }
        Taken { order: self, job, sent }
    }

    /// The job, how often it was asked for, and whether an earlier request had made it.
    pub(crate) async fn ask(&self, url: &str) -> (JobId, u64, bool) {
        let request = http()
            .request(Method::POST, format!("{url}{}", self.wanted.path()))
            .bearer_auth(KEY)
            .header("idempotency-key", &self.name)
            .json(&self.wanted.body(self.tenant));
        let (answer, sent) = persistent(request).await;
        assert_eq!(answer.status(), 202, "{self:?}: {answer:?}");
        let replayed = answer.headers().contains_key("idempotent-replayed");
        if let Ok(body) = answer.json::<Value>().await {
            return (body["job_id"].as_str().unwrap().parse().unwrap(), sent, replayed);
        }
        // The connection was lost behind the head.
        let (job, again, _) = Box::pin(self.ask(url)).await;
        (job, sent + again, true)
    }
}

impl Taken {
    /// Cancels it, when that is to be done.
    pub(crate) async fn cancel(&self, url: &str) {
        let Some(after) = self.order.cancel_after else { return };
        tokio::time::sleep(after).await;
        let url = format!("{url}/api/v1/operations/{}", self.job);
        let (answer, _) = persistent(http().delete(url).bearer_auth(KEY)).await;
        // It has stopped, is about to, or was faster.
        assert!([200, 202, 409].contains(&answer.status().as_u16()), "{answer:?}");
    }
}
