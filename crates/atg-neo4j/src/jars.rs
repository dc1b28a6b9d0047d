//! The jars of a release, and what is to be known of a release to start it.

use std::path::{Path, PathBuf};

use crate::environment::{JARS, variable};
use crate::error::{Error, tried};

/// A release that the tests are run against.
#[derive(Debug)]
pub struct Release {
    /// The version of `org.neo4j:neo4j` on Maven Central.
    pub version: &'static str,
    /// The oldest Java that runs it.
    pub java: u32,
}

/// The release with long-term support, against which everything is tested.
pub const LONG_TERM: Release = Release {
    version: "5.26.30",
    java: 17,
};
/// The newest release, tested where there is a Java for it.
pub const NEWEST: Release = Release {
    version: "2026.08.1",
    java: 21,
};

/// How the versions with a prefix are started.
#[derive(Debug)]
struct Line {
    prefix: &'static str,
    main_class: &'static str,
    java: u32,
}

const LINES: &[Line] = &[
    Line {
        prefix: "5.26.",
        main_class: "org.neo4j.server.CommunityEntryPoint",
        java: LONG_TERM.java,
    },
    Line {
        prefix: "2026.",
        main_class: "org.neo4j.server.Neo4jCommunity",
        java: NEWEST.java,
    },
];

/// A folder that holds the jars of one release and of all that it needs.
#[derive(Clone, Debug)]
pub struct Jars {
    folder: PathBuf,
    version: String,
    line: &'static Line,
}

impl Jars {
    /// The jars in this folder.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let listing = format!("listing the jars in {}", folder.display());
        let entries = std::fs::read_dir(folder).map_err(tried(&*listing))?;
        for entry in entries {
            let entry = entry.map_err(tried(&*listing))?;
            let Some(version) = version(&entry.file_name().to_string_lossy()) else {
                continue;
            };
            let Some(line) = LINES.iter().find(|line| version.starts_with(line.prefix)) else {
                return Err(Error::UnknownRelease(version));
            };
            return Ok(Self {
                folder: folder.to_owned(),
                version,
                line,
            });
        }
        Err(Error::NoJars(folder.to_owned()))
    }

    /// The jars that the environment names. When it names none, a test that needs them says so and is left out.
    pub fn from_environment() -> Result<Option<Self>, Error> {
        variable(JARS).map(|folder| Self::open(Path::new(&folder))).transpose()
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The release.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The oldest Java that runs it.
    pub(crate) fn java(&self) -> u32 {
        self.line.java
    }

    pub(crate) fn main_class(&self) -> &'static str {
        self.line.main_class
    }
}

/// The version in the name of the jar that has no other part: `neo4j-5.26.30.jar`, and not `neo4j-io-5.26.30.jar`.
pub(crate) fn version(file: &str) -> Option<String> {
    let version = file.strip_prefix("neo4j-")?.strip_suffix(".jar")?;
    let numbers = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    numbers.then(|| version.to_owned())
}
