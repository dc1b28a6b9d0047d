//! Where a server runs: part of a key's name and of the rules that hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a server runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// On a developer's machine.
    #[default]
    Dev,
    /// Where versions are tried.
    Integration,
    /// Where it counts.
    Production,
}

/// Not the name of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be dev, integration or production")]
pub struct UnknownEnvironment;

impl Environment {
    /// All environments.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Integration, Self::Production];

    /// The name, as it stands in keys and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Integration => "integration",
            Self::Production => "production",
        }
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or(UnknownEnvironment)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
