//! `POST /api/v1/scan`: what is asked for, and what comes of it.

use serde::{Deserialize, Serialize};

use crate::api::fields::{ApiRequest, Fields};
use crate::api::filter::{CommaList, ResourceGroupName, TagFilter, TypeFilter};
use crate::graph::{Gap, NotPlanned, ScanFilters, Verdict};
use crate::ids::{SubscriptionId, TenantId};
use crate::limits;

/// Whether a scan reads everything again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScanMode {
    /// Everything is read.
    #[default]
    Full,
    /// What has not changed since the last scan is not read again.
    Incremental,
}

/// Reads a tenant into the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the contract's fields")]
pub struct ScanRequest {
    /// The tenant to read.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid, example = "11111111-2222-3333-4444-555555555555"))]
    pub tenant_id: TenantId,
    /// At most this many resources; the verdict is then `partial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 1000))]
    pub resource_limit: Option<u64>,
    /// Accepted and recorded.
    #[serde(default = "defaults::llm_threads")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 20, default = 5))]
    pub max_llm_threads: u32,
    /// Accepted and recorded.
    #[serde(default = "defaults::build_threads")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 50, default = 20))]
    pub max_build_threads: u32,
    /// How often one request to Azure is tried again.
    #[serde(default = "defaults::retries")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 10, default = 3))]
    pub max_retries: u32,
    /// How many requests to Azure are in flight.
    #[serde(default = "defaults::concurrency")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 200, default = 100))]
    pub max_concurrency: u32,
    /// Writes the tenant's specification after the scan, into this job's artifact.
    #[serde(default)]
    pub generate_spec: bool,
    /// Draws the graph after the scan, into this job's artifact.
    #[serde(default)]
    pub visualize: bool,
    /// Derives all edges again from the stored bodies.
    #[serde(default)]
    pub rebuild_edges: bool,
    /// Leaves the directory out.
    #[serde(default)]
    pub no_aad_import: bool,
    /// Only these subscriptions: UUIDs, comma-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "aaaaaaaa-1111-1111-1111-111111111111"))]
    pub filter_by_subscriptions: Option<CommaList<SubscriptionId>>,
    /// Only these resource groups: names, comma-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "rg-web,rg-data"))]
    pub filter_by_rgs: Option<CommaList<ResourceGroupName>>,
    /// Only these resource types, comma-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "Microsoft.Network/virtualNetworks"))]
    pub filter_by_types: Option<CommaList<TypeFilter>>,
    /// Only resources with these tags: `key=value` or `key`, comma-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "env=prod,owner"))]
    pub filter_by_tags: Option<CommaList<TagFilter>>,
    /// Whether everything is read again.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = "full"))]
    pub mode: ScanMode,
}

mod defaults {
    use crate::limits;

    pub(super) const fn llm_threads() -> u32 {
        limits::LLM_THREADS_DEFAULT
    }
    pub(super) const fn build_threads() -> u32 {
        limits::BUILD_THREADS_DEFAULT
    }
    pub(super) const fn retries() -> u32 {
        limits::SCAN_RETRIES_DEFAULT
    }
    pub(super) const fn concurrency() -> u32 {
        limits::SCAN_CONCURRENCY_DEFAULT
    }
}

impl ScanRequest {
    /// A scan of the whole tenant with the defaults.
    pub const fn new(tenant_id: TenantId) -> Self {
        Self {
            tenant_id,
            resource_limit: None,
            max_llm_threads: limits::LLM_THREADS_DEFAULT,
            max_build_threads: limits::BUILD_THREADS_DEFAULT,
            max_retries: limits::SCAN_RETRIES_DEFAULT,
            max_concurrency: limits::SCAN_CONCURRENCY_DEFAULT,
            generate_spec: false,
            visualize: false,
            rebuild_edges: false,
            no_aad_import: false,
            filter_by_subscriptions: None,
            filter_by_rgs: None,
            filter_by_types: None,
            filter_by_tags: None,
            mode: ScanMode::Full,
        }
    }

    /// What is left out, as the scan knows it.
    pub fn filters(&self) -> ScanFilters {
        fn texts<T>(list: Option<&CommaList<T>>, text: impl Fn(&T) -> String) -> Vec<String> {
            let mut texts: Vec<_> = list
                .map(CommaList::entries)
                .unwrap_or_default()
                .iter()
                .map(text)
                .collect();
            texts.sort_unstable();
            texts.dedup();
            texts
        }
        let tags = self.filter_by_tags.as_ref().map(CommaList::entries).unwrap_or_default();
        let mut tags: Vec<_> = tags
            .iter()
            .map(|tag| (tag.key.to_lowercase(), tag.value.clone()))
            .collect();
        tags.sort_unstable();
        tags.dedup();
        ScanFilters {
            subscriptions: texts(self.filter_by_subscriptions.as_ref(), SubscriptionId::to_string),
            resource_groups: texts(self.filter_by_rgs.as_ref(), |name| name.as_str().to_lowercase()),
            types: texts(self.filter_by_types.as_ref(), |type_| {
                type_.arm_type().as_str().to_owned()
            }),
            tags,
            no_directory: self.no_aad_import,
            resource_limit: self.resource_limit,
        }
    }
}

impl ApiRequest for ScanRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            tenant_id: fields.required_tenant("tenant_id"),
            resource_limit: fields.positive("resource_limit"),
            max_llm_threads: fields.number(
                "max_llm_threads",
                limits::LLM_THREADS_DEFAULT,
                1,
                limits::LLM_THREADS_MAX,
            ),
            max_build_threads: fields.number(
                "max_build_threads",
                limits::BUILD_THREADS_DEFAULT,
                1,
                limits::BUILD_THREADS_MAX,
            ),
            max_retries: fields.number("max_retries", limits::SCAN_RETRIES_DEFAULT, 0, limits::SCAN_RETRIES_MAX),
            max_concurrency: fields.number(
                "max_concurrency",
                limits::SCAN_CONCURRENCY_DEFAULT,
                1,
                limits::SCAN_CONCURRENCY_MAX,
            ),
            generate_spec: fields.flag("generate_spec", false),
            visualize: fields.flag("visualize", false),
            rebuild_edges: fields.flag("rebuild_edges", false),
            no_aad_import: fields.flag("no_aad_import", false),
            filter_by_subscriptions: fields.parsed("filter_by_subscriptions"),
            filter_by_rgs: fields.parsed("filter_by_rgs"),
            filter_by_types: fields.parsed("filter_by_types"),
            filter_by_tags: fields.parsed("filter_by_tags"),
            mode: fields.word(
                "mode",
                &[("full", ScanMode::Full), ("incremental", ScanMode::Incremental)],
            ),
        }
    }
}

/// What came of a scan: the `result` of its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanResult {
    /// Resources found: of the tenant after a complete unfiltered scan, else of this scan.
    pub resources_discovered: u64,
    /// Nodes of the tenant's graph.
    pub nodes: u64,
    /// Its edges.
    pub edges: u64,
    /// Whether all that was planned was read.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "complete"))]
    pub verdict: Verdict,
    /// What was planned and not read.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub gaps: Vec<Gap>,
    /// What was left out on request, or is not read by this version.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub not_planned: Vec<NotPlanned>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// SHA-256 of the tenant's export, lower-case hex.
    pub graph_digest: String,
}
