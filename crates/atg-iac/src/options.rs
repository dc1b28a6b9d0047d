//! What goes into a generation: the snapshot, and what is asked for.

use atg_models::graph::{BasedOn, Node, ScanFilters};

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
    /// Resource groups, and everything whose id the target fixes: role assignments are left out,
    /// because their names are made by the target.
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
    /// The resources to write; an empty filter means all. What they need from outside becomes a variable.
    pub filters: ScanFilters,
    /// The tenant that the code is for, when it is not the one that was read.
    pub target_tenant_id: Option<String>,
    /// The subscription that the code is for, when it is not the one that was read.
    pub target_subscription: Option<String>,
    /// Appended to names.
    pub naming_suffix: Option<String>,
    /// The region of everything, when it is not the one that was read.
    pub location: Option<String>,
}
