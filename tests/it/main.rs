//! The HTTP and WebSocket contract, through a real socket, laid out like the URLs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is test code: it fails by panicking, and has no clock but the system's"
)]

mod azurite;
mod client;
mod compatibility;
mod config;
mod cors;
mod deploy;
mod docs;
mod document;
mod error_codes;
mod errors;
mod generate_iac;
mod generate_spec;
mod health;
mod idempotency;
mod keys;
mod methods;
mod metrics;
mod operations;
mod prefer;
mod probes;
mod proxies;
mod rate_limits;
mod reader_cuts;
mod replicas;
mod retention;
mod scan;
mod store_down;
mod tenants;
mod witness;
mod ws_progress;
mod ws_tickets;
