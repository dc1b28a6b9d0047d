//! What a template may hold. Source: Azure Resource Manager, "Template limits".

/// Resources of one template.
pub(crate) const RESOURCES_MAX: usize = 800;
/// Parameters of one template.
pub(crate) const PARAMETERS_MAX: usize = 256;
/// Bytes of one template: 4 MB, with room for what is counted differently.
pub(crate) const TEMPLATE_MAX_BYTES: usize = 3_900_000;
/// Bytes of one resource, and so of a template that is deployed inside another: 1 MB, with the same room.
pub(crate) const RESOURCE_MAX_BYTES: usize = 950_000;
/// Characters of an expression: 24,576, with room for how a printer writes them.
pub(crate) const EXPRESSION_MAX_CHARS: usize = 24_000;
/// Characters of a parameter within an expression, at most.
pub(crate) const EXPRESSION_PARAMETER_CHARS: usize = 300;
/// Characters of a deployment's name.
pub(crate) const DEPLOYMENT_NAME_MAX_CHARS: usize = 64;
/// Bytes of a template without resources and parameters, at most.
pub(crate) const FRAME_BYTES: usize = 2_000;
/// Bytes of a parameter's declaration and passing on, at most, without its own texts.
pub(crate) const PARAMETER_BYTES: usize = 400;
