//! `GET /api/v1/operations/{job_id}/events`: a job's log as pages, as a long poll, or as an event stream.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse, get, web};
use atg_models::api::{EventFrame, EventGap, EventsQuery, EventsResponse, FrameOptions, RequestError};
use atg_models::{JobId, Seq};
use futures_util::StreamExt as _;
use time::Duration;

use crate::auth::{Allowed, Read};
use crate::edges::is_head;
use crate::error::ApiError;
use crate::event_stream;
use crate::openapi::Refusals;
use crate::prefer;
use crate::routes::submit::visible_job;
use crate::state::AppState;

/// Where an event source goes on.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: &str = "text/event-stream";

/// A job's log, from behind a sequence on: as pages of JSON, which wait for news with `Prefer: wait=N`, or as
/// an event stream where `Accept` prefers that. The sequences are those of the socket.
#[utoipa::path(
    operation_id = "listOperationEvents",
    tag = "operations",
    params(
        ("job_id" = String, Path, description = "Of any kind of job"),
        ("after" = Option<u64>, Query, description = "Events after this sequence, by default all that are held"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Of a page: 1 to 1,000, by default 100"),
        ("detail" = Option<u8>, Query, description = "1: progress frames carry phase and counters"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: an empty page waits up to N seconds (3,600 at most) for news"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Of an event stream: as `after`, which it replaces"),
    ),
    responses(
        (status = 200, description = "A page; or `text/event-stream`: `id` is the sequence, `data` a frame, a gap is `event: gap`, and it ends behind the completion",
            content((EventsResponse = "application/json"), (String = "text/event-stream")), headers(
                ("Preference-Applied" = String, description = "The `wait` that was heeded"),
            )),
        (status = 204, description = "To an event source that has seen the completion: it need not come again"),
        (status = 400, description = "A parameter breaks a rule", body = atg_models::api::ErrorResponse),
        (status = 404, description = "No such job", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations/{job_id}/events")]
pub(crate) async fn events(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    request: HttpRequest,
    job_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let job = visible_job(&state, &allowed.principal, &job_id).await?;
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let query = EventsQuery::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let options = FrameOptions {
        detail: query.detail,
        seq: true,
    };
    if prefers_stream(&request) {
        let last = last_event_id(&request)?;
        let after = last.or(query.after).unwrap_or_default();
        let mut answer = HttpResponse::Ok();
        answer
            .insert_header((CONTENT_TYPE, EVENT_STREAM))
            .insert_header((CACHE_CONTROL, "no-store"))
            // A proxy that collects the answer first would show nothing until its end.
            .insert_header((HeaderName::from_static("x-accel-buffering"), "no"));
        if is_head(&request) {
            return Ok(answer.finish());
        }
        let seat = state.streams.take(&allowed.principal.key_prefix)?;
        if last.is_some() && has_seen_all(&state, job.id, after).await? {
            return Ok(HttpResponse::NoContent().finish());
        }
        let pass = state.keys.open_stream(&allowed.principal)?;
        let stream = event_stream::open(state.clone(), job.id, after, options, seat);
        let stream = stream.take_until(Box::pin(pass.ended()));
        return Ok(answer.streaming(stream));
    }
    let wait = prefer::wait(request.headers());
    // Whoever holds too many already does not wait, and asks again.
    let seat = wait.and_then(|_| state.streams.seat(&allowed.principal.key_prefix));
    let wait = wait.filter(|_| seat.is_some());
    let page = page(&state, job.id, query, options, wait.unwrap_or_default()).await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(wait) = wait {
        answer.insert_header(prefer::applied(wait));
    }
    Ok(answer.json(page))
}

/// A page; one that would be empty waits, but not for a server that is going.
async fn page(
    state: &AppState,
    job: JobId,
    query: EventsQuery,
    options: FrameOptions,
    wait: Duration,
) -> Result<EventsResponse, ApiError> {
    let mut reader = state.engine.reader(job, query.after.unwrap_or_default());
    let now = state.clock.now();
    let page = tokio::select! {
        page = reader.page(query.limit, now + wait) => page?,
        () = state.draining.cancelled() => reader.page(query.limit, now).await?,
    };
    let next = reader.cursor();
    Ok(EventsResponse {
        complete: page.complete && next >= page.last,
        events: page
            .events
            .iter()
            .filter_map(|event| EventFrame::of(job, event, options))
            .collect(),
        next,
        gap: page.gap.map(|(from, to)| EventGap { from, to }),
    })
}

async fn has_seen_all(state: &AppState, job: JobId, after: Seq) -> Result<bool, ApiError> {
    let page = state.jobs.events(job, after, 1).await?;
    Ok(page.complete && page.events.is_empty() && after >= page.last)
}

/// Whether the client would rather have a stream than JSON: by its weights, and the first of equals.
fn prefers_stream(request: &HttpRequest) -> bool {
    let lines = request.headers().get_all(ACCEPT);
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let mut best = (0.0, false);
    for range in lines.iter().flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_stream = matches!(name.as_str(), EVENT_STREAM | "text/*");
        let is_json = matches!(name.as_str(), "application/json" | "application/*" | "*/*");
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        if (is_stream || is_json) && weight > best.0 {
            best = (weight, is_stream);
        }
    }
    best.1
}

fn last_event_id(request: &HttpRequest) -> Result<Option<Seq>, RequestError> {
    let Some(value) = request.headers().get(&LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    let number = number.ok_or_else(|| RequestError::rule("Last-Event-ID", "must be a whole number of at least 0"))?;
    Ok(Some(Seq::new(number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_stream_is_for_those_who_prefer_it() {
        let prefers =
            |accept: &str| prefers_stream(&TestRequest::get().insert_header((ACCEPT, accept)).to_http_request());
        for accept in [
            "text/event-stream",
            "Text/Event-Stream;q=0.5",
            "text/event-stream, application/json",
            "application/json;q=0.9, text/event-stream",
            "text/*, */*;q=0.1",
        ] {
            assert!(prefers(accept), "{accept}");
        }
        for accept in [
            "*/*",
            "application/json, text/event-stream",
            "text/event-stream;q=0.5, application/json",
            "text/event-stream;q=0",
            "text/event-stream;q=much",
            "image/png",
            "",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
        assert!(!prefers_stream(&TestRequest::get().to_http_request()));
    }
}
