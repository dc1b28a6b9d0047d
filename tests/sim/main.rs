//! Scans of simulated tenants: determinism, faults, rescans, real bodies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is test code: it fails by panicking, and has no clock but the system's"
)]

mod determinism;
mod fault_points;
mod faults;
mod rescan;
mod sharing;
mod snapshot;
mod specification;
mod tenants;
mod tracks;
mod worlds;
