//! The wire contract of version 1: requests, responses and frames, one idea a file.
//!
//! Relies on ids, limits and error codes. Only these types derive the OpenAPI schema; nothing here
//! is stored but validated requests, as a job's parameters. Must never: decide who may do what.

mod agent_mode;
mod create_tenant;
mod error;
mod fields;
mod filter;
mod frames;
mod generate_iac;
mod generate_spec;
mod health;
mod job;
mod operations;
mod resource_filter;
mod scan;
mod tenants;
#[cfg(test)]
mod tests;
mod threat_model;
mod ticket;
mod visualize;

pub use agent_mode::AgentModeRequest;
pub use create_tenant::CreateTenantRequest;
pub use error::{ErrorBody, ErrorResponse};
pub use fields::{ApiRequest, FieldError, Fields, RequestError};
pub use filter::{CommaList, CommaListError, FilterRule, ResourceGroupName, TagFilter, TypeFilter};
pub use frames::{
    CompletionFrame, CompletionStatus, ErrorFrame, EventFrame, EventGap, EventsResponse, Frame, FrameOptions, GapFrame,
    LogFrame, ProgressDetail, ProgressFrame,
};
pub use generate_iac::{BasedOnScan, GenerateIacRequest, GenerateIacResult, IacFormat, ImportStrategy};
pub use generate_spec::{GenerateSpecRequest, GenerateSpecResult};
pub use health::{GraphStoreKind, HealthResponse, StoreStatus};
pub use job::{
    CancelResponse, GeneratedFile, JobProgress, JobResponse, JobResultResponse, JobStatus, JobStatusResponse,
    OperationType,
};
pub use operations::{EventsQuery, OperationsQuery};
pub use resource_filter::{ResourceFacts, ResourceFilter, ResourceFilterError};
pub use scan::{ScanMode, ScanRequest, ScanResult};
pub use tenants::{RemoveTenantRequest, RemoveTenantResult, TenantResponse};
pub use threat_model::ThreatModelRequest;
pub use ticket::{TicketRequest, TicketResponse};
pub use visualize::VisualizeRequest;
