//! `POST /api/v1/generate-iac`: what is asked for, and what comes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::api::fields::{ApiRequest, Fields};
use crate::api::resource_filter::ResourceFilter;
use crate::graph::BasedOn;
use crate::ids::{JobId, SubscriptionId, TenantId};
use crate::limits::{SHORT_TEXT_MAX_BYTES, TENANT_TEXT_MAX_BYTES};

/// The language of the code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum IacFormat {
    /// Terraform.
    #[default]
    Terraform,
    /// ARM templates.
    Arm,
    /// Bicep.
    Bicep,
}

impl IacFormat {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Arm => "arm",
            Self::Bicep => "bicep",
        }
    }
}

/// Which resources get an `import` block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportStrategy {
    /// Resource groups.
    #[default]
    ResourceGroups,
    /// Everything.
    AllResources,
    /// What the target subscription is known to hold.
    Selective,
}

/// Turns a tenant's graph into infrastructure code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the contract's fields")]
pub struct GenerateIacRequest {
    /// Whose graph; left out = the only tenant that the key may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 256, example = "11111111-2222-3333-4444-555555555555")
    )]
    pub tenant_id: Option<String>,
    /// Writes the code for this tenant: ids, scopes and principals of the source tenant are rewritten, and what cannot
    /// be mapped is asked for and reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub target_tenant_id: Option<TenantId>,
    /// Writes the code for this subscription instead of those that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub target_subscription: Option<SubscriptionId>,
    /// The language; `output_format` is another name for it.
    #[serde(alias = "output_format")]
    #[cfg_attr(feature = "openapi", schema(default = "terraform"))]
    pub format: IacFormat,
    /// Writes `import` blocks.
    pub auto_import_existing: bool,
    /// For which resources.
    #[cfg_attr(feature = "openapi", schema(default = "resource_groups"))]
    pub import_strategy: ImportStrategy,
    /// Registers the resource providers that the code uses (Terraform only).
    pub auto_register_providers: bool,
    /// Proposes the smallest valid change of wrong subnets.
    pub auto_fix_subnets: bool,
    /// Leaves subnets as they are.
    pub skip_subnet_validation: bool,
    /// Only these resources: resource types (`Microsoft.Network/virtualNetworks`, `Microsoft.Network/*`) or conditions on
    /// `type`, `name`, `id`, `resource_group`, `subscription`, `location` and `tag:NAME`, with `,` for or, `&` for and,
    /// `!` for not and `*` for anything. The page `docs/resource-filters.md` describes the grammar. What the selected
    /// resources need from outside the selection becomes a variable or a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, example = "type=Microsoft.Network/* & tag:env=prod, resource_group=rg-hub")
    )]
    pub resource_filters: Option<ResourceFilter>,
    /// The provider's major version: 4 or 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "5"))]
    pub provider_version: Option<String>,
    /// Put behind the names of resource groups and top-level resources, as each type allows: 1 to 16 lower-case letters,
    /// digits and hyphens. References and host names follow; children keep their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "copy"))]
    pub naming_suffix: Option<String>,
    /// The region instead of the source's. What stays elsewhere (replicas, zones) is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "westeurope"))]
    pub location: Option<String>,
}

impl ApiRequest for GenerateIacRequest {
    fn read(fields: &mut Fields<'_>) -> Self {
        let formats = [
            ("terraform", IacFormat::Terraform),
            ("arm", IacFormat::Arm),
            ("bicep", IacFormat::Bicep),
        ];
        let by_other_name = fields.has("output_format");
        if by_other_name && fields.has("format") {
            fields.refuse("output_format", "is another name for format: give only one of them");
        }
        let other = fields.word("output_format", &formats);
        let format = fields.word("format", &formats);
        Self {
            tenant_id: fields.short_text("tenant_id", TENANT_TEXT_MAX_BYTES),
            target_tenant_id: fields.parsed("target_tenant_id"),
            target_subscription: fields.parsed("target_subscription"),
            format: if by_other_name { other } else { format },
            auto_import_existing: fields.flag("auto_import_existing", false),
            import_strategy: fields.word(
                "import_strategy",
                &[
                    ("resource_groups", ImportStrategy::ResourceGroups),
                    ("all_resources", ImportStrategy::AllResources),
                    ("selective", ImportStrategy::Selective),
                ],
            ),
            auto_register_providers: fields.flag("auto_register_providers", false),
            auto_fix_subnets: fields.flag("auto_fix_subnets", false),
            skip_subnet_validation: fields.flag("skip_subnet_validation", false),
            resource_filters: fields.parsed("resource_filters"),
            provider_version: provider_version(fields),
            naming_suffix: naming_suffix(fields),
            location: location(fields),
        }
    }
}

fn provider_version(fields: &mut Fields<'_>) -> Option<String> {
    let version = fields.text("provider_version")?;
    if !matches!(version, "4" | "5") {
        fields.refuse("provider_version", "must be 4 or 5");
    }
    Some(version.to_owned())
}

/// Names keep room for a suffix of this length in nearly every type.
fn naming_suffix(fields: &mut Fields<'_>) -> Option<String> {
    const MAX_BYTES: usize = 16;
    let suffix = fields.text("naming_suffix")?;
    let valid = (1..=MAX_BYTES).contains(&suffix.len())
        && suffix
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !suffix.ends_with('-');
    if !valid {
        fields.refuse(
            "naming_suffix",
            "must have 1 to 16 lower-case letters, digits and hyphens, the last no hyphen",
        );
    }
    Some(suffix.to_owned())
}

fn location(fields: &mut Fields<'_>) -> Option<String> {
    let location = fields.short_text("location", SHORT_TEXT_MAX_BYTES)?;
    if !location.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ') {
        fields.refuse("location", "must be a region such as westeurope");
    }
    Some(location.replace(' ', "").to_lowercase())
}

/// Which scan generated code rests on, with what only the job's result tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BasedOnScan {
    /// What the files tell too.
    #[serde(flatten)]
    pub based_on: BasedOn,
    /// The last scan.
    pub scan_id: Option<JobId>,
    /// When it started.
    #[serde(with = "crate::time_text::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "crate::time_text::option")]
    pub ended_at: Option<OffsetDateTime>,
}

/// What came of a generation: the `result` of its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GenerateIacResult {
    /// The language.
    pub format: IacFormat,
    /// Resources that were selected.
    pub resources_in: u64,
    /// Of these written as code.
    pub emitted: u64,
    /// Of these left out, each with a reason in `report.json`.
    pub reported: u64,
    /// How many for each reason.
    #[serde(default)]
    pub reasons: BTreeMap<String, u64>,
    /// The scan it rests on.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub based_on: BasedOnScan,
    /// What else there is to know.
    #[serde(default)]
    pub notes: Vec<String>,
}
