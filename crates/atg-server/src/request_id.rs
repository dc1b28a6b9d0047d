//! Every request has an id: the client's when it is usable, else one of ours. It is in the answer and in
//! every line of the log.

use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use atg_models::{ErrorCode, limits};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::error::ApiError;
use crate::proxies::way;
use crate::state::AppState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, logs how it went, and marks the answer.
pub(crate) async fn request_id<B: MessageBody>(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = state.clock.now();
    let id = of_client(&request).unwrap_or_else(|| ours(&state));
    let peer = request.peer_addr().map(|address| address.ip());
    let client = way(&state.config.trusted_proxies, peer, request.headers()).client;
    // The query may hold a key or a ticket: only the path is logged, and no key that was put there by mistake.
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = %atg_models::secrets::redact_text(request.path()),
        client = client.map(tracing::field::display),
    );
    let logged = span.clone();
    async move {
        // A panic ends one request: without this its connection breaks off without an answer.
        let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| Err(panicked().into()));
        let (answer, status) = match answer {
            Ok(mut response) => {
                mark(response.response_mut().head_mut(), id, &state);
                let status = response.status();
                (Ok(response), status)
            }
            Err(error) => {
                let mut response = error.error_response();
                mark(response.head_mut(), id, &state);
                let status = response.status();
                (Err(InternalError::from_response(error, response).into()), status)
            }
        };
        let took_ms = (state.clock.now() - started).whole_milliseconds();
        tracing::info!(parent: &logged, status = status.as_u16(), took_ms, "answered");
        answer
    }
    .instrument(span)
    .await
}

fn panicked() -> ApiError {
    tracing::error!("a request panicked");
    ApiError::new(
        ErrorCode::Internal,
        "the server failed to answer; its log says why, under this request's id",
    )
}

/// Every answer has the id; one of a server that is going tells the client to connect anew.
fn mark(head: &mut ResponseHead, id: HeaderValue, state: &AppState) {
    head.headers_mut().insert(X_REQUEST_ID, id);
    if state.draining.is_cancelled() && head.status != StatusCode::SWITCHING_PROTOCOLS {
        head.set_connection_type(ConnectionType::Close);
    }
}

fn of_client(request: &ServiceRequest) -> Option<HeaderValue> {
    let value = request.headers().get(&X_REQUEST_ID)?;
    let bytes = value.as_bytes();
    let usable = (1..=limits::REQUEST_ID_MAX_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    // It stands in every line of the log.
    let secret = value.to_str().is_ok_and(atg_models::secrets::contains_secret);
    (usable && !secret).then(|| value.clone())
}

fn ours(state: &AppState) -> HeaderValue {
    let now = state.clock.now();
    let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let random = state.ids.random_u128().to_be_bytes();
    let mut tail = [0_u8; 10];
    tail.copy_from_slice(random.first_chunk::<10>().unwrap_or(&[0; 10]));
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
    HeaderValue::from_str(&Uuid::to_string(&id)).unwrap_or(HeaderValue::from_static("unknown"))
}
