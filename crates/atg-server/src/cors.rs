//! Pages of other origins: which may read the answers, and what browsers ask before they send.
//!
//! Callers are known by their key alone, never by cookies, so credentials are not part of it. Without
//! `CORS_ALLOWED_ORIGINS` nothing here happens.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue,
    ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use crate::routes::RouteTable;
use crate::state::AppState;

/// What a page may send.
const MAY_SEND: HeaderValue = HeaderValue::from_static(
    "Accept, Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, Prefer, Range, \
     X-Request-ID",
);

/// What a page may read, beside the few headers that it always may.
const MAY_READ: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Range, ETag, Idempotent-Replayed, Link, \
     Operation-Location, Preference-Applied, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset, X-Request-ID, X-Total-Count",
);

/// Seconds for which a browser remembers what it may send.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// Answers what a browser asks beforehand, and marks the answers that a page may read.
pub(crate) async fn cors<B: MessageBody>(
    state: web::Data<AppState>,
    table: web::Data<RouteTable>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let origins = &state.config.cors_origins;
    if origins.is_empty() {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let allowed = allowed(origins, request.headers().get(ORIGIN));
    let mut response = match (&allowed, asked_beforehand(&request, &table)) {
        (Some(_), Some(methods)) => {
            let mut answer = HttpResponse::NoContent();
            answer.insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods));
            answer.insert_header((ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND));
            answer.insert_header((ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS));
            request.into_response(answer.finish()).map_into_right_body()
        }
        (Some(_) | None, _) => next.call(request).await?.map_into_left_body(),
    };
    mark(response.headers_mut(), allowed);
    Ok(response)
}

/// The methods of the path, when a browser asks whether it may send one. Any other OPTIONS is a method like the rest.
fn asked_beforehand(request: &ServiceRequest, table: &RouteTable) -> Option<String> {
    let is_asked = request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    table.allow(request.path()).filter(|_| is_asked)
}

fn mark(headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
    // The answer differs by origin, also for those that name none.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, MAY_READ);
    }
}

/// What an origin is told, if its pages may read.
fn allowed(origins: &[String], origin: Option<&HeaderValue>) -> Option<HeaderValue> {
    let origin = origin?;
    if origins.iter().any(|known| known == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let text = origin.to_str().ok()?;
    let known = origins.iter().any(|known| known.eq_ignore_ascii_case(text));
    known.then(|| origin.clone())
}
