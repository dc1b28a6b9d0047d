//! `POST /api/v1/ws-tickets`: a browser's way to a socket without a key in its address.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::api::fields::{ApiRequest, Fields};
use crate::ids::{JobId, JobKind};

/// Asks for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// The job to watch.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "scan-01890a5d-ac96-774b-bcce-b302099a8057"))]
    pub job_id: JobId,
}

impl ApiRequest for TicketRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        if !fields.has("job_id") {
            fields.refuse("job_id", "is required");
        }
        // Stands in for what `finish` refuses.
        let none = JobId::new(JobKind::Scan, uuid::Uuid::nil());
        Self {
            job_id: fields.parsed("job_id").unwrap_or(none),
        }
    }
}

/// A ticket: single use, bound to its job and its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketResponse {
    /// Goes into `?ticket=`.
    pub ticket: String,
    /// Until when it may be used.
    #[serde(with = "crate::time_text")]
    pub expires_at: OffsetDateTime,
}

impl std::fmt::Debug for TicketResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketResponse")
            .field("ticket", &"***")
            .field("expires_at", &self.expires_at)
            .finish()
    }
}
