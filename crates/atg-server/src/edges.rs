//! What holds for every route: HEAD answers as GET without a body, and a trailing slash is accepted.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest};

/// Marks a request that came as HEAD, for handlers that would read what is not sent.
struct Head;

/// Whether the request came as HEAD.
pub(crate) fn is_head(request: &HttpRequest) -> bool {
    request.extensions().contains::<Head>()
}

/// Rewrites the request's head before it is routed. The encoder still knows a HEAD and sends no body.
pub(crate) async fn edges<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(Head);
    }
    if let Some(uri) = without_trailing_slash(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await
}

fn without_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    // Both spellings of the page are routes of their own.
    if trimmed.len() == path.len() || trimmed.is_empty() || trimmed == "/docs" {
        return None;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{trimmed}{query}").parse().ok()
}
