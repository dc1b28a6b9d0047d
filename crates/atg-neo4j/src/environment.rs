//! The variables by which `cargo xtask test` tells the tests where Neo4j is.

use crate::Server;

/// The address of the server that all tests share: `bolt://127.0.0.1:PORT`.
pub const URI: &str = "NEO4J_TEST_URI";
/// Its user; `neo4j` when it is not set.
pub const USER: &str = "NEO4J_TEST_USER";
/// Its password.
pub const PASSWORD: &str = "NEO4J_TEST_PASSWORD";
/// The address of a second server, for a suite that takes two databases at a time.
pub const SECOND_URI: &str = "NEO4J_TEST_SECOND_URI";
/// Its user; `neo4j` when it is not set.
pub const SECOND_USER: &str = "NEO4J_TEST_SECOND_USER";
/// Its password.
pub const SECOND_PASSWORD: &str = "NEO4J_TEST_SECOND_PASSWORD";
/// The folder of the jars, for tests that start a server of their own.
pub const JARS: &str = "NEO4J_TEST_JARS";

/// The only user of a fresh server.
pub(crate) const FIRST_USER: &str = "neo4j";

/// How to reach a server.
#[derive(Clone)]
pub struct Access {
    /// `bolt://127.0.0.1:PORT`.
    pub uri: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Access {
    /// The server that the environment names, if it names one.
    pub fn from_environment() -> Option<Self> {
        Self::named(URI, USER, PASSWORD)
    }

    /// The second server, if the environment names one.
    pub fn second_from_environment() -> Option<Self> {
        Self::named(SECOND_URI, SECOND_USER, SECOND_PASSWORD)
    }

    fn named(uri: &str, user: &str, password: &str) -> Option<Self> {
        Some(Self {
            uri: variable(uri)?,
            user: variable(user).unwrap_or_else(|| FIRST_USER.to_owned()),
            password: variable(password).unwrap_or_default(),
        })
    }

    /// The variables that [`Access::from_environment`] reads.
    pub fn environment(&self) -> [(&'static str, &str); 3] {
        [(URI, &self.uri), (USER, &self.user), (PASSWORD, &self.password)]
    }

    /// The variables that [`Access::second_from_environment`] reads.
    pub fn second_environment(&self) -> [(&'static str, &str); 3] {
        [
            (SECOND_URI, &self.uri),
            (SECOND_USER, &self.user),
            (SECOND_PASSWORD, &self.password),
        ]
    }
}

impl From<&Server> for Access {
    fn from(server: &Server) -> Self {
        server.access()
    }
}

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate reads its environment here and nowhere else"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
