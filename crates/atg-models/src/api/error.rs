//! The body of every error.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::FieldError;
use crate::error_code::ErrorCode;
use crate::job::JobError;
use crate::secrets::redact_text;

/// `{"error": {"code", "message", "details"?}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong: of a request, or of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// From the table of codes; each has a page in the documentation.
    #[cfg_attr(feature = "openapi", schema(example = "INVALID_REQUEST"))]
    pub code: ErrorCode,
    /// For people.
    #[cfg_attr(feature = "openapi", schema(example = "tenant_id must be a valid UUID"))]
    pub message: String,
    /// For programs. Of an invalid request `{"fields": [{"field", "message"}]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub details: Option<Value>,
}

impl ErrorResponse {
    /// An error without details. What looks like a secret in it, because a client put one where it does not
    /// belong, is not said back.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error: ErrorBody {
                code,
                message: redact_text(&message.into()).into_owned(),
                details: None,
            },
        }
    }

    /// An error that lists fields.
    pub fn with_fields(code: ErrorCode, message: impl Into<String>, fields: &[FieldError]) -> Self {
        let fields: Vec<_> = fields
            .iter()
            .map(|FieldError { field, message }| FieldError {
                field: redact_text(field).into_owned(),
                message: redact_text(message).into_owned(),
            })
            .collect();
        let mut response = Self::new(code, message);
        response.error.details = Some(json!({ "fields": fields }));
        response
    }
}

impl From<&JobError> for ErrorBody {
    fn from(error: &JobError) -> Self {
        Self {
            code: error.code,
            message: error.message.clone(),
            details: error.details.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_wrong_place_is_not_said_back() {
        let key = format!("atg_dev_{}", "0123456789abcdef".repeat(4));
        let fields = [FieldError {
            field: key.clone(),
            message: format!("{key} is not a known field"),
        }];
        let response = ErrorResponse::with_fields(ErrorCode::InvalidRequest, format!("no {key}"), &fields);
        let text = serde_json::to_string(&response).unwrap();
        assert!(!text.contains("0123456789abcdef"), "{text}");
        assert!(text.contains("is not a known field"), "{text}");
    }
}
