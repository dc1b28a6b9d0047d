//! What no route answers: 405 with `Allow` where the path exists with other methods, else 404.

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
    /// The routes of a document, and the pages that no document names.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let owned = |path: &str| segments(path).map(str::to_owned).collect();
        let routes = document.paths.paths.iter();
        let routes = routes.map(|(path, item)| (owned(path), methods(item)));
        let pages = super::docs::PAGES.iter().map(|path| (owned(path), vec!["GET", "HEAD"]));
        Self {
            routes: routes.chain(pages).collect(),
        }
    }

    /// The methods of a path; `None` when there is no such path.
    pub(crate) fn allow(&self, path: &str) -> Option<String> {
        let wanted: Vec<&str> = segments(path).collect();
        let (_, methods) = self.routes.iter().find(|(route, _)| matches(route, &wanted))?;
        Some(methods.join(", "))
    }
}

/// A parameter takes one segment; `{path}` at the end takes all that follow.
fn matches(route: &[String], wanted: &[&str]) -> bool {
    let is_open = route.last().is_some_and(|last| last == "{path}");
    (route.len() == wanted.len() || (is_open && route.len() < wanted.len()))
        && route
            .iter()
            .zip(wanted)
            .all(|(pattern, segment)| pattern == segment || (pattern.starts_with('{') && !segment.is_empty()))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
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
        Some(allow) => Err(ApiError::method_not_allowed(request.method().as_str(), allow)),
        None => Err(ApiError::not_found("page")),
    }
}

#[cfg(test)]
mod tests {
    use super::RouteTable;
    use crate::routes::document;

    #[test]
    fn a_path_has_the_methods_of_its_routes() {
        let table = RouteTable::of(&document());
        let known = [
            ("/api/v1/scan", "POST"),
            ("/api/v1/operations/x", "GET, HEAD, DELETE"),
            ("/api/v1/operations/x/files/a/b.tf", "GET, HEAD"),
            ("/docs", "GET, HEAD"),
            ("/docs/oauth2-redirect", "GET, HEAD"),
            ("/openapi.json", "GET, HEAD"),
            ("/redoc", "GET, HEAD"),
        ];
        for (path, allow) in known {
            assert_eq!(table.allow(path).as_deref(), Some(allow), "{path}");
        }
        for path in [
            "/",
            "/nothing",
            "//api/v1/scan",
            "/api//v1/scan",
            "/api/v1/operations//result",
            "/api/v1/operations/x/files",
            "/api/v1/operations/x/result/y",
        ] {
            assert_eq!(table.allow(path), None, "{path}");
        }
    }
}
