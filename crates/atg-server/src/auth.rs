//! Who calls, and whether they may: the permission is in the argument type of the handler.
//!
//! A handler that needs `operate` takes [`Allowed<Operate>`]; one that takes none is public on purpose.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use atg_auth::{Denied, Principal, Scope};
use atg_models::job::JobRecord;
use atg_models::{ErrorCode, TenantId};

use crate::error::ApiError;
use crate::state::AppState;

/// A scope as a type.
pub(crate) trait Permission: 'static {
    /// Which one.
    const SCOPE: Scope;
}

/// May read.
#[derive(Debug)]
pub(crate) struct Read;

impl Permission for Read {
    const SCOPE: Scope = Scope::Read;
}

/// May start and cancel jobs.
#[derive(Debug)]
pub(crate) struct Operate;

impl Permission for Operate {
    const SCOPE: Scope = Scope::Operate;
}

/// May remove what is stored.
#[derive(Debug)]
pub(crate) struct Admin;

impl Permission for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// A caller who may do what `P` says.
#[derive(Debug)]
pub(crate) struct Allowed<P: Permission> {
    /// Who.
    pub(crate) principal: Principal,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    /// The order of checks: drain, then who, then whether they may, then how often.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { check::<P>(&request).await })
    }
}

async fn check<P: Permission>(request: &HttpRequest) -> Result<Allowed<P>, ApiError> {
    let state = state(request)?;
    not_draining(state)?;
    let principal = of_header(state, request)?;
    atg_auth::decide(&principal, P::SCOPE, None).map_err(denied)?;
    state.rates.admit(&principal.key_prefix, state.clock.now()).await?;
    Ok(Allowed {
        principal,
        permission: PhantomData,
    })
}

/// Who the request's header names.
pub(crate) fn of_header(state: &AppState, request: &HttpRequest) -> Result<Principal, ApiError> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    state.keys.of_header(header)
}

/// Who a key names that came otherwise.
pub(crate) fn of_key(state: &AppState, key: &str) -> Result<Principal, ApiError> {
    state.keys.of_key(key)
}

/// The 403 of a key that may not do this.
pub(crate) fn denied(denied: Denied) -> ApiError {
    ApiError::new(Denied::CODE, denied.to_string())
}

/// A server that is shutting down takes nothing new.
pub(crate) fn not_draining(state: &AppState) -> Result<(), ApiError> {
    if state.draining.is_cancelled() {
        return Err(ApiError::new(
            ErrorCode::Draining,
            "the server is shutting down, try another or try again",
        ));
    }
    Ok(())
}

/// The state that every route shares.
pub(crate) fn state(request: &HttpRequest) -> Result<&AppState, ApiError> {
    let state = request.app_data::<web::Data<AppState>>();
    state
        .map(web::Data::get_ref)
        .ok_or_else(|| ApiError::new(ErrorCode::Internal, "the server has no state"))
}

/// Whether a caller may name this tenant in a body: 403 if not.
pub(crate) fn permit_tenant(state: &AppState, principal: &Principal, tenant: TenantId) -> Result<(), ApiError> {
    if !is_served(state, tenant) {
        let message = format!("this server does not serve the tenant {tenant}");
        return Err(ApiError::new(ErrorCode::Forbidden, message));
    }
    atg_auth::decide(principal, Scope::Read, Some(tenant)).map_err(denied)
}

/// Whether a caller may see this tenant at all.
pub(crate) fn is_visible(state: &AppState, principal: &Principal, tenant: TenantId) -> bool {
    is_served(state, tenant) && principal.tenants.contains(tenant)
}

/// Whether a caller may see a job: see [`atg_auth::may_see_job`].
pub(crate) fn is_job_visible(state: &AppState, principal: &Principal, job: &JobRecord) -> bool {
    let tenant = job.tenant_id();
    tenant.is_none_or(|tenant| is_served(state, tenant)) && atg_auth::may_see_job(principal, tenant, &job.key_prefix)
}

/// Whether this server serves the tenant at all.
pub(crate) fn is_served(state: &AppState, tenant: TenantId) -> bool {
    state.config.target_tenant.is_none_or(|only| only == tenant)
}
