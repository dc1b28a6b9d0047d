//! A real Neo4j for tests and development, started from its published jars as a process of its own.
//!
//! [`Server::start`] makes a fresh home folder, a free loopback port and a random password, and answers when
//! the server speaks Bolt. A test may pause it, kill it and start it again on the same port and data. It dies
//! with the process that started it, and its home goes when it is dropped.
//!
//! All calls block: asynchronous tests make them on a thread for blocking work. Nothing of Neo4j (GPLv3) is
//! linked or shipped: `cargo xtask test` downloads the jars, and [`Jars::from_environment`] finds them.

mod environment;
mod error;
mod home;
mod jars;
mod java;
mod limits;
mod measured;
mod options;
mod port;
mod probe;
mod process;
mod random;
mod server;
#[cfg(test)]
mod tests;

pub use environment::{Access, JARS, PASSWORD, SECOND_PASSWORD, SECOND_URI, SECOND_USER, URI, USER};
pub use error::Error;
pub use jars::{Jars, LONG_TERM, NEWEST, Release};
pub use java::Java;
pub use measured::Measured;
pub use options::{Jit, Options, Tls};
pub use server::Server;
