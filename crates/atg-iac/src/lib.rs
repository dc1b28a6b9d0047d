//! Infrastructure code from a graph snapshot: pure and deterministic.
//!
//! [`generate`] takes the nodes of one tenant and gives a sorted list of files and a report.
//! The pipeline is one module a step: `select`, `adapt`, `translate`, `reference`, `order`, `emit`, `report`. For ARM
//! templates and Bicep the steps between `adapt` and `report` are in `template`, the printers in `arm` and `bicep`.
//! What an ARM type becomes is data, in the folder `data` of this crate (its README describes the rows).
//!
//! Reads no clock, does no I/O, uses no hash-ordered collection: the same snapshot and options
//! give the same bytes. Every resource that goes in is either in a file or in the report with a
//! [`Reason`], and no secret is in any byte of any file.

mod adapt;
mod arm;
mod bicep;
mod emit;
mod imports;
mod names;
mod options;
mod order;
mod output;
mod pipeline;
mod program;
mod reference;
mod report;
mod rows;
mod select;
mod subnets;
pub mod tables;
mod template;
#[cfg(test)]
mod tests;
mod translate;
mod value;

use atg_models::graph::NodeKind;

pub use options::{Format, ImportBlocks, Input, Options, ProviderVersion};
pub use output::{Emitted, Finding, IacError, LeftOut, Note, Output, OutputFile, Reason, Report, Reported, Severity};

/// Whether anything of the bodies of nodes of this kind is read. Of all others they need not be given.
pub fn reads_body_of(kind: NodeKind) -> bool {
    select::reads_body_of(kind)
}

/// Generates the code of one tenant.
///
/// What counts as a resource (`resources_in`): every observed node that the selection holds of the
/// kinds `ResourceGroup`, `Resource`, `RoleAssignment`, `DenyAssignment`, `PolicyAssignment`, `Lock`, and
/// every `RoleDefinition` and `PolicyDefinition` that the tenant made itself. All other nodes (containers
/// above the group, directory objects, derived nodes, stubs, built-in definitions) are context: they name
/// things and are never created.
///
/// `cancelled` is asked at least every few hundred resources.
///
/// # Errors
/// [`IacError::Cancelled`] when `cancelled` said so, [`IacError::Table`] when an embedded table cannot be read.
pub fn generate(input: Input, options: &Options, cancelled: &dyn Fn() -> bool) -> Result<Output, IacError> {
    pipeline::run(input, options, cancelled)
}
