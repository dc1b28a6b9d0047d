//! `POST /api/v1/threat-model`: a threat model of a tenant.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::fields::{ApiRequest, Fields};
use crate::ids::TenantId;

/// Writes a threat model of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ThreatModelRequest {
    /// Whose; left out = the only tenant that the key may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub tenant_id: Option<TenantId>,
    /// Options by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Map<String, Value>,
}

impl ApiRequest for ThreatModelRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            tenant_id: fields.parsed("tenant_id"),
            options: fields.object("options"),
        }
    }
}
