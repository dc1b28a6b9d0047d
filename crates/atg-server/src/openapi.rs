//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use atg_models::api::{ErrorResponse, JobResponse, JobResultResponse};
use atg_models::limits;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi};

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
    components(schemas(ErrorResponse, JobResponse, JobResultResponse)),
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
            ("429", "A rate limit of the key is used up, or the queue is full"),
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
        ]
        .into_iter()
        .map(error)
        .collect()
    }
}

/// The headers that every POST understands which starts a job.
pub(crate) struct JobHeaders;

impl IntoParams for JobHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name: &str, description: &str, schema: ObjectBuilder| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(schema.schema_type(Type::String)))
                .build()
        };
        vec![
            header(
                "Idempotency-Key",
                "Visible ASCII. The same key and body within 24 hours are the same job; another body is 409",
                ObjectBuilder::new()
                    .min_length(Some(1))
                    .max_length(Some(limits::IDEMPOTENCY_KEY_MAX_BYTES))
                    .pattern(Some("^[!-~]+$")),
            ),
            header(
                "Prefer",
                "`wait=N`: hold the request for up to N seconds (3,600 at most) and answer 200 if the job ends by then",
                ObjectBuilder::new().examples(["wait=60"]),
            ),
        ]
    }
}

/// What a POST answers that starts a job.
pub(crate) struct JobAnswers;

impl IntoResponses for JobAnswers {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        const LOCATION: (&str, &str) = ("Operation-Location", "Where its status can be read");
        const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "`true`: an earlier request made this job");
        const RATE: [(&str, &str); 3] = [
            (
                "X-RateLimit-Limit",
                "Of scans: how many an hour; of other jobs: requests a minute",
            ),
            ("X-RateLimit-Remaining", "How many are left of them"),
            ("X-RateLimit-Reset", "Seconds until one more is left"),
        ];
        let answer = |description: &str, schema: &str, headers: [(&str, &str); 2]| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(schema)))
                .build();
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/json", content);
            let headers = headers.into_iter().chain([REPLAYED]).chain(RATE);
            let response = headers.fold(response, |response, (name, description)| {
                let schema = ObjectBuilder::new().schema_type(Type::String);
                let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description));
                response.header(name, header.build())
            });
            RefOr::T(response.build())
        };
        let accepted = [LOCATION, ("Retry-After", "Seconds to wait between two looks at it")];
        let waited = [LOCATION, ("Preference-Applied", "The `wait` that was heeded")];
        [
            ("202".to_owned(), answer("Taken on", "JobResponse", accepted)),
            (
                "200".to_owned(),
                answer(
                    "Ended while the request waited, with `Prefer: wait=N`",
                    "JobResultResponse",
                    waited,
                ),
            ),
            error(("409", "The idempotency key was used with another body")),
        ]
        .into()
    }
}

/// Headers that answers carry whatever the route: on which statuses, name, what they say.
const COMMON_HEADERS: [(&[&str], &str, &str); 4] = [
    (
        &[],
        "X-Request-ID",
        "As the client sent it, else a new one; the log names it",
    ),
    (&["401"], "WWW-Authenticate", "`Bearer`"),
    (&["429", "503"], "Retry-After", "Seconds to wait before the next try"),
    (&["416"], "Content-Range", "How much there is"),
];

/// Adds the headers that all routes have in common; no status named means all of them.
pub(crate) fn add_common_headers(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                for (statuses, name, description) in COMMON_HEADERS {
                    if statuses.is_empty() || statuses.contains(&status.as_str()) {
                        let schema = ObjectBuilder::new().schema_type(Type::String);
                        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description));
                        response.headers.insert(name.to_owned(), RefOr::T(header.build()));
                    }
                }
            }
        }
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
