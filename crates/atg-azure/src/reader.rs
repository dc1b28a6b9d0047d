//! The seam between Azure and a scan: what is to be read, and one page of it at a time.
//!
//! A reader keeps nothing durable. The scan holds the ledger and asks for pages; whatever a
//! reader needs from earlier pages (the groups whose members are listed) it asks of [`Parents`].

use async_trait::async_trait;
use atg_models::NodeId;
use atg_models::TenantId;
use atg_models::graph::{
    CollectionKey, GraphBatch, NodeKind, NotPlanned, PartitionKey, PlannedCollection, ScanFilters,
};
use tokio_util::sync::CancellationToken;

use crate::AzureError;

/// One step of a scan. The steps of a track are read in order, the tracks side by side; the collections
/// of a step in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// For progress (`containers`, `resources`, `access`, `directory`).
    pub name: &'static str,
    /// Which steps it follows.
    pub track: Track,
    /// What is read in it.
    pub collections: Vec<PlannedCollection>,
}

/// Steps that need nothing that the other track reads, and draw on other budgets of Azure's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// Resource Graph and Resource Manager.
    Resources,
    /// Microsoft Graph.
    Directory,
}

impl Track {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Resources, Self::Directory];
}

/// What a scan will read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPlan {
    /// Who reads.
    pub principal: String,
    /// Subscriptions of this tenant that will be read: id (lower case) and display name.
    pub subscriptions: Vec<(String, String)>,
    /// In order.
    pub steps: Vec<Step>,
    /// What was left out, on request or because this version does not read it.
    pub not_planned: Vec<NotPlanned>,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRead {
    /// What it says. Redacted already.
    pub batch: GraphBatch,
    /// Rows that the source sent, those of other tenants left out.
    pub rows: u64,
    /// Where to go on; `None` after the last page.
    pub next: Option<String>,
    /// Rows of other tenants, which are not stored.
    pub other_tenant: u64,
}

/// Why a page was not read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor is gone: the partition is to be read again from its start.
    #[error("the cursor has expired")]
    CursorExpired,
    /// The principal may not read this; names the permission.
    #[error("missing permission: {permission}")]
    Forbidden {
        /// What would be needed.
        permission: String,
    },
    /// Retries are used up; the collection is a gap.
    #[error("could not be read: {reason}")]
    Failed {
        /// A sentence without secrets.
        reason: String,
    },
    /// The scan is being stopped.
    #[error("stopped")]
    Cancelled,
    /// Nothing can be read any more (the credential was refused): the job fails.
    #[error(transparent)]
    Fatal(#[from] AzureError),
}

/// Ids of nodes that were read earlier in the scan, for collections that are listed per parent.
#[async_trait]
pub trait Parents: Send + Sync {
    /// Observed nodes of a kind by id, after `after`, at most `limit`.
    async fn next(&self, kind: NodeKind, after: Option<&NodeId>, limit: u32) -> Result<Vec<NodeId>, PageError>;
}

/// What the requests of a scan came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Requests sent.
    pub calls: u64,
    /// Answered 429.
    pub throttled: u64,
    /// Failed otherwise.
    pub errors: u64,
}

/// Reads one tenant as one principal.
#[async_trait]
pub trait TenantReader: Send + Sync {
    /// Which tenant.
    fn tenant(&self) -> TenantId;

    /// Asks for a token in the tenant and checks that `GET /tenants` holds it, then lists the
    /// subscriptions and makes the plan. Writes nothing.
    async fn plan(&self, filters: &ScanFilters, cancelled: &CancellationToken) -> Result<ScanPlan, PageError>;

    /// Reads the page of a partition at `cursor` (`None` = the first), with retries.
    async fn page(
        &self,
        collection: &CollectionKey,
        partition: &PartitionKey,
        cursor: Option<&str>,
        parents: &dyn Parents,
        cancelled: &CancellationToken,
    ) -> Result<PageRead, PageError>;

    /// What the requests so far came to.
    fn calls(&self) -> CallCounts;
}
