//! Reads Azure: ARM, Resource Graph and Microsoft Graph clients, the quota planner, relationships.

mod error;
mod reader;

pub use error::AzureError;
pub use reader::{CallCounts, PageError, PageRead, Parents, ScanPlan, Step, TenantReader};
