//! `POST /api/v1/ws-tickets`.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, post, web};
use atg_models::api::{TicketRequest, TicketResponse};

use super::submit::visible_job;
use crate::auth::{Allowed, Read};
use crate::body;
use crate::error::ApiError;
use crate::openapi::{BodyRefusals, Refusals};
use crate::state::AppState;

/// A ticket for one socket of one job: single use, for 30 seconds, so that a browser needs no key in an address.
#[utoipa::path(
    operation_id = "createWsTicket",
    tag = "operations",
    request_body = TicketRequest,
    responses(
        (status = 201, description = "Goes into `?ticket=` of the socket", body = TicketResponse),
        (status = 404, description = "No such job", body = atg_models::api::ErrorResponse),
        Refusals,
        BodyRefusals
    ),
    security(("bearer_key" = []))
)]
#[post("/api/v1/ws-tickets")]
pub(crate) async fn create(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let wanted: TicketRequest = body::read(&state, &request, payload).await?;
    let job = visible_job(&state, &allowed.principal, &wanted.job_id.to_string()).await?;
    let now = state.clock.now();
    let ticket = state
        .tickets
        .issue(&allowed.principal, job.id, state.ids.as_ref(), now)
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(ticket))
}
