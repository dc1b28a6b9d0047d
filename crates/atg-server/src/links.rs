//! Addresses that the server gives out: under its public address, else under the request's own host.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use atg_models::JobId;

use crate::proxies::way;
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
    let base = if let Some(url) = &state.config.public_url {
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        let rest = url
            .as_str()
            .trim_end_matches('/')
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        format!("{scheme}://{rest}")
    } else {
        let peer = request.peer_addr().map(|address| address.ip());
        let way = way(&state.config.trusted_proxies, peer, request.headers());
        let scheme = if way.is_https { "wss" } else { "ws" };
        let host = way.host.unwrap_or_else(|| own_host(request, state.config.port));
        format!("{scheme}://{host}")
    };
    format!("{base}/ws/progress/{job}")
}

/// What the client called the server, when no trusted proxy says so.
fn own_host(request: &HttpRequest, port: u16) -> String {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    // A request with an absolute address names the host twice, and the address holds.
    let authority = request.uri().authority().map(Authority::as_str);
    authority
        .or(header)
        .filter(|host| host.parse::<Authority>().is_ok())
        .map_or_else(|| format!("localhost:{port}"), str::to_owned)
}

/// Where a job's status can be read.
pub(crate) fn operation(state: &AppState, job: JobId) -> String {
    format!("{}/api/v1/operations/{job}", public_base(state))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::own_host;

    #[test]
    fn only_the_host_of_the_request_counts() {
        let forwarded = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
        let mut request = TestRequest::get().insert_header(("host", "atg.example:8443"));
        for header in forwarded {
            request = request.insert_header(header);
        }
        assert_eq!(own_host(&request.to_http_request(), 8000), "atg.example:8443");
        let request = TestRequest::get().insert_header(("host", "not a host/"));
        assert_eq!(own_host(&request.to_http_request(), 8000), "localhost:8000");
    }
}
