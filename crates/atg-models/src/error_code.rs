//! The table of error codes: one row a code, with its HTTP status and the text of its page.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($name:ident = $text:tt, $status:expr, $title:literal, $explanation:literal, $what_to_do:literal;)+) => {
        /// Why a request was refused or a job failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $(#[doc = $title] #[serde(rename = $text)] $name),+
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

            /// What it says, in a sentence.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title),+
                }
            }

            /// When it occurs, and why.
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => $explanation),+
                }
            }

            /// What helps.
            pub const fn what_to_do(self) -> &'static str {
                match self {
                    $(Self::$name => $what_to_do),+
                }
            }
        }
    };
}

codes! {
    InvalidRequest = "INVALID_REQUEST", Some(400),
        "A field of the request breaks a rule.",
        "The body or the query was understood, but a value is outside its bounds, a field is missing, or a field is not known. `details.fields` lists every violated rule and every unknown field; the message names the first.",
        "Correct the fields that `details.fields` names. The rules stand in the OpenAPI document under `/docs`. A request without `tenant_id` is accepted only when the key may see exactly one tenant.";
    MalformedJson = "MALFORMED_JSON", Some(400),
        "The body is not JSON, or a value has the wrong type.",
        "The body could not be read as a JSON object, or the named field holds a value of another type: a text instead of a number, `5.0` instead of `5`. Only the first such place is named.",
        "Check the body with a JSON parser. Whole numbers are written without a decimal point and without quotes; `null` counts as absent.";
    AuthenticationFailed = "AUTHENTICATION_FAILED", Some(401),
        "No key, or not a valid one.",
        "The request carries no `Authorization` header, another scheme than `Bearer`, a key that this server does not know, or one whose time has passed. In production a key of another environment is refused too.",
        "Send `Authorization: Bearer atg_{environment}_{64 hex digits}`. `atg-server keys list` shows the stored keys, `atg-server keys create` makes one.";
    Forbidden = "FORBIDDEN", Some(403),
        "The key may not do this, or not for this tenant.",
        "The key is valid, but its scope (`read`, `operate`, `admin`) is too small for this route, the tenant that the request names is not one of the key's, or the server is bound to another tenant by `ATG_TARGET_TENANT_ID`.",
        "Use a key with the scope that the message names, made for that tenant.";
    NotFound = "NOT_FOUND", Some(404),
        "There is no such thing, or not for this key.",
        "The path does not exist, the job is unknown, belongs to another tenant or is of another kind than the path says, or a finished job has no artifact. Another tenant's job looks like one that does not exist.",
        "Check the path and the job's id; `GET /api/v1/operations` lists the jobs that this key may see.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", Some(405),
        "The route exists with other methods.",
        "The path is known, but not with this method. The header `Allow` lists those that are.",
        "Use one of the methods in `Allow`.";
    RequestTimeout = "REQUEST_TIMEOUT", Some(408),
        "The request's body did not arrive in time.",
        "The body was not complete within 60 seconds, so that the connection was given up.",
        "Send the request again over a faster connection. Bodies are at most 1 MiB.";
    JobFinished = "JOB_FINISHED", Some(409),
        "The job has ended.",
        "A job that is completed, failed or cancelled cannot be cancelled.",
        "Nothing: the result stays available at `GET /api/v1/operations/{job_id}/result`.";
    JobNotFinished = "JOB_NOT_FINISHED", Some(409),
        "The job has not ended.",
        "Result and artifact exist only when the job has ended.",
        "Wait: poll the job's status as `Retry-After` says, watch its WebSocket, or send `Prefer: wait=N` with the request that starts a job.";
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", Some(409),
        "The idempotency key was used with another body.",
        "Within 24 hours the same `Idempotency-Key` of the same API key came with another body or on another path.",
        "Use a new idempotency key for a new request, and the same body for a repeated one.";
    ArtifactExpired = "ARTIFACT_EXPIRED", Some(410),
        "The artifact's time has passed.",
        "Artifacts are kept for 7 days, or as `ATG_ARTIFACT_TTL` says; then their bytes are removed. The removal of a tenant removes those of its jobs.",
        "Run the job again.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", Some(413),
        "The body is larger than 1 MiB.",
        "No request needs a larger body.",
        "Send a smaller body; shorten a specification, or split it.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", Some(415),
        "The body is not `application/json`.",
        "The header `Content-Type` is missing or names another media type.",
        "Send `Content-Type: application/json`.";
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", Some(416),
        "The range lies outside the artifact.",
        "The `Range` header asks for bytes behind the artifact's end. `Content-Range` says how long it is.",
        "Ask for a range within the artifact, or for the whole of it.";
    UpgradeRequired = "UPGRADE_REQUIRED", Some(426),
        "This path speaks WebSocket only.",
        "A plain GET reached the path of a socket. A proxy that does not forward `Upgrade` and `Connection` has the same effect.",
        "Connect with a WebSocket client, or read `GET /api/v1/operations/{job_id}/events` instead.";
    RateLimited = "RATE_LIMITED", Some(429),
        "Too many requests, scans or jobs.",
        "A limit of this key is used up (scans an hour, requests a minute, jobs that are queued or run), or the server's queue is full. The message says which rate limit it was.",
        "Wait for as long as `Retry-After` says. The limits are `ATG_RATE_LIMIT_SCANS_PER_HOUR`, `ATG_RATE_LIMIT_PER_MINUTE` and `ATG_MAX_JOBS_PER_KEY`.";
    Internal = "INTERNAL", Some(500),
        "A defect of the server; the log says which.",
        "Something happened that the server does not expect. The cause is in the server's log only, under the request's id.",
        "Search the log for the `X-Request-ID` of the answer, or for the job's id, and report the defect with it.";
    DatabaseUnavailable = "DATABASE_UNAVAILABLE", Some(503),
        "The database cannot be reached, or its disk is full.",
        "The store of jobs and graphs did not answer in time or could not write. Jobs wait and go on when it is back.",
        "Try again after `Retry-After`. Operators: check the health route's `neo4j_status`, the connection (`NEO4J_URI`, `NEO4J_PASSWORD`) and the free space in `ATG_DATA_DIR`.";
    Draining = "DRAINING", Some(503),
        "The server is shutting down.",
        "The server finishes what it does and takes nothing new. Jobs that were not finished go on after its restart.",
        "Try again after `Retry-After`; another replica, or the restarted server, answers.";
    AzureAuthenticationFailed = "AZURE_AUTHENTICATION_FAILED", None,
        "Azure refused the credential, or it belongs to another tenant.",
        "No token could be had with the configured credential, or the token's tenant is not the one that was asked for: the message names both.",
        "Check `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and `AZURE_TENANT_ID`, the managed identity, or `az login --tenant`. `ATG_AZURE_CREDENTIAL` names the credential to use.";
    AzureForbidden = "AZURE_FORBIDDEN", None,
        "The principal lacks a role or permission.",
        "Azure answered 403 to something without which the job cannot go on. What a scan may not read but can do without is a gap in its result instead.",
        "Give the principal the role that the message names: Reader on the subscriptions or the root management group, `Directory.Read.All` for the directory.";
    AzureThrottled = "AZURE_THROTTLED", None,
        "Azure kept answering 429.",
        "Azure's limits for this principal or tenant stayed used up although the server waited as it was told.",
        "Run the job again later, lower `max_concurrency`, or find what else uses the same principal.";
    AzureUnavailable = "AZURE_UNAVAILABLE", None,
        "Azure did not answer.",
        "Requests to Azure failed or timed out after all retries: a network without a way out, a proxy, or an outage.",
        "Check that the server reaches `management.azure.com`, `graph.microsoft.com` and `login.microsoftonline.com`, then run the job again.";
    TenantNotFound = "TENANT_NOT_FOUND", None,
        "Nothing is stored of this tenant.",
        "The operation reads a stored graph, and none was found under this tenant's id.",
        "Scan the tenant first. `GET /api/v1/tenants` lists what is stored.";
    Interrupted = "INTERRUPTED", None,
        "The server stopped while the job ran, and it cannot be run again.",
        "This kind of operation is not safe to repeat, so the server does not start it a second time by itself.",
        "Look at what the job has done, then start it again if that is right.";
    AttemptsExhausted = "ATTEMPTS_EXHAUSTED", None,
        "The job failed each time it was tried.",
        "After five attempts the server gives up. The message says how the last one failed.",
        "Remove the cause that the message and the job's log name, then start the job again; a scan goes on from what is stored.";
    DeadlineExceeded = "DEADLINE_EXCEEDED", None,
        "The job ran longer than it may.",
        "One attempt may take 60 minutes.",
        "Ask for less at a time (filters, `resource_limit`), or raise `max_concurrency`.";
    Cancelled = "CANCELLED", None,
        "The job was cancelled.",
        "Someone asked for it, and the operation stopped.",
        "Nothing; start the job again if it is still wanted.";
}

/// The pages of the documentation, one a code and a list of all: path below the repository's root, and text.
pub fn error_pages() -> Vec<(String, String)> {
    let mut list = String::from("# Error codes\n\n| code | HTTP status | |\n|---|---|---|\n");
    let mut pages = Vec::new();
    for code in ErrorCode::ALL.iter().copied() {
        let name = code.as_str();
        let status = code
            .http_status()
            .map_or_else(|| "–".to_owned(), |status| status.to_string());
        // Writing to a String cannot fail.
        let _ = writeln!(list, "| [{name}]({name}.md) | {status} | {} |", code.title());
        pages.push((format!("docs/errors/{name}.md"), page(code)));
    }
    pages.push(("docs/errors/README.md".to_owned(), list));
    pages
}

fn page(code: ErrorCode) -> String {
    let carried = match code.http_status() {
        Some(status) => format!("HTTP status {status}."),
        None => "Carried by a job's `error`, not by an HTTP answer.".to_owned(),
    };
    format!(
        "# {}\n\n{} {carried}\n\n{}\n\n## What to do\n\n{}\n",
        code.as_str(),
        code.title(),
        code.explanation(),
        code.what_to_do()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_of_its_own() {
        let pages = error_pages();
        let paths: std::collections::BTreeSet<_> = pages.iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), ErrorCode::ALL.len() + 1);
        for code in ErrorCode::ALL {
            for text in [code.title(), code.explanation(), code.what_to_do()] {
                assert!(text.ends_with('.') && text.len() > 10, "{code:?}: {text}");
            }
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    /// `ATG_WRITE=1` writes them instead.
    #[test]
    fn the_pages_in_the_repository_are_these() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = root.join("docs/errors");
        let write = std::env::var_os("ATG_WRITE").is_some();
        if write {
            std::fs::create_dir_all(&folder).unwrap();
        }
        let pages = error_pages();
        for (path, text) in &pages {
            if write {
                std::fs::write(root.join(path), text).unwrap();
            }
            let stored = std::fs::read_to_string(root.join(path)).unwrap_or_default();
            assert_eq!(&stored, text, "{path} is out of date");
        }
        assert_eq!(
            std::fs::read_dir(folder).unwrap().count(),
            pages.len(),
            "no page too many"
        );
    }
}
