//! One endpoint a file, laid out like the URLs. A handler authorises, parses, registers a job or reads a view.

mod docs;
mod fallback;
mod generate_iac;
mod generate_spec;
mod health;
pub(crate) mod metrics;
mod operations;
mod probes;
mod progress;
mod scan;
mod submit;
mod tenants;
mod ws_tickets;

use actix_web::web;
use utoipa::OpenApi as _;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::openapi::{self, Document};

pub(crate) use fallback::RouteTable;
pub(crate) use health::store_health;

/// Registers every documented route.
pub(crate) fn api(config: &mut ServiceConfig<'_>) {
    config
        .service(health::health)
        .service(health::health_at_root)
        .service(scan::start)
        .service(scan::status)
        .service(generate_iac::start)
        .service(generate_iac::status)
        .service(generate_spec::start)
        .service(generate_spec::status)
        .service(operations::list::list)
        .service(operations::get::show)
        .service(operations::cancel::cancel)
        .service(operations::result::result)
        .service(operations::download::download)
        .service(operations::files::file)
        .service(operations::events::events)
        .service(ws_tickets::create)
        .service(tenants::list)
        .service(tenants::remove)
        .service(probes::livez)
        .service(probes::readyz)
        .service(metrics::metrics)
        .service(progress::progress);
}

/// Registers what is not part of the documented interface: the documentation itself, and the 404.
pub(crate) fn pages(config: &mut web::ServiceConfig) {
    docs::configure(config);
    config.default_service(web::to(fallback::fallback));
}

/// The document, with the paths of all routes.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    use utoipa_actix_web::AppExt as _;
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .configure(api);
    let mut document = app.split_for_parts().1;
    openapi::add_common_headers(&mut document);
    document
}
