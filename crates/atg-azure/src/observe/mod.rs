//! From rows that Azure served to observations: nodes with all that their bodies say.
//!
//! Pure: no I/O, no clock, no randomness. Secrets are replaced before anything else sees a body.
//! A row of another tenant, or one that names nothing, is refused with its reason.

mod arm;
mod context;
mod directory;
mod listed;
#[cfg(test)]
pub(crate) mod tests;

pub use arm::{arm_row, rederive, tenant_node};
pub use context::{Context, Owned, RowError};
pub use directory::directory_row;
pub use listed::{Listing, listed};
