//! Reads Azure: ARM, Resource Graph and Microsoft Graph clients, the quota planner, relationships.

mod answer;
mod arg;
mod arm;
mod claims;
mod client;
mod cloud;
mod config;
mod credential;
mod error;
mod http;
mod limits;
mod msgraph;
pub mod observe;
mod plan;
mod quota;
mod reader;
pub mod relations;
mod scan_reader;

pub use cloud::{Cloud, ConfigError, Endpoints};
pub use config::{AzureConfig, CredentialChoice, CredentialSettings, StaticToken};
pub use error::AzureError;
pub use reader::{CallCounts, PageError, PageRead, Parents, ScanPlan, Step, TenantReader, Track};
pub use scan_reader::{Azure, AzureReader, AzureReaders, ReaderOptions};
