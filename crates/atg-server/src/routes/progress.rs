//! `GET /ws/progress/{job_id}`: the handshake. What flows afterwards is [`crate::socket`].

use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::http::header::{AUTHORIZATION, ORIGIN, UPGRADE};
use actix_web::{HttpRequest, HttpResponse, get, web};
use atg_auth::{Principal, Scope};
use atg_models::api::{FrameOptions, RequestError};
use atg_models::{ErrorCode, Seq};

use super::submit::visible_job;
use crate::auth::{denied, not_draining, of_header, of_key};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::socket;
use crate::state::AppState;

/// What the query asks for.
#[derive(Debug, Default)]
struct Query {
    after: Option<Seq>,
    detail: bool,
}

/// A job's progress as a WebSocket: text frames of JSON, closed with 1000 after the completion.
#[utoipa::path(
    operation_id = "openProgressSocket",
    tag = "operations",
    params(
        ("job_id" = String, Path, description = "Of any kind of job"),
        ("after" = Option<u64>, Query, description = "Resume after this sequence; every frame then carries `seq`"),
        ("detail" = Option<u8>, Query, description = "1: progress frames carry phase and counters"),
        ("ticket" = Option<String>, Query, description = "From `POST /api/v1/ws-tickets`, for clients that cannot send the header"),
        ("api_key" = Option<String>, Query, description = "The key, for clients that cannot send the header"),
    ),
    responses(
        (status = 101, description = "Frames follow"),
        (status = 400, description = "A parameter breaks a rule", body = atg_models::api::ErrorResponse),
        (status = 404, description = "No such job", body = atg_models::api::ErrorResponse),
        (status = 426, description = "Not a WebSocket handshake", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/ws/progress/{job_id}")]
pub(crate) async fn progress(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    job_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    not_draining(&state)?;
    let principal = caller(&state, &request, &job_id).await?;
    atg_auth::decide(&principal, Scope::Read, None).map_err(denied)?;
    state.rates.admit(&principal.key_prefix, state.clock.now()).await?;
    is_origin_allowed(&state, &request)?;
    let job = visible_job(&state, &principal, &job_id).await?;
    let query = read_query(request.query_string())?;
    let upgrade = request
        .headers()
        .get(UPGRADE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(ApiError::new(
            ErrorCode::UpgradeRequired,
            "this path speaks WebSocket only",
        ));
    }
    let pass = state.keys.open_stream(&principal)?;
    let seat = state.streams.take(&principal.key_prefix)?;
    let mut response = actix_http::ws::handshake(request.head()).map_err(|error| {
        ApiError::new(
            ErrorCode::InvalidRequest,
            format!("the WebSocket handshake is not valid: {error}"),
        )
    })?;
    let options = FrameOptions {
        detail: query.detail,
        seq: query.after.is_some(),
    };
    let follower = socket::Follower {
        state: state.clone(),
        job: job.id,
        after: query.after,
        options,
        seat,
    };
    let body = BodyStream::new(follower.run(pass, payload)).boxed();
    response
        .message_body(body)
        .map(HttpResponse::from)
        .map_err(|error| ApiError::internal(&error))
}

/// Who calls, by the first that is there: the header, a ticket, a key in the address. The latter two are
/// for those who cannot send a header. A ticket is used up by this, whatever is wrong with the rest.
async fn caller(state: &AppState, request: &HttpRequest, job: &str) -> Result<Principal, ApiError> {
    let query = request.query_string();
    if request.headers().contains_key(AUTHORIZATION) {
        of_header(state, request)
    } else if let Some(ticket) = found_in(query, "ticket") {
        let principal = state.tickets.take(&ticket, job, state.clock.now()).await?;
        principal.ok_or_else(|| ApiError::new(ErrorCode::AuthenticationFailed, "Invalid or used ticket"))
    } else if let Some(key) = found_in(query, "api_key") {
        of_key(state, &key)
    } else {
        of_header(state, request)
    }
}

/// A parameter, whatever is wrong with the rest of the query: who calls is settled first.
fn found_in(query: &str, wanted: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

fn read_query(query: &str) -> Result<Query, RequestError> {
    let mut read = Query::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "detail" => read.detail = value == "1" || value == "true",
            "after" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse().ok().filter(|_| digits);
                let number = number.ok_or_else(|| RequestError::rule("after", "must be a number, 0 or more"))?;
                read.after = Some(Seq::new(number));
            }
            _ => {}
        }
    }
    Ok(read)
}

/// A browser names where its page comes from; other clients do not.
fn is_origin_allowed(state: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return Ok(());
    };
    let allowed = &state.config.cors_origins;
    let origin = origin.to_str().unwrap_or_default();
    if allowed.is_empty()
        || allowed
            .iter()
            .any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::Forbidden,
        "this origin is not in CORS_ALLOWED_ORIGINS",
    ))
}

#[cfg(test)]
mod tests {
    use super::{found_in, read_query};

    #[test]
    fn a_key_is_found_beside_a_bad_parameter() {
        let query = "after=soon&api_key=k%2B1";
        assert_eq!(found_in(query, "api_key").as_deref(), Some("k+1"));
        assert!(read_query(query).is_err());
        assert_eq!(
            read_query("after=7&api_key=k").unwrap().after,
            Some(atg_models::Seq::new(7))
        );
    }
}
