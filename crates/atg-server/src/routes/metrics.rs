//! `GET /metrics`.

use actix_web::{HttpResponse, get, web};

use crate::error::ApiError;
use crate::metrics::exposition;
use crate::state::AppState;

/// What the server counts, in the text format of Prometheus. On a port of its own when `ATG_METRICS_ADDR` is set.
#[utoipa::path(operation_id = "getMetrics", tag = "server", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
    (status = 404, description = "They are on a port of their own", body = atg_models::api::ErrorResponse),
))]
#[get("/metrics")]
pub(crate) async fn metrics(state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    if state.config.metrics_addr.is_some() {
        return Err(ApiError::not_found("page"));
    }
    Ok(of_own_port(state).await)
}

/// The same, where nothing else is.
pub(crate) async fn of_own_port(state: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(exposition(&state).await)
}

/// What else is asked for there.
pub(crate) async fn nothing() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found("page"))
}
