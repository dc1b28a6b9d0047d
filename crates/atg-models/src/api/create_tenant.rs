//! `POST /api/v1/create-tenant`: a tenant from a specification.

use serde::{Deserialize, Serialize};

use crate::api::fields::{ApiRequest, Fields};
use crate::limits::MARKDOWN_SPEC_MAX_BYTES;

/// Makes a tenant from a specification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTenantRequest {
    /// The specification, in Markdown: 1 byte to 1 MiB, not blank.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 1_048_576, example = "# Contoso")
    )]
    pub markdown_spec: String,
}

impl ApiRequest for CreateTenantRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        let text = fields.required_text("markdown_spec");
        if let Some(text) = text {
            if text.trim().is_empty() {
                fields.refuse("markdown_spec", "must not be blank");
            } else if text.len() > MARKDOWN_SPEC_MAX_BYTES {
                fields.refuse(
                    "markdown_spec",
                    format!("must have at most {MARKDOWN_SPEC_MAX_BYTES} bytes"),
                );
            }
        }
        Self {
            markdown_spec: text.unwrap_or_default().to_owned(),
        }
    }
}
