//! The atg server: HTTP, WebSocket, OpenAPI, configuration, lifecycle.
//!
//! Relies on every other product crate; the only one that knows actix. Handlers do no work: they
//! authorise, parse, register a job or read a view.

mod auth;
mod body;
mod config;
mod cors;
mod edges;
mod error;
mod event_stream;
mod files;
mod idempotency;
mod keys;
mod lifecycle;
mod links;
mod metrics;
mod openapi;
mod prefer;
mod proxies;
mod ranged;
mod rates;
mod request_id;
mod routes;
mod server;
mod shared_clock;
mod socket;
mod state;
mod stores;
mod streams;
mod system;
mod tickets;

pub use config::{Config, ConfigError, Loaded, StoreChoice, load as load_config};
pub use keys::{check_key, generated_key};
pub use lifecycle::{Held, RunningServer, StopReport};
pub use stores::open_keys;
pub use system::{SystemClock, SystemIds};

/// The `OpenAPI` document, as it is checked in.
///
/// # Errors
/// When it cannot be written as JSON, which would be a defect.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    routes::document().to_pretty_json()
}

/// The reference page of all settings.
pub fn configuration_reference() -> String {
    config::reference()
}

/// The reference page of all metrics.
pub fn metrics_reference() -> String {
    metrics::reference()
}
