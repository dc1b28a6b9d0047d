//! The requests that start a job.
//!
//! Without an idempotency key such a request is sent once: the server may have taken it on. With one
//! it is tried again like any other.

use std::time::Duration;

use atg_models::TenantId;
use atg_models::api::{GenerateIacRequest, GenerateSpecRequest, JobResponse, JobResultResponse, ScanRequest};
use reqwest::header::HeaderName;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ClientError;
use crate::{Client, limits};

/// Names a submission.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says how long its answer may take.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What came of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// The job was taken on.
    Taken(JobResponse),
    /// It has ended already: the answer was waited for.
    Ended(Box<JobResultResponse>),
}

/// Where a submission goes, and with what.
struct Submission<'a, B> {
    method: Method,
    path: String,
    body: Option<&'a B>,
}

impl Client {
    /// Starts a scan.
    pub async fn scan(&self, request: &ScanRequest) -> Result<JobResponse, ClientError> {
        self.take_on(post("scan", request)).await
    }

    /// Starts a scan and lets the server hold the answer for so long.
    pub async fn scan_waiting(&self, request: &ScanRequest, wait: Duration) -> Result<Submitted, ClientError> {
        self.take_on_waiting(post("scan", request), wait).await
    }

    /// Starts a generation of code.
    pub async fn generate_iac(&self, request: &GenerateIacRequest) -> Result<JobResponse, ClientError> {
        self.take_on(post("generate-iac", request)).await
    }

    /// Starts a generation of code and lets the server hold the answer for so long.
    pub async fn generate_iac_waiting(
        &self,
        request: &GenerateIacRequest,
        wait: Duration,
    ) -> Result<Submitted, ClientError> {
        self.take_on_waiting(post("generate-iac", request), wait).await
    }

    /// Starts a specification.
    pub async fn generate_spec(&self, request: &GenerateSpecRequest) -> Result<JobResponse, ClientError> {
        self.take_on(post("generate-spec", request)).await
    }

    /// Starts a specification and lets the server hold the answer for so long.
    pub async fn generate_spec_waiting(
        &self,
        request: &GenerateSpecRequest,
        wait: Duration,
    ) -> Result<Submitted, ClientError> {
        self.take_on_waiting(post("generate-spec", request), wait).await
    }

    /// Starts the removal of all that is stored of a tenant.
    pub async fn remove_tenant(&self, tenant: TenantId) -> Result<JobResponse, ClientError> {
        self.take_on(removal(tenant)).await
    }

    /// Starts a removal and lets the server hold the answer for so long.
    pub async fn remove_tenant_waiting(&self, tenant: TenantId, wait: Duration) -> Result<Submitted, ClientError> {
        self.take_on_waiting(removal(tenant), wait).await
    }

    async fn take_on<B: Serialize, T: DeserializeOwned>(&self, what: Submission<'_, B>) -> Result<T, ClientError> {
        let response = self.submit(&what).await?;
        self.json(response).await
    }

    /// An answer that is lost while it is waited for, to a proxy that does not wait as long for instance,
    /// is asked for again without waiting, when the submission has a name.
    async fn take_on_waiting<B: Serialize>(
        &self,
        what: Submission<'_, B>,
        wait: Duration,
    ) -> Result<Submitted, ClientError> {
        let url = self.url(&what.path)?;
        let waiting = self.dressed(&what, self.patient_request(what.method.clone(), url, wait));
        let waiting = waiting.header(PREFER, format!("wait={}", wait.as_secs()));
        let response = match self.send(waiting).await {
            Err(error) if error.is_retryable() && self.idempotency_key.is_some() => {
                if let Some(asked) = error.retry_after() {
                    tokio::time::sleep(asked.min(limits::RETRY_WAIT_MAX)).await;
                }
                self.submit(&what).await?
            }
            answer => answer?,
        };
        if response.status() == StatusCode::OK {
            return Ok(Submitted::Ended(self.json(response).await?));
        }
        Ok(Submitted::Taken(self.json(response).await?))
    }

    async fn submit<B: Serialize>(&self, what: &Submission<'_, B>) -> Result<Response, ClientError> {
        let url = self.url(&what.path)?;
        let request = || self.dressed(what, self.request(what.method.clone(), url.clone()));
        match self.idempotency_key {
            Some(_) => self.with_retries(request).await,
            None => self.send(request()).await,
        }
    }

    fn dressed<B: Serialize>(&self, what: &Submission<'_, B>, request: RequestBuilder) -> RequestBuilder {
        let request = match what.body {
            Some(body) => request.json(body),
            None => request,
        };
        match &self.idempotency_key {
            Some(key) => request.header(IDEMPOTENCY_KEY, key),
            None => request,
        }
    }
}

fn post<'a, B>(route: &str, body: &'a B) -> Submission<'a, B> {
    Submission {
        method: Method::POST,
        path: format!("api/v1/{route}"),
        body: Some(body),
    }
}

fn removal(tenant: TenantId) -> Submission<'static, ()> {
    Submission {
        method: Method::DELETE,
        path: format!("api/v1/tenants/{tenant}"),
        body: None,
    }
}
