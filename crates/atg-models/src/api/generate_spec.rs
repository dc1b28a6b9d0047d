//! `POST /api/v1/generate-spec`: a tenant's specification.

use serde::{Deserialize, Serialize};

use crate::api::BasedOnScan;
use crate::api::fields::{ApiRequest, Fields};
use crate::ids::TenantId;
use crate::limits::SHORT_TEXT_MAX_BYTES;

/// Writes a tenant's specification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct GenerateSpecRequest {
    /// Whose; left out = the only tenant that the key may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub tenant_id: Option<TenantId>,
    /// Stands for the tenant's domain in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 256, example = "contoso.com"))]
    pub domain_name: Option<String>,
    /// At most this many resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub limit: Option<u64>,
    /// By subscription and resource group instead of by type.
    pub hierarchical: bool,
}

impl ApiRequest for GenerateSpecRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            tenant_id: fields.parsed("tenant_id"),
            domain_name: fields.short_text("domain_name", SHORT_TEXT_MAX_BYTES),
            limit: fields.positive("limit"),
            hierarchical: fields.flag("hierarchical", false),
        }
    }
}

/// What came of a specification: the `result` of its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GenerateSpecResult {
    /// By subscription and resource group instead of by type.
    pub hierarchical: bool,
    /// Resources of the tenant.
    pub resources: u64,
    /// Of these described: all, unless a limit was asked for.
    pub described: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Resource groups.
    pub resource_groups: u64,
    /// Relationships of the resources described.
    pub relationships: u64,
    /// The scan it rests on.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub based_on: BasedOnScan,
    /// What else there is to know.
    #[serde(default)]
    pub notes: Vec<String>,
}
