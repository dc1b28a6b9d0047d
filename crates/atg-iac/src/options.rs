//! What goes into a generation: the snapshot, and what is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use atg_models::api::ResourceFilter;
use atg_models::graph::{BasedOn, Node};

/// A consistent snapshot of one tenant.
#[derive(Debug, Clone)]
pub struct Input {
    /// All nodes that may be needed, in any order: the resources, and the directory objects, definitions
    /// and containers that they name. Bodies as they were read.
    pub nodes: Vec<Node>,
    /// What the snapshot rests on; goes into the report.
    pub based_on: BasedOn,
}

/// The language that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Terraform.
    #[default]
    Terraform,
    /// ARM templates.
    Arm,
    /// Bicep.
    Bicep,
}

/// The major version of the azurerm provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProviderVersion {
    /// 5.x.
    #[default]
    V5,
    /// 4.x.
    V4,
}

/// For which resources `import` blocks are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImportBlocks {
    /// None: the code creates everything anew.
    #[default]
    None,
    /// The resource groups only.
    ResourceGroups,
    /// Everything that is emitted.
    AllResources,
    /// What the place that the code is for is known to hold: everything when that is where it was read, else
    /// what the graph has there.
    Selective,
}

/// What is asked for. The default is Terraform for azurerm 5, everything, no import blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The language.
    pub format: Format,
    /// The provider's major version.
    pub provider_version: ProviderVersion,
    /// Import blocks.
    pub import_blocks: ImportBlocks,
    /// Whether the provider registers resource providers by itself.
    pub register_providers: bool,
    /// Whether invalid subnets are mended, each with a note.
    pub fix_subnets: bool,
    /// Whether subnets are taken as they are.
    pub skip_subnet_validation: bool,
    /// The resources to write; without a filter all. What they need from outside becomes a variable.
    pub filters: Option<ResourceFilter>,
    /// The tenant that the code is for, when it is not the one that was read.
    pub target_tenant_id: Option<String>,
    /// The subscription that the code is for, when it is not the one that was read.
    pub target_subscription: Option<String>,
    /// Canonical ids of what the target tenant is known to hold, when it is another one and has been read.
    pub existing: Option<Arc<BTreeSet<String>>>,
    /// Appended to names.
    pub naming_suffix: Option<String>,
    /// The region of everything, when it is not the one that was read.
    pub location: Option<String>,
}

impl Options {
    /// Whether the code is for another place, or for other names, than what was read.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.target_tenant_id.is_some() || self.target_subscription.is_some() || self.naming_suffix.is_some()
    }
}
