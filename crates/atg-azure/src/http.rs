//! One request to Azure: budget, token, time-outs, bounds, retries, cancellation.
//!
//! Every answer is JSON, read whole and within a bound, or it is tried again. Must never: send
//! anything after cancellation, follow a redirect (the token would go with it), or put a token or
//! a body into an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use atg_models::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::answer::{self, Failure};
use crate::credential::{Audience, TokenSource};
use crate::quota::{Cancelled, Lane, Planner, Told};
use crate::{AzureError, CallCounts, limits};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Value>,
    pub(crate) lane: Lane,
    /// In the units of the lane.
    pub(crate) cost: u64,
    pub(crate) audience: Audience,
    /// `ConsistencyLevel: eventual`, which Microsoft Graph wants for counts.
    pub(crate) eventual: bool,
    /// For errors: "listing the subscriptions".
    pub(crate) doing: &'static str,
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The scan is being stopped.
    Cancelled,
    /// The credential was refused.
    Authentication { problem: String },
    /// The service refused the request; another try would not help.
    Refused(Refusal),
    /// 429 until the retries were used up.
    Throttled { doing: &'static str },
    /// Anything else until the retries were used up.
    Unavailable { doing: &'static str, problem: String },
}

/// A refusal in the service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The error's code and those of its details.
    pub(crate) codes: Vec<String>,
    pub(crate) message: String,
}

impl Refusal {
    /// Whether one of the codes, or the message, says so.
    pub(crate) fn says(&self, code: &str) -> bool {
        self.codes.iter().any(|own| own.eq_ignore_ascii_case(code)) || self.message.contains(code)
    }
}

impl CallError {
    /// The error of the whole scan that this is, where the request was indispensable.
    pub(crate) fn into_fatal(self, doing: &'static str) -> AzureError {
        match self {
            Self::Cancelled => AzureError::Unavailable {
                doing,
                problem: "stopped".to_owned(),
            },
            Self::Authentication { problem } => AzureError::Authentication { problem },
            Self::Refused(refusal) => AzureError::Unavailable {
                doing,
                problem: format!("{}: {}", refusal.status, refusal.message),
            },
            Self::Throttled { doing } => AzureError::Throttled { doing },
            Self::Unavailable { doing, problem } => AzureError::Unavailable { doing, problem },
        }
    }
}

/// Sends requests as one principal in one tenant.
pub(crate) struct Http {
    client: reqwest::Client,
    tokens: TokenSource,
    planner: Arc<Planner>,
    clock: Arc<dyn Clock>,
    of_all: Arc<Semaphore>,
    max_retries: u32,
    jitter: AtomicU64,
    calls: AtomicU64,
    throttled: AtomicU64,
    errors: AtomicU64,
}

/// How one try ended short of an answer.
enum Miss {
    Again {
        failure: Failure,
        pause: Option<Duration>,
    },
    Unauthorised {
        serial: u64,
        problem: String,
        renewable: bool,
    },
    Final(CallError),
}

impl Http {
    pub(crate) fn new(
        client: reqwest::Client,
        tokens: TokenSource,
        planner: Arc<Planner>,
        clock: Arc<dyn Clock>,
        max_concurrency: usize,
        max_retries: u32,
    ) -> Self {
        let seed = u64::try_from(clock.now().unix_timestamp_nanos() & i128::from(i64::MAX)).unwrap_or_default();
        Self {
            client,
            tokens,
            planner,
            clock,
            of_all: Arc::new(Semaphore::new(max_concurrency.max(1))),
            max_retries,
            jitter: AtomicU64::new(seed),
            calls: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }

    pub(crate) fn tokens(&self) -> &TokenSource {
        &self.tokens
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn counts(&self) -> CallCounts {
        CallCounts {
            calls: self.calls.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }

    /// Counts a part of a `$batch` that was throttled: the answer around it was a 200.
    pub(crate) fn count_throttled_part(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends until there is an answer, a refusal, or no retry left.
    pub(crate) async fn send(&self, call: &Call, cancelled: &CancellationToken) -> Result<Value, CallError> {
        let mut tries = 0;
        let mut refused = None;
        loop {
            let miss = match self.try_once(call, refused, cancelled).await {
                Ok(body) => return Ok(body),
                Err(miss) => miss,
            };
            match miss {
                Miss::Final(error) => return Err(error),
                Miss::Unauthorised {
                    serial,
                    problem,
                    renewable,
                } => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    if !renewable {
                        return Err(CallError::Authentication { problem });
                    }
                    // The first renewal is free. One that is refused too counts as a try: Azure's front doors do not
                    // all see a new token, or the end of an old one, at the same moment.
                    if refused.is_some() {
                        tries += 1;
                        if tries > self.max_retries {
                            return Err(CallError::Authentication { problem });
                        }
                        self.pause(None, tries, cancelled).await?;
                    }
                    refused = Some(serial);
                }
                Miss::Again { failure, pause } => {
                    tries += 1;
                    let counter = if failure == Failure::Throttled {
                        &self.throttled
                    } else {
                        &self.errors
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(doing = call.doing, tries, %failure, "a request to Azure failed");
                    if tries > self.max_retries {
                        return Err(failure.into_error(call.doing));
                    }
                    self.pause(pause, tries, cancelled).await?;
                }
            }
        }
    }

    /// Waits `pause`, or a doubling time of our own, plus up to as much again by chance.
    pub(crate) async fn pause(
        &self,
        pause: Option<Duration>,
        tries: u32,
        cancelled: &CancellationToken,
    ) -> Result<(), CallError> {
        let doubled: Duration = limits::RETRY_FIRST * 2_i32.saturating_pow(tries.saturating_sub(1).min(10));
        let own: Duration = doubled.min(limits::RETRY_LONGEST);
        let least = pause.map_or(own / 2_i32, |asked| asked.min(limits::RETRY_AFTER_LONGEST));
        let spread_ms = u64::try_from((own / 2_i32).whole_milliseconds())
            .unwrap_or_default()
            .max(1);
        let chance_ms = i64::try_from(self.chance() % spread_ms).unwrap_or_default();
        let until = self.clock.now() + least + Duration::milliseconds(chance_ms);
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(CallError::Cancelled),
            () = self.clock.sleep_until(until) => Ok(()),
        }
    }

    async fn try_once(&self, call: &Call, refused: Option<u64>, cancelled: &CancellationToken) -> Result<Value, Miss> {
        let permit = self
            .planner
            .acquire(&call.lane, call.cost, &self.of_all, cancelled)
            .await
            .map_err(|Cancelled| Miss::Final(CallError::Cancelled))?;
        let token = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(Miss::Final(CallError::Cancelled)),
            token = self.tokens.token(call.audience, refused) => token.map_err(token_missing)?,
        };
        let mut request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .bearer_auth(token.text.expose_secret());
        if call.eventual {
            request = request.header("ConsistencyLevel", "eventual");
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if cancelled.is_cancelled() {
            return Err(Miss::Final(CallError::Cancelled));
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(Miss::Final(CallError::Cancelled)),
            outcome = receive(request) => outcome,
        };
        let now = self.clock.now();
        let told = outcome
            .as_ref()
            .map_or_else(|_| Told::default(), |raw| told(raw.status, &raw.headers, now));
        self.planner.finish(&permit, told);
        drop(permit);
        let raw = outcome.map_err(|failure| Miss::Again { failure, pause: None })?;
        judge(&raw, told, token.serial)
    }

    /// A number that differs from call to call: splitmix64, seeded by the clock.
    fn chance(&self) -> u64 {
        let seed = self.jitter.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// The client of all requests.
pub(crate) fn client() -> Result<reqwest::Client, AzureError> {
    reqwest::Client::builder()
        .connect_timeout(limits::CONNECT_TIMEOUT)
        .timeout(limits::REQUEST_TIMEOUT)
        .read_timeout(limits::READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("atg/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| AzureError::Unavailable {
            doing: "setting up the connection",
            problem: error.to_string(),
        })
}

/// An answer as it came.
struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

async fn receive(request: reqwest::RequestBuilder) -> Result<Raw, Failure> {
    let mut response = request.send().await.map_err(|error| Failure::of_transport(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_transport(&error))? {
        if body.len().saturating_add(chunk.len()) > limits::ANSWER_BYTES {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Raw { status, headers, body })
}

fn judge(raw: &Raw, told: Told, serial: u64) -> Result<Value, Miss> {
    let pause = told
        .retry_after_ms
        .and_then(|ms| i64::try_from(ms).ok())
        .map(Duration::milliseconds);
    let again = |failure| Miss::Again { failure, pause };
    let status = raw.status;
    if status == StatusCode::UNAUTHORIZED {
        let refusal = answer::refusal(status.as_u16(), &raw.body);
        let challenge = raw
            .headers
            .get(WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let claims_asked = challenge.contains("claims=");
        let problem = if claims_asked {
            "conditional access asks for more than this credential can give (claims challenge)".to_owned()
        } else {
            refusal.message
        };
        return Err(Miss::Unauthorised {
            serial,
            problem,
            renewable: !claims_asked,
        });
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(again(Failure::Throttled));
    }
    if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() {
        return Err(again(Failure::Status(status.as_u16())));
    }
    if !status.is_success() {
        return Err(Miss::Final(CallError::Refused(answer::refusal(
            status.as_u16(),
            &raw.body,
        ))));
    }
    let content_type = raw
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.to_ascii_lowercase().contains("json") {
        return Err(again(Failure::NotJson));
    }
    serde_json::from_slice(&raw.body).map_err(|_| again(Failure::Truncated))
}

fn token_missing(error: AzureError) -> Miss {
    match error {
        AzureError::Authentication { problem } => Miss::Final(CallError::Authentication { problem }),
        AzureError::Unavailable { problem, .. } => Miss::Again {
            failure: Failure::NoToken(problem),
            pause: None,
        },
        AzureError::Forbidden { permission } => Miss::Final(CallError::Authentication { problem: permission }),
        AzureError::Throttled { .. } => Miss::Again {
            failure: Failure::Throttled,
            pause: None,
        },
    }
}

/// What the headers say about the budget.
fn told(status: StatusCode, headers: &HeaderMap, now: OffsetDateTime) -> Told {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
    let remaining = number("x-ms-user-quota-remaining")
        .or_else(|| number("x-ms-ratelimit-remaining-subscription-reads"))
        .or_else(|| number("x-ms-ratelimit-remaining-tenant-reads"));
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Told {
        remaining,
        resets_after_ms: text("x-ms-user-quota-resets-after").and_then(answer::span_ms),
        throttled: status == StatusCode::TOO_MANY_REQUESTS,
        retry_after_ms: retry_after
            .and_then(|value| answer::retry_after_ms(value, now))
            .map(|ms| ms.min(u64::try_from(limits::RETRY_AFTER_LONGEST.whole_milliseconds()).unwrap_or(u64::MAX))),
    }
}
