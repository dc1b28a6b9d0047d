//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use atg_models::api::ErrorResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

/// The name of the security scheme: the routes repeat it, because their macro takes a literal only.
const BEARER: &str = "bearer_key";

/// The document without its paths, which the routes add.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "atg",
        description = "Reads a whole Azure tenant into a graph and turns it into infrastructure code.\n\n\
            Every error has the body `{\"error\": {\"code\", \"message\", \"details\"?}}`. \
            Every answer carries `X-Request-ID`.",
        license(name = "MIT", identifier = "MIT")
    ),
    components(schemas(ErrorResponse)),
    modifiers(&Bearer),
    tags(
        (name = "server", description = "How the server is"),
        (name = "jobs", description = "Start work; each answers 202 at once"),
        (name = "operations", description = "Follow, cancel and collect jobs"),
        (name = "tenants", description = "What is stored"),
    )
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("atg_{dev|integration|production}_{64 lower-case hex}")
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    }
}

/// The answers that every route behind a key may give.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [
            ("401", "No key, or not a valid one"),
            ("403", "The key may not do this"),
            ("500", "A defect of the server"),
            ("503", "The database is not available, or the server is shutting down"),
        ]
        .into_iter()
        .map(error)
        .collect()
    }
}

/// The answers to a body that is refused.
pub(crate) struct BodyRefusals;

impl IntoResponses for BodyRefusals {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [
            ("400", "The body breaks a rule; `details.fields` lists every one"),
            ("408", "The body did not arrive in time"),
            ("413", "The body is larger than 1 MiB"),
            ("415", "The body is not `application/json`"),
            ("429", "The queue is full"),
        ]
        .into_iter()
        .map(error)
        .collect()
    }
}

/// An answer with an error as its body.
pub(crate) fn error((status, description): (&str, &str)) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorResponse")))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build();
    (status.to_owned(), RefOr::T(response))
}
