//! `GET /api/v1/tenants`, `DELETE /api/v1/tenants/{tenant_id}`.

use actix_web::{HttpRequest, HttpResponse, delete, get, web};
use atg_models::api::{RemoveTenantRequest, TenantResponse};
use atg_models::{JobKind, TenantId};

use super::submit::submit;
use crate::auth::{Admin, Allowed, Read, is_visible};
use crate::error::ApiError;
use crate::openapi::{JobAnswers, JobHeaders, Refusals};
use crate::state::AppState;

/// The tenants of which something is stored, and what a request without `tenant_id` would use.
#[utoipa::path(
    operation_id = "listTenants",
    tag = "tenants",
    responses((status = 200, description = "Those that the key may see", body = Vec<TenantResponse>), Refusals),
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

/// Removes all that is stored of a tenant: its graph, its scans, and the files that its jobs have published.
///
/// The records of its jobs stay until their time has passed. Running jobs of the tenant are waited for.
#[utoipa::path(
    operation_id = "removeTenant",
    tag = "tenants",
    params(("tenant_id" = String, Path, description = "A tenant that is stored"), JobHeaders),
    responses(
        JobAnswers,
        (status = 400, description = "A header breaks a rule", body = atg_models::api::ErrorResponse),
        (status = 404, description = "Nothing is stored of such a tenant", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[delete("/api/v1/tenants/{tenant_id}")]
pub(crate) async fn remove(
    state: web::Data<AppState>,
    allowed: Allowed<Admin>,
    request: HttpRequest,
    tenant_id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let not_found = || ApiError::not_found("tenant");
    let tenant_id: TenantId = tenant_id.parse().map_err(|_| not_found())?;
    let stored = state.graph.tenants().await?;
    let is_stored = stored.iter().any(|tenant| tenant.tenant_id == tenant_id);
    if !is_stored || !is_visible(&state, &allowed.principal, tenant_id) {
        return Err(not_found());
    }
    submit(
        &state,
        &request,
        &allowed.principal,
        JobKind::RemoveTenant,
        tenant_id.to_string(),
        &RemoveTenantRequest { tenant_id },
    )
    .await
}
