//! A scan's durable record and its verdict.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::graph::CollectionKey;
use crate::ids::{Fence, Generation, JobId, TenantId};

/// Whether a scan read all that it planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every planned collection was read whole.
    Complete,
    /// Something was not; the gaps say what.
    Partial,
}

/// What a scan was asked to leave out. Empty lists mean no filter; all entries are lower case but
/// for the values of tags, which Azure compares by case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanFilters {
    /// Only these subscriptions.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Only these resource groups.
    #[serde(default)]
    pub resource_groups: Vec<String>,
    /// Only these resource types.
    #[serde(default)]
    pub types: Vec<String>,
    /// Only resources with these tags (key, value; no value = any).
    #[serde(default)]
    pub tags: Vec<(String, Option<String>)>,
    /// The directory is not read.
    #[serde(default)]
    pub no_directory: bool,
    /// At most this many resources.
    #[serde(default)]
    pub resource_limit: Option<u64>,
}

impl ScanFilters {
    /// Whether resources are read narrower than their subscription.
    pub fn narrows_resources(&self) -> bool {
        !self.resource_groups.is_empty() || !self.types.is_empty() || !self.tags.is_empty()
    }

    /// Whether nothing at all is left out on request.
    pub fn is_unfiltered(&self) -> bool {
        self == &Self::default()
    }
}

/// What a scan starts with. The scan's id is its job's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanStart {
    /// The job.
    pub scan_id: JobId,
    /// Grows with each attempt; writes of an earlier one are refused.
    pub fence: Fence,
    /// What is read.
    pub tenant_id: TenantId,
    /// Who reads: the token's object or application id.
    pub principal: String,
    /// What is left out on request.
    pub filters: ScanFilters,
    /// When.
    #[serde(with = "crate::time_text")]
    pub started_at: OffsetDateTime,
}

/// The right to write for a scan, as [`ScanStart`] was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanHandle {
    /// The scan.
    pub scan_id: JobId,
    /// Of the attempt that holds it.
    pub fence: Fence,
    /// What is read.
    pub tenant_id: TenantId,
    /// The generation that this scan writes.
    pub generation: Generation,
}

/// Something that was planned and not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// What.
    pub collection: CollectionKey,
    /// `failed`, `forbidden` or `skipped`.
    pub state: String,
    /// Why, with the permission that is missing if that is it.
    pub reason: String,
}

/// Something that was left out on request, or that this version does not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotPlanned {
    /// What: a source (`arm.children`), or a word such as `other_tenant`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// How many, where it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What a scan counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCounts {
    /// Resource nodes by the count rule of graph.md.
    pub resources_discovered: u64,
    /// Nodes of the tenant, stubs and derived ones included, tombstones not.
    pub nodes: u64,
    /// Edges of the tenant.
    pub edges: u64,
    /// Look-ups that nothing answered.
    pub open_lookups: u64,
    /// Aliases that more than one node publishes.
    pub ambiguous_aliases: u64,
    /// Nodes that this scan removed.
    pub removed: u64,
    /// Nodes whose content this scan wrote.
    pub written: u64,
    /// Nodes that were found unchanged.
    pub unchanged: u64,
    /// Requests sent to Azure.
    pub calls: u64,
    /// Of these answered 429.
    pub throttled: u64,
    /// Of these that failed otherwise.
    pub errors: u64,
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEnd {
    /// Whether all that was planned was read.
    pub verdict: Verdict,
    /// What was not.
    pub gaps: Vec<Gap>,
    /// What was not planned.
    pub not_planned: Vec<NotPlanned>,
    /// Calls, 429s and errors; the store fills in the rest.
    pub counts: ScanCounts,
    /// When.
    #[serde(with = "crate::time_text")]
    pub ended_at: OffsetDateTime,
}

/// A scan as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// The job.
    pub scan_id: JobId,
    /// What was read.
    pub tenant_id: TenantId,
    /// The generation that it wrote.
    pub generation: Generation,
    /// Who read.
    pub principal: String,
    /// What was left out on request.
    pub filters: ScanFilters,
    /// When it started.
    #[serde(with = "crate::time_text")]
    pub started_at: OffsetDateTime,
    /// The version of atg that wrote it.
    pub version: String,
    /// How it ended; `None` while it runs, or when it was cut off.
    pub end: Option<ScanEnd>,
    /// SHA-256 of the tenant's export at the end, lower-case hex.
    pub graph_digest: Option<String>,
}

/// Which scan a result rests on. In files the id and the times are left out, so that equal
/// graphs give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasedOn {
    /// Whose graph.
    pub tenant_id: TenantId,
    /// The digest of that graph.
    pub graph_digest: String,
    /// The last scan's verdict; partial too when it did not end.
    pub verdict: Verdict,
    /// What it did not read.
    pub gaps: Vec<Gap>,
    /// What it did not plan.
    pub not_planned: Vec<NotPlanned>,
}
