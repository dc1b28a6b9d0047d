//! `/docs`, `/redoc`, `/openapi.json`: the documentation, from the binary, without the network.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::error::ApiError;

/// Swagger UI needs inline style and its own inline start script; nothing may come from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'";

/// The pages that are here, for the answer to other methods than GET.
pub(super) const PAGES: [&str; 5] = ["/openapi.json", "/docs", "/docs/", "/docs/oauth2-redirect", "/redoc"];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/openapi.json", web::get().to(openapi))
        .route("/docs", web::get().to(index))
        .route("/docs/oauth2-redirect", web::get().to(redirect_page))
        .route("/docs/{file:.*}", web::get().to(file))
        .route("/redoc", web::get().to(redoc));
}

async fn openapi(document: web::Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

/// The page refers to its files beside it, so it is told where that is.
async fn index() -> Result<HttpResponse, ApiError> {
    let (bytes, content_type) = swagger("index.html")?;
    let page = String::from_utf8_lossy(&bytes).replacen("<head>", "<head><base href=\"/docs/\">", 1);
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(page))
}

async fn redirect_page() -> Result<HttpResponse, ApiError> {
    answer("oauth2-redirect.html")
}

async fn file(path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    if path.is_empty() {
        return index().await;
    }
    answer(&path)
}

async fn redoc() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs"))
        .finish()
}

fn answer(path: &str) -> Result<HttpResponse, ApiError> {
    let (bytes, content_type) = swagger(path)?;
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(bytes))
}

fn swagger(path: &str) -> Result<(Vec<u8>, String), ApiError> {
    let config = Config::new(["/openapi.json"])
        .validator_url("none")
        .try_it_out_enabled(true)
        .persist_authorization(false)
        .display_request_duration(true);
    match utoipa_swagger_ui::serve(path, Arc::new(config)) {
        Ok(Some(file)) => Ok((file.bytes.into_owned(), file.content_type)),
        Ok(None) => Err(ApiError::not_found("page")),
        Err(error) => Err(ApiError::internal(error.as_ref())),
    }
}
