//! The real programs as processes: killed, stopped, driven from the command line, looked at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is test code: it fails by panicking, and has no clock but the system's"
)]

mod backup;
mod bench;
mod browser;
mod cli;
mod disk;
mod folder;
mod keys;
mod kills;
mod login;
mod moving;
mod neo4j;
mod replicas;
mod secrecy;
