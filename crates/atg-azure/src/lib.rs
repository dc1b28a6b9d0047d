//! Reads Azure: ARM, Resource Graph and Microsoft Graph clients, the quota planner, relationships.

mod error;
pub mod observe;
mod reader;
pub mod relations;

pub use error::AzureError;
pub use reader::{CallCounts, PageError, PageRead, Parents, ScanPlan, Step, TenantReader};
