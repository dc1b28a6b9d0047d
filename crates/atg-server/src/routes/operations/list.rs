//! `GET /api/v1/operations`.

use actix_web::http::header::{HeaderName, LINK};
use actix_web::{HttpRequest, HttpResponse, get, web};
use atg_auth::{Principal, Tenants};
use atg_models::JobKind;
use atg_models::api::{JobStatusResponse, OperationsQuery};
use atg_models::job::JobFilter;

use crate::auth::{Allowed, Read};
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::state::AppState;

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Jobs, newest first.
#[utoipa::path(
    operation_id = "listOperations",
    tag = "operations",
    params(
        ("status_filter" = Option<String>, Query, description = "queued, running, completed, failed or cancelled"),
        ("operation_type" = Option<String>, Query, description = "scan, generate-iac, …"),
        ("limit" = Option<u32>, Query, description = "1 to 200, by default 50"),
        ("offset" = Option<u32>, Query, description = "0 to 10,000, by default 0"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = Vec<JobStatusResponse>, headers(
            ("X-Total-Count" = u64, description = "How many there are in all"),
            ("Link" = String, description = "The next page, `rel=\"next\"`"),
        )),
        (status = 400, description = "A parameter breaks a rule", body = atg_models::api::ErrorResponse),
        Refusals
    ),
    security(("bearer_key" = []))
)]
#[get("/api/v1/operations")]
pub(crate) async fn list(
    state: web::Data<AppState>,
    allowed: Allowed<Read>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let query = OperationsQuery::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let page = state
        .jobs
        .list(filter(&state, &allowed.principal, query), query.limit, query.offset)
        .await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((X_TOTAL_COUNT, page.total.to_string()));
    let next = query.offset.saturating_add(query.limit);
    if u64::from(next) < page.total {
        response.insert_header((LINK, next_link(OperationsQuery { offset: next, ..query })));
    }
    let jobs: Vec<_> = page.jobs.iter().map(JobStatusResponse::from).collect();
    Ok(response.json(jobs))
}

/// Only what the caller may see.
fn filter(state: &AppState, principal: &Principal, query: OperationsQuery) -> JobFilter {
    let tenants = match (state.config.target_tenant, &principal.tenants) {
        (None, Tenants::All) => None,
        (Some(only), Tenants::All) => Some(vec![only]),
        (only, Tenants::Set(tenants)) => {
            let served = tenants
                .iter()
                .copied()
                .filter(|tenant| only.is_none_or(|only| only == *tenant));
            Some(served.collect())
        }
    };
    JobFilter {
        states: query
            .status_filter
            .map(|status| status.states().to_vec())
            .unwrap_or_default(),
        kind: query.operation_type.map(JobKind::from),
        key_prefix: tenants.is_some().then(|| principal.key_prefix.as_str().to_owned()),
        tenants,
    }
}

fn next_link(query: OperationsQuery) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.to_pairs() {
        pairs.append_pair(name, &value);
    }
    format!("</api/v1/operations?{}>; rel=\"next\"", pairs.finish())
}
