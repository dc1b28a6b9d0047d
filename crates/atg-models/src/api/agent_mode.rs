//! `POST /api/v1/agent-mode`: a question about a tenant.

use serde::{Deserialize, Serialize};

use crate::api::fields::{ApiRequest, Fields};
use crate::ids::TenantId;
use crate::limits::QUESTION_MAX_CHARS;

/// Asks a question about a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentModeRequest {
    /// Which; left out = the only tenant that the key may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub tenant_id: Option<TenantId>,
    /// The question.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 4000, example = "Which storage accounts are public?")
    )]
    pub question: String,
}

impl ApiRequest for AgentModeRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        let question = fields.required_text("question");
        if let Some(text) = question
            && (text.trim().is_empty() || text.chars().count() > QUESTION_MAX_CHARS)
        {
            fields.refuse(
                "question",
                format!("must have 1 to {QUESTION_MAX_CHARS} characters and not be blank"),
            );
        }
        Self {
            tenant_id: fields.parsed("tenant_id"),
            question: question.unwrap_or_default().to_owned(),
        }
    }
}
