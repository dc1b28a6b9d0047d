//! `GET /api/v1/tenants`.

use actix_web::{get, web};
use atg_models::api::TenantResponse;

use crate::auth::{Allowed, Read, is_visible};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::state::AppState;

/// The tenants of which something is stored, and what a request without `tenant_id` would use.
#[utoipa::path(
    tag = "tenants",
    responses((status = 200, body = Vec<TenantResponse>), Refusals),
    security(("bearer_key" = []))
)]
#[get("/api/v1/tenants")]
pub(crate) async fn list(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
) -> Result<web::Json<Vec<TenantResponse>>, ApiError> {
    let stored = state.graph.tenants().await?;
    let visible = stored
        .into_iter()
        .filter(|tenant| is_visible(&state, &allowed.principal, tenant.tenant_id));
    let shown = visible.map(|tenant| TenantResponse {
        tenant_id: tenant.tenant_id,
        last_scan: tenant.last_scan,
        verdict: tenant.verdict,
        scanned_at: tenant.scanned_at,
        nodes: tenant.nodes,
        edges: tenant.edges,
    });
    Ok(web::Json(shown.collect()))
}
