//! What can go wrong with a server.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why there is no server, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder does not hold the jars of Neo4j.
    #[error("{} holds no neo4j-VERSION.jar: `cargo xtask test` and `cargo xtask neo4j` fetch the jars", .0.display())]
    NoJars(PathBuf),
    /// A release of which this crate does not know how it is started.
    #[error("how Neo4j {0} is started is not known: add its line to the table in atg-neo4j")]
    UnknownRelease(String),
    /// No Java that is new enough.
    #[error("Neo4j {version} needs Java {java} or newer: install it, or name it by JAVA_HOME")]
    NoJava {
        /// The release.
        version: String,
        /// The oldest Java that runs it.
        java: u32,
    },
    /// The system refused something.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it was refused.
        source: io::Error,
    },
    /// The process ended before it spoke Bolt.
    #[error("Neo4j ended before it was ready ({status}); the end of its log:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed and logged.
        log: String,
    },
    /// The process did not speak Bolt in time.
    #[error("Neo4j was not ready within {} s; the end of its log:\n{log}", .within.as_secs())]
    NotReady {
        /// How long it had.
        within: Duration,
        /// The end of what it printed and logged.
        log: String,
    },
    /// The process did not stop in time, and was killed.
    #[error("Neo4j did not stop within {} s and was killed; the end of its log:\n{log}", .within.as_secs())]
    NotStopped {
        /// How long it had.
        within: Duration,
        /// The end of what it printed and logged.
        log: String,
    },
    /// There is no process.
    #[error("Neo4j is not running")]
    NotRunning,
    /// No free port was found.
    #[error("no free loopback port for Neo4j")]
    NoPort,
}

/// Says what was tried when the system refuses it.
pub(crate) fn tried<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    let what = what.into();
    |source| Error::Io {
        what,
        source: source.into(),
    }
}
