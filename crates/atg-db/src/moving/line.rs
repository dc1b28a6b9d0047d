//! The lines of the file that are no records: what it is, where its parts begin and end, what it holds in all.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use atg_models::job::ArtifactName;
use atg_models::{Fence, JobId, TenantId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::record::Hex;

/// The layout that this version writes and reads.
pub const FORMAT: u32 = 1;

/// A line of the file that is no record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// The first.
    AtgExport(Header),
    /// A part begins; its records follow.
    Begin(Part),
    /// It ends.
    End(PartEnd),
    /// An artifact begins; its bytes follow.
    Artifact(ArtifactHead),
    /// Some of them.
    Bytes(Hex),
    /// The last.
    Manifest(Manifest),
}

impl Mark {
    /// Whether a line is one: by its beginning, because most lines are records.
    pub(super) fn is_one(line: &[u8]) -> bool {
        const BEGINNINGS: [&str; 6] = ["atg_export", "begin", "end", "artifact", "bytes", "manifest"];
        let name = line.strip_prefix(b"{\"");
        name.is_some_and(|name| {
            BEGINNINGS.iter().any(|mark| {
                let rest = name.strip_prefix(mark.as_bytes());
                rest.is_some_and(|rest| rest.starts_with(b"\""))
            })
        })
    }
}

/// What a file says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Of the file's layout.
    pub format: u32,
    /// Of the program that wrote it.
    pub version: String,
    /// When.
    #[serde(with = "atg_models::time_text")]
    pub made_at: OffsetDateTime,
    /// From which sort of store.
    pub store: String,
}

/// A part of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Jobs with their logs.
    Jobs,
    /// Stored API keys.
    Keys,
    /// A tenant's graph and what belongs to it.
    Tenant(TenantId),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jobs => f.write_str("jobs"),
            Self::Keys => f.write_str("keys"),
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "jobs" => Ok(Self::Jobs),
            "keys" => Ok(Self::Keys),
            _ => text
                .strip_prefix("tenant ")
                .and_then(|id| id.parse().ok())
                .map(Self::Tenant)
                .ok_or_else(|| format!("unknown part {text:?}")),
        }
    }
}

impl Serialize for Part {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a part held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEnd {
    /// Which.
    pub part: Part,
    /// Its records, by sort.
    pub records: BTreeMap<String, u64>,
    /// Of its records' lines, each with its line feed; lower-case hex.
    pub sha256: String,
    /// Of a tenant: the digest of its graph, as every scan's record states it.
    pub graph_digest: Option<String>,
}

/// An artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactHead {
    /// The job that published it.
    pub job: JobId,
    /// Under the lease of which attempt.
    #[serde(default)]
    pub lease: Fence,
    /// Its size.
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

impl ArtifactHead {
    /// Under which it is kept.
    pub(super) fn name(&self) -> ArtifactName {
        let (job, lease) = (self.job, self.lease);
        ArtifactName { job, lease }
    }
}

/// What a file held in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// As at its beginning.
    pub header: Header,
    /// Its parts, in their order.
    pub parts: Vec<PartEnd>,
    /// The artifacts in it, in their order.
    pub artifacts: Vec<ArtifactHead>,
    /// Artifacts that jobs name and that are not in it.
    pub artifacts_left_out: Vec<ArtifactHead>,
}

impl Manifest {
    /// How many records of a sort there are.
    pub fn count(&self, sort: &str) -> u64 {
        self.parts.iter().filter_map(|part| part.records.get(sort)).sum()
    }
}
