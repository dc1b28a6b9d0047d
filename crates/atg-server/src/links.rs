//! Addresses that the server gives out: under its public address, else under the request's own host.

use actix_web::HttpRequest;
use atg_models::JobId;

use crate::state::AppState;

/// `https://atg.example.com`, or empty: paths then stand alone.
pub(crate) fn public_base(state: &AppState) -> String {
    state
        .config
        .public_url
        .as_ref()
        .map_or_else(String::new, |url| url.as_str().trim_end_matches('/').to_owned())
}

/// Where a job's progress can be watched: never the bind address.
pub(crate) fn websocket(state: &AppState, request: &HttpRequest, job: JobId) -> String {
    let base = match &state.config.public_url {
        Some(url) => {
            let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
            let rest = url
                .as_str()
                .trim_end_matches('/')
                .split_once("://")
                .map_or("", |(_, rest)| rest);
            format!("{scheme}://{rest}")
        }
        None => format!("ws://{}", request.connection_info().host()),
    };
    format!("{base}/ws/progress/{job}")
}

/// Where a job's status can be read.
pub(crate) fn operation(state: &AppState, job: JobId) -> String {
    format!("{}/api/v1/operations/{job}", public_base(state))
}
