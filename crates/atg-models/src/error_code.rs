//! The table of error codes: one row a code, with its HTTP status and its page.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:expr;)+) => {
        /// Why a request was refused or a job failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name),+
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }

            /// The HTTP status; `None` for codes that only a job's error carries.
            pub const fn http_status(self) -> Option<u16> {
                match self {
                    $(Self::$name => $status),+
                }
            }
        }
    };
}

codes! {
    /// A field of the request breaks a rule.
    InvalidRequest = "INVALID_REQUEST", Some(400);
    /// The body is not JSON, or a value has the wrong type.
    MalformedJson = "MALFORMED_JSON", Some(400);
    /// No key, or not a valid one.
    AuthenticationFailed = "AUTHENTICATION_FAILED", Some(401);
    /// The key may not do this, or not for this tenant.
    Forbidden = "FORBIDDEN", Some(403);
    /// There is no such thing, or not for this key.
    NotFound = "NOT_FOUND", Some(404);
    /// The route exists with other methods.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", Some(405);
    /// The request's body did not arrive in time.
    RequestTimeout = "REQUEST_TIMEOUT", Some(408);
    /// The job has ended.
    JobFinished = "JOB_FINISHED", Some(409);
    /// The job has not ended.
    JobNotFinished = "JOB_NOT_FINISHED", Some(409);
    /// The idempotency key was used with another body.
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", Some(409);
    /// The artifact's time has passed.
    ArtifactExpired = "ARTIFACT_EXPIRED", Some(410);
    /// The body is larger than 1 MiB.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", Some(413);
    /// The body is not `application/json`.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", Some(415);
    /// The range lies outside the artifact.
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", Some(416);
    /// This path speaks WebSocket only.
    UpgradeRequired = "UPGRADE_REQUIRED", Some(426);
    /// Too many requests, scans or jobs.
    RateLimited = "RATE_LIMITED", Some(429);
    /// A defect of the server; the log says which.
    Internal = "INTERNAL", Some(500);
    /// The database cannot be reached, or its disk is full.
    DatabaseUnavailable = "DATABASE_UNAVAILABLE", Some(503);
    /// The server is shutting down.
    Draining = "DRAINING", Some(503);
    /// Azure refused the credential, or it belongs to another tenant.
    AzureAuthenticationFailed = "AZURE_AUTHENTICATION_FAILED", None;
    /// The principal lacks a role or permission.
    AzureForbidden = "AZURE_FORBIDDEN", None;
    /// Azure kept answering 429.
    AzureThrottled = "AZURE_THROTTLED", None;
    /// Azure did not answer.
    AzureUnavailable = "AZURE_UNAVAILABLE", None;
    /// Nothing is stored of this tenant.
    TenantNotFound = "TENANT_NOT_FOUND", None;
    /// The server stopped while the job ran, and it cannot be run again.
    Interrupted = "INTERRUPTED", None;
    /// The job failed each time it was tried.
    AttemptsExhausted = "ATTEMPTS_EXHAUSTED", None;
    /// The job ran longer than it may.
    DeadlineExceeded = "DEADLINE_EXCEEDED", None;
    /// The job was cancelled.
    Cancelled = "CANCELLED", None;
}
