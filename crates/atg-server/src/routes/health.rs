//! `GET /api/v1/health`, `GET /health`.

use actix_web::{get, web};
use atg_db::Health;
use atg_models::api::{GraphStoreKind, HealthResponse, StoreStatus};
use atg_models::limits;
use futures_util::future::{Either, join, select};

use crate::config::StoreChoice;
use crate::state::AppState;

/// How the server is. Always 200 within a second, whatever the store does.
#[utoipa::path(operation_id = "getHealth", tag = "server", responses((status = 200, description = "The server answers", body = HealthResponse)))]
#[get("/api/v1/health")]
pub(crate) async fn health(state: web::Data<AppState>) -> web::Json<HealthResponse> {
    web::Json(answer(&state).await)
}

/// The same as `/api/v1/health`.
#[utoipa::path(operation_id = "getHealthAtRoot", tag = "server", responses((status = 200, description = "The server answers", body = HealthResponse)))]
#[get("/health")]
pub(crate) async fn health_at_root(state: web::Data<AppState>) -> web::Json<HealthResponse> {
    web::Json(answer(&state).await)
}

async fn answer(state: &AppState) -> HealthResponse {
    let store = match store_health(state).await {
        Health::Connected => StoreStatus::Connected,
        Health::Disconnected => StoreStatus::Disconnected,
    };
    HealthResponse::healthy(
        env!("CARGO_PKG_VERSION"),
        store,
        state.config.environment,
        kind(&state.config.store),
    )
}

fn kind(store: &StoreChoice) -> GraphStoreKind {
    match store {
        StoreChoice::Sqlite => GraphStoreKind::Sqlite,
        StoreChoice::Neo4j(_) => GraphStoreKind::Neo4j,
    }
}

/// The word of the graph and of the jobs, or their silence.
pub(crate) async fn store_health(state: &AppState) -> Health {
    let deadline = state
        .clock
        .sleep_until(state.clock.now() + limits::STORE_HEALTH_TIMEOUT);
    let both = join(state.graph.health(), state.jobs.health());
    match select(both, deadline).await {
        Either::Left(((Health::Connected, Health::Connected), _)) => Health::Connected,
        Either::Left(_) | Either::Right(_) => Health::Disconnected,
    }
}
