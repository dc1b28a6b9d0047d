//! A request's body: media type, size, then the rules of its model.

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Payload};
use atg_models::api::ApiRequest;
use atg_models::{ErrorCode, limits};
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, pin_mut};

use crate::error::ApiError;
use crate::idempotency;
use crate::state::AppState;

/// Reads and checks a body. Comes after the caller was authorised: an anonymous caller learns nothing of it.
pub(crate) async fn read<R: ApiRequest>(
    state: &AppState,
    request: &HttpRequest,
    payload: Payload,
) -> Result<R, ApiError> {
    is_json(request)?;
    let collected = collect(request, payload);
    let deadline = state
        .clock
        .sleep_until(state.clock.now() + limits::SLOW_REQUEST_TIMEOUT);
    pin_mut!(collected);
    let body = match select(collected, deadline).await {
        Either::Left((body, _)) => body?,
        Either::Right(((), _)) => {
            let message = format!(
                "the body did not arrive within {} seconds",
                limits::SLOW_REQUEST_TIMEOUT.whole_seconds()
            );
            return Err(ApiError::new(ErrorCode::RequestTimeout, message));
        }
    };
    idempotency::key(request)?;
    Ok(R::from_json(&body)?)
}

fn is_json(request: &HttpRequest) -> Result<(), ApiError> {
    let text = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let found = if essence.is_empty() { "none".to_owned() } else { essence };
    let message = format!("the body must be application/json; Content-Type is {found}");
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, message))
}

async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, ApiError> {
    let too_large = || {
        let message = format!("the body is larger than {} bytes", limits::BODY_MAX_BYTES);
        ApiError::new(ErrorCode::PayloadTooLarge, message)
    };
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits::BODY_MAX_BYTES) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(
                ErrorCode::MalformedJson,
                format!("the body did not arrive whole: {error}"),
            )
        })?;
        if body.len().saturating_add(chunk.len()) > limits::BODY_MAX_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
