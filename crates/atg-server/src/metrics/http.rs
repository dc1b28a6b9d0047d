//! Requests, by route template: a path holds ids, its template does not.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web;

use super::Metric;
use crate::state::AppState;

/// Counts and times each request.
pub(crate) async fn measure<B: MessageBody>(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = state.clock.now();
    let method = method(request.method());
    let answer = next.call(request).await;
    let (route, status) = match &answer {
        Ok(response) => (route(response.request().match_pattern()), response.status()),
        Err(error) => (route(None), error.as_response_error().status_code()),
    };
    state
        .meters
        .add(Metric::HttpRequests, &[&route, method, class(status)], 1);
    let took = state.clock.now() - started;
    state.meters.took(Metric::HttpSeconds, &[&route, method], took);
    answer
}

/// `/files/{path:.*}` is written as the document writes it: `/files/{path}`.
fn route(pattern: Option<String>) -> String {
    let Some(pattern) = pattern else {
        return "other".to_owned();
    };
    match pattern.split_once(':') {
        Some((front, _)) => format!("{front}}}"),
        None => pattern,
    }
}

/// A method is any word, and a label has few values.
fn method(method: &Method) -> &'static str {
    let known = [
        ("GET", Method::GET),
        ("HEAD", Method::HEAD),
        ("POST", Method::POST),
        ("DELETE", Method::DELETE),
        ("OPTIONS", Method::OPTIONS),
    ];
    let found = known.iter().find(|(_, known)| known == method);
    found.map_or("other", |(name, _)| name)
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::route;

    #[test]
    fn a_route_is_its_template() {
        for (pattern, label) in [
            (Some("/api/v1/operations/{job_id}"), "/api/v1/operations/{job_id}"),
            (Some("/docs/{file:.*}"), "/docs/{file}"),
            (None, "other"),
        ] {
            assert_eq!(route(pattern.map(str::to_owned)), label);
        }
    }
}
