//! An error as a client gets it. What a 5xx rests on goes into the log, never to the client.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use atg_db::StoreError;
use atg_models::ErrorCode;
use atg_models::api::{ErrorResponse, RequestError};

/// Seconds after which a client may try a 503 again.
const UNAVAILABLE_RETRY_AFTER_SECONDS: i64 = 5;

/// A refused request.
#[derive(Debug)]
pub(crate) struct ApiError {
    body: ErrorResponse,
    /// Of a 405.
    allow: Option<String>,
    /// Seconds after which it may work; of a 429 and a 503.
    retry_after: i64,
    /// What else the answer says.
    headers: Vec<(HeaderName, String)>,
}

impl ApiError {
    /// An error of the table.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            body: ErrorResponse::new(code, message),
            allow: None,
            retry_after: UNAVAILABLE_RETRY_AFTER_SECONDS,
            headers: Vec::new(),
        }
    }

    /// After so many seconds it may work.
    pub(crate) fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = seconds;
        self
    }

    /// The answer says this too.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// There is no such thing, or not for this key: the two look alike.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("{what} not found"))
    }

    /// The route exists with these methods.
    pub(crate) fn method_not_allowed(method: &str, allow: String) -> Self {
        let message = format!("{method} is not allowed here, use {allow}");
        Self {
            allow: Some(allow),
            ..Self::new(ErrorCode::MethodNotAllowed, message)
        }
    }

    /// A defect: the chain goes into the log with the request's id, which its span carries.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "a request failed");
        Self::new(
            ErrorCode::Internal,
            "the server failed to answer; its log says why, under this request's id",
        )
    }
}

/// An error and all that it rests on.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.body.error.code.as_str(), self.body.error.message)
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self {
            body: error.response(),
            ..Self::new(error.code(), "")
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable { .. } => {
                tracing::warn!(error = chain(&error), "the database is not available");
                Self::new(
                    ErrorCode::DatabaseUnavailable,
                    "the database is not available at the moment, try again",
                )
            }
            StoreError::NotFound { what } => Self::not_found(what),
            StoreError::Fenced { .. }
            | StoreError::Refused(_)
            | StoreError::TooLarge { .. }
            | StoreError::Corrupt { .. }
            | StoreError::TooNew { .. }
            | StoreError::HalfImported { .. }
            | StoreError::Locked { .. } => Self::internal(&error),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        let status = self
            .body
            .error
            .code
            .http_status()
            .and_then(|status| StatusCode::from_u16(status).ok());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(allow) = &self.allow {
            response.insert_header((ALLOW, allow.as_str()));
        }
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                response.insert_header((RETRY_AFTER, self.retry_after.to_string()));
            }
            _ => {}
        }
        response.json(&self.body)
    }
}
