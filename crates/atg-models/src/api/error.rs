//! The body of every error.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::FieldError;
use crate::error_code::ErrorCode;
use crate::job::JobError;

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
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error: ErrorBody {
                code,
                message: message.into(),
                details: None,
            },
        }
    }

    /// An error that lists fields.
    pub fn with_fields(code: ErrorCode, message: impl Into<String>, fields: &[FieldError]) -> Self {
        Self {
            error: ErrorBody {
                code,
                message: message.into(),
                details: Some(json!({ "fields": fields })),
            },
        }
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
