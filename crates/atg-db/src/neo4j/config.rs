//! How to reach a Neo4j.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where the server is, and who we are to it.
#[derive(Debug, Clone)]
pub struct Neo4jConfig {
    /// `bolt://host:port`, `bolt+s://…` (TLS, certificate checked), `neo4j://…` and `neo4j+s://…` for a cluster.
    pub uri: String,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// The database; `None` is the user's own.
    pub database: Option<String>,
    /// A PEM file of the authorities that may sign the server's certificate, in place of the system's own.
    pub ca_file: Option<PathBuf>,
    /// Connections at most.
    pub pool_size: u32,
    /// A name for this process that no other one has, now or later: it marks the locks that it takes.
    pub instance: String,
}
