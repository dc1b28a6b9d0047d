//! What no route answers: 405 with `Allow` where the path exists with other methods, else 404.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use crate::error::ApiError;

/// The paths and methods of all routes, taken from the document that they make.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable {
    routes: Vec<(Vec<String>, Vec<&'static str>)>,
}

impl RouteTable {
    /// The routes of a document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let routes = document.paths.paths.iter();
        let routes = routes.map(|(path, item)| (segments(path).map(str::to_owned).collect(), methods(item)));
        Self {
            routes: routes.collect(),
        }
    }

    /// The methods of a path; `None` when there is no such path.
    fn allow(&self, path: &str) -> Option<String> {
        let wanted: Vec<&str> = segments(path).collect();
        let (_, methods) = self.routes.iter().find(|(route, _)| {
            route.len() == wanted.len()
                && route
                    .iter()
                    .zip(&wanted)
                    .all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment)
        })?;
        Some(methods.join(", "))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let known = [
        ("GET", item.get.is_some()),
        ("HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    known
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(method, _)| method)
        .collect()
}

/// Answers whatever no route did.
pub(super) async fn fallback(request: HttpRequest, table: web::Data<RouteTable>) -> Result<HttpResponse, ApiError> {
    match table.allow(request.path()) {
        Some(allow) if request.method() == Method::OPTIONS => {
            Ok(HttpResponse::NoContent().insert_header(("Allow", allow)).finish())
        }
        Some(allow) => Err(ApiError::method_not_allowed(request.method().as_str(), allow)),
        None => Err(ApiError::not_found("page")),
    }
}
