//! A simulated Azure tenant over HTTP, seeded, with the real quotas and faults.
//!
//! It speaks Entra's token endpoint, Azure Resource Manager, Resource Graph and Microsoft Graph
//! on one port of the loopback interface, read only. What it holds is the [`world`]'s; this crate's
//! other modules know only how it is asked for, throttled and disturbed. It must never reach out
//! to anything.

mod arg;
mod arm;
mod base64url;
mod call;
mod clock;
mod config;
mod control;
mod disguise;
mod dispatch;
mod fault;
mod graph;
mod page;
mod proxy;
mod quota;
mod seeded;
mod server;
mod sim;
mod stats;
mod tables;
mod tenants;
#[cfg(test)]
mod tests;
mod tls;
mod token;
pub mod world;

pub use call::Lane;
pub use clock::{SystemClock, TestClock};
pub use config::SimConfig;
pub use fault::{Fault, FaultError, FaultKind};
pub use server::{Simulator, StartError};
pub use stats::StatsReport;
pub use tls::TlsError;
