//! What the OpenAPI document says of routes that send bytes.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses};

use crate::openapi::error;

/// What holds for every route that sends the bytes of an artifact, as a whole or in part.
pub(crate) struct PartialContent;

impl IntoParams for PartialContent {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |(name, description): (&str, &str)| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
                .build()
        };
        [
            ("Range", "One range of bytes; several are answered with the whole"),
            (
                "If-Range",
                "An entity tag: the range counts while it is the present one",
            ),
            ("If-None-Match", "Entity tags: 304 when one of them is the present one"),
        ]
        .map(header)
        .into()
    }
}

impl IntoResponses for PartialContent {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let unchanged = ResponseBuilder::new().description("The client has it already").build();
        [
            ("404", "No such job, or it published no such thing"),
            ("409", "It has not ended yet"),
            ("410", "The files' time has passed"),
            ("416", "The range lies outside; `Content-Range` says how much there is"),
        ]
        .into_iter()
        .map(error)
        .chain([("304".to_owned(), RefOr::T(unchanged))])
        .collect()
    }
}
