//! `GET /api/v1/tenants`, `DELETE /api/v1/tenants/{tenant_id}`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::graph::Verdict;
use crate::ids::{JobId, TenantId};

/// A tenant of which something is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantResponse {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub tenant_id: TenantId,
    /// Its last scan; null before the first has begun.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "scan-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub last_scan: Option<JobId>,
    /// Of that scan; null while it runs.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "complete"))]
    pub verdict: Option<Verdict>,
    /// When that scan ended.
    #[serde(with = "crate::time_text::option")]
    pub scanned_at: Option<OffsetDateTime>,
    /// Nodes that are stored.
    pub nodes: u64,
    /// Edges that are stored.
    pub edges: u64,
}

/// The parameters of the job that removes a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveTenantRequest {
    /// Which.
    pub tenant_id: TenantId,
}

/// What came of a removal: the `result` of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemoveTenantResult {
    /// How many nodes went.
    pub nodes_removed: u64,
}
