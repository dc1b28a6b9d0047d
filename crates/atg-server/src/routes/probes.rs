//! `GET /livez`, `GET /readyz`: for what keeps the server running and sends it traffic.

use actix_web::{HttpResponse, get, web};
use atg_db::Health;
use atg_models::ErrorCode;

use super::health::store_health;
use crate::auth::not_draining;
use crate::error::ApiError;
use crate::state::AppState;

/// The process answers.
#[utoipa::path(operation_id = "getLiveness", tag = "server", responses((status = 200, description = "The process answers", body = String, content_type = "text/plain")))]
#[get("/livez")]
pub(crate) async fn livez() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// The server takes work: its store answers and it is not shutting down.
#[utoipa::path(operation_id = "getReadiness", tag = "server", responses(
    (status = 200, description = "Takes work", body = String, content_type = "text/plain"),
    (status = 503, description = "Does not", body = atg_models::api::ErrorResponse),
))]
#[get("/readyz")]
pub(crate) async fn readyz(state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    not_draining(&state)?;
    match store_health(&state).await {
        Health::Connected => Ok(HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body("ok\n")),
        Health::Disconnected => Err(ApiError::new(
            ErrorCode::DatabaseUnavailable,
            "the database is not available at the moment",
        )),
    }
}
