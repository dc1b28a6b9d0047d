//! The ledger: what a scan planned to read, and what it did read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::Seq;

/// A collection's key: its source and its scope, `arg.resources/{subscription}`; never its partition.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CollectionKey(String);

impl CollectionKey {
    /// Joins a source (`arg.resources`) and a scope (a subscription, or the tenant), both lower case.
    pub fn new(source: &str, scope: &str) -> Self {
        Self(format!("{source}/{}", scope.to_lowercase()))
    }

    /// Takes a key as it was printed.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first slash.
    pub fn source(&self) -> &str {
        self.0.split_once('/').map_or(self.as_str(), |(source, _)| source)
    }

    /// What stands behind it.
    pub fn scope(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, scope)| scope)
    }
}

impl fmt::Display for CollectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CollectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a collection that is paged on its own. Its text belongs to the reader that planned it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionKey(pub String);

/// How far one partition was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Which part.
    pub key: PartitionKey,
    /// Where to go on; `None` before the first page and after the last.
    pub cursor: Option<String>,
    /// Pages read.
    pub pages: u64,
    /// Rows read.
    pub rows: u64,
    /// Whether the last page was read.
    pub done: bool,
}

impl Partition {
    /// A partition of which nothing was read.
    pub fn unread(key: PartitionKey) -> Self {
        Self {
            key,
            cursor: None,
            pages: 0,
            rows: 0,
            done: false,
        }
    }
}

/// Where a collection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum CollectionState {
    /// Nothing was read yet.
    Planned,
    /// Some pages were read.
    Reading,
    /// Every partition was read to its end, and the counts agree.
    Complete,
    /// It could not be read.
    Failed {
        /// Why, in a sentence without secrets.
        reason: String,
    },
    /// The principal may not read it. Not the same as empty.
    Forbidden {
        /// The permission that is missing (`Directory.Read.All`, `Reader on /subscriptions/…`).
        permission: String,
    },
    /// It was left out or cut off.
    Skipped {
        /// Why (`limit`).
        why: String,
    },
}

impl CollectionState {
    /// The word of the ledger.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Reading => "reading",
            Self::Complete => "complete",
            Self::Failed { .. } => "failed",
            Self::Forbidden { .. } => "forbidden",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// Whether nothing more will be read in this scan.
    pub const fn is_settled(&self) -> bool {
        match self {
            Self::Planned | Self::Reading => false,
            Self::Complete | Self::Failed { .. } | Self::Forbidden { .. } | Self::Skipped { .. } => true,
        }
    }
}

/// A collection as the plan names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCollection {
    /// Its key.
    pub collection: CollectionKey,
    /// Whether a complete read proves that what was not seen is gone: no filter narrower than the scope.
    pub sweepable: bool,
    /// Rows that a second source counted, where one exists.
    pub expected: Option<u64>,
    /// Its parts; at least one.
    pub partitions: Vec<PartitionKey>,
}

/// A collection's row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its key.
    pub collection: CollectionKey,
    /// As planned.
    pub sweepable: bool,
    /// As planned.
    pub expected: Option<u64>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: CollectionState,
    /// Its parts.
    pub partitions: Vec<Partition>,
    /// Whether its sweep was done.
    pub swept: bool,
}

impl LedgerEntry {
    /// Rows read in all partitions.
    pub fn rows(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.rows).sum()
    }
}

/// The ledger's part of one applied page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerProgress {
    /// The collection that was read.
    pub collection: CollectionKey,
    /// The partition as it stands after this page.
    pub partition: Partition,
    /// The page's number, from 1: a page that arrives a second time is refused by it.
    pub page: Seq,
}
