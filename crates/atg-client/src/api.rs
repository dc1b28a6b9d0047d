//! The routes, one method each.

use std::time::Duration;

use atg_models::JobId;
use atg_models::api::{
    CancelResponse, ErrorResponse, HealthResponse, JobResultResponse, JobStatusResponse, OperationsQuery,
    TenantResponse,
};
use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::ClientError;
use crate::{Watch, limits};

/// Talks to one server with one key.
#[derive(Clone)]
pub struct Client {
    base: Url,
    key: Option<SecretString>,
    http: reqwest::Client,
    /// For answers that are waited for.
    patient: reqwest::Client,
    pub(crate) idempotency_key: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// Newest first.
    pub jobs: Vec<JobStatusResponse>,
    /// How many there are in all.
    pub total: u64,
}

impl Client {
    /// A client of the server at `base`. Sends nothing yet.
    ///
    /// # Errors
    /// When the address is no http or https address.
    pub fn new(base: &str, key: Option<SecretString>) -> Result<Self, ClientError> {
        let parsed = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base = parsed.ok_or_else(|| ClientError::Settings(format!("“{base}” is not an http or https address")))?;
        let http_key = |key: &SecretString| HeaderValue::from_str(key.expose_secret()).is_ok();
        if !key.as_ref().is_none_or(http_key) {
            return Err(ClientError::Settings(
                "the API key has characters that no key has".to_owned(),
            ));
        }
        let built = |builder: reqwest::ClientBuilder| {
            let built = builder
                .connect_timeout(limits::CONNECT_TIMEOUT)
                // What a WebSocket needs, and all that the server speaks.
                .http1_only()
                .user_agent(concat!("atg-client/", env!("CARGO_PKG_VERSION")))
                .build();
            built.map_err(|error| ClientError::Settings(format!("the HTTP client cannot be built: {error}")))
        };
        Ok(Self {
            base,
            key,
            http: built(reqwest::Client::builder().read_timeout(limits::READ_TIMEOUT))?,
            patient: built(reqwest::Client::builder())?,
            idempotency_key: None,
        })
    }

    /// The same client for one submission, named by this key: it is tried again when its answer is lost,
    /// and makes one job however often it arrives.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// How the server is; needs no key.
    pub async fn health(&self) -> Result<HealthResponse, ClientError> {
        self.get("api/v1/health").await
    }

    /// Jobs, newest first.
    pub async fn operations(&self, query: OperationsQuery) -> Result<JobPage, ClientError> {
        let mut url = self.url("api/v1/operations")?;
        url.query_pairs_mut().extend_pairs(query.to_pairs());
        let response = self.with_retries(|| self.request(Method::GET, url.clone())).await?;
        let total = response
            .headers()
            .get("x-total-count")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let jobs: Vec<JobStatusResponse> = self.json(response).await?;
        let counted = u64::try_from(jobs.len()).unwrap_or(u64::MAX);
        Ok(JobPage {
            total: total.unwrap_or(counted),
            jobs,
        })
    }

    /// Where a job stands.
    pub async fn operation(&self, job: JobId) -> Result<JobStatusResponse, ClientError> {
        self.get(&format!("api/v1/operations/{job}")).await
    }

    /// What came of a job that has ended.
    pub async fn result(&self, job: JobId) -> Result<JobResultResponse, ClientError> {
        self.get(&format!("api/v1/operations/{job}/result")).await
    }

    /// Asks a job to stop.
    pub async fn cancel(&self, job: JobId) -> Result<CancelResponse, ClientError> {
        let url = self.url(&format!("api/v1/operations/{job}"))?;
        let response = self.send(self.request(Method::DELETE, url)).await?;
        self.json(response).await
    }

    /// What is stored.
    pub async fn tenants(&self) -> Result<Vec<TenantResponse>, ClientError> {
        self.get("api/v1/tenants").await
    }

    /// Follows a job's progress from the start of its log; resumes by itself.
    pub fn watch(&self, job: JobId) -> Watch {
        Watch::new(self.clone(), job)
    }

    pub(crate) fn url(&self, path: &str) -> Result<Url, ClientError> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| ClientError::Settings(format!("{text} is no address: {error}")))
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(SecretString::expose_secret)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.url(path)?;
        let response = self.with_retries(|| self.request(Method::GET, url.clone())).await?;
        self.json(response).await
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.authorized(self.http.request(method, url))
    }

    /// A request whose answer may take `wait`.
    pub(crate) fn patient_request(&self, method: Method, url: Url, wait: Duration) -> RequestBuilder {
        let request = self.patient.request(method, url);
        self.authorized(request)
            .timeout(wait.saturating_add(limits::WAIT_SLACK))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match self.key() {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request that changes nothing until it is answered, within bounds.
    pub(crate) async fn with_retries(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, ClientError> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(limits::RETRY_WAIT)
            .with_max_delay(limits::RETRY_WAIT_MAX)
            .with_max_times(limits::RETRIES)
            .with_jitter();
        (|| self.send(request()))
            .retry(waits)
            .sleep(tokio::time::sleep)
            .when(ClientError::is_retryable)
            .adjust(|error, wait| match error.retry_after() {
                Some(asked) => wait.map(|_| asked),
                None => wait,
            })
            .await
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response).await)
    }

    async fn refused(&self, response: Response) -> ClientError {
        let status = response.status().as_u16();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let request_id = header("x-request-id");
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        let url = response.url().to_string();
        let body = bounded(response).await.ok();
        match body.and_then(|bytes| serde_json::from_slice::<ErrorResponse>(&bytes).ok()) {
            Some(ErrorResponse { error }) => ClientError::Refused {
                status,
                body: error,
                request_id,
                retry_after,
            },
            None if matches!(status, 502..=504) => ClientError::Unreachable {
                url,
                source: format!("a proxy answered {status}").into(),
            },
            None => ClientError::NotUnderstood {
                url,
                problem: format!("status {status} without an error body"),
            },
        }
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, response: Response) -> Result<T, ClientError> {
        let url = response.url().to_string();
        let bytes = match bounded(response).await {
            Ok(bytes) => bytes,
            Err(Broken::Off(error)) => return Err(self.unreachable(error)),
            Err(Broken::TooLarge) => {
                return Err(ClientError::NotUnderstood {
                    url,
                    problem: "the answer is too large".to_owned(),
                });
            }
        };
        serde_json::from_slice(&bytes).map_err(|error| ClientError::NotUnderstood {
            url,
            problem: error.to_string(),
        })
    }

    pub(crate) fn unreachable(&self, error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
        ClientError::Unreachable {
            url: self.base.to_string(),
            source: Box::new(error),
        }
    }

    pub(crate) fn cut(&self, error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
        ClientError::Cut {
            url: self.base.to_string(),
            source: Box::new(error),
        }
    }

    /// What the server said to a handshake that it refused; a proxy that answers for it keeps the connection.
    pub(crate) async fn refused_handshake(&self, response: Response) -> ClientError {
        let refused = self.refused(response).await;
        if let ClientError::Unreachable { url, source } = refused {
            return ClientError::Cut { url, source };
        }
        refused
    }
}

/// Why there is no body.
enum Broken {
    Off(reqwest::Error),
    TooLarge,
}

/// A body within the bound, whatever its header announces.
async fn bounded(mut response: Response) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Broken::Off)? {
        if body.len().saturating_add(chunk.len()) > limits::ANSWER_MAX_BYTES {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_header_can_carry_is_refused() {
        let key = SecretString::from("atg_dev_00\n".to_owned());
        assert!(matches!(
            Client::new("http://127.0.0.1:1", Some(key)),
            Err(ClientError::Settings(_))
        ));
    }
}
