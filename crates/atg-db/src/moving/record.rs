//! What is moved: one record a line, the same from every backend.
//!
//! A record holds what its backend would miss, in the words of no backend: ids instead of keys of rows, texts as they
//! are stored, times in nanoseconds since 1970, bytes in hexadecimal. Records of one part come in a fixed order, so that
//! equal stores give equal lines. Never change a field without a new [`super::FORMAT`].

use serde::{Deserialize, Serialize};

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A job; its events follow.
    Job(Box<MovedJob>),
    /// A row of the last job's log.
    Event(MovedEvent),
    /// What an idempotency key made.
    Idempotency(MovedIdempotency),
    /// A stored API key.
    Key(Box<MovedKey>),
    /// A tenant; its graph follows.
    Tenant(MovedTenant),
    /// A node: the live ones by id, then the tombstones by id.
    Node(Box<MovedNode>),
    /// An edge with all that holds it up, by key.
    Edge(Box<MovedEdge>),
    /// What a node is known by, and what it looks for; by node.
    Names(MovedNames),
    /// A scan; its ledger follows.
    Scan(Box<MovedScan>),
    /// A collection of the last scan; its partitions follow.
    Ledger(MovedLedger),
    /// A partition of the last collection.
    Partition(MovedPartition),
    /// How a scan changed a node, by generation and node.
    Change(MovedChange),
    /// A value kept for the tenant's reader.
    Cache(MovedCache),
}

impl Record {
    /// What it is counted under.
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Job(_) => "jobs",
            Self::Event(_) => "events",
            Self::Idempotency(_) => "idempotency",
            Self::Key(_) => "keys",
            Self::Tenant(_) => "tenants",
            Self::Node(_) => "nodes",
            Self::Edge(_) => "edges",
            Self::Names(_) => "names",
            Self::Scan(_) => "scans",
            Self::Ledger(_) => "ledger",
            Self::Partition(_) => "partitions",
            Self::Change(_) => "changes",
            Self::Cache(_) => "caches",
        }
    }
}

/// See [`atg_models::job::JobRecord`]; what is JSON there is its stored text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the job's record")]
pub struct MovedJob {
    pub id: String,
    pub tenant: String,
    pub tenant_use: String,
    pub on_crash: String,
    pub key_prefix: String,
    pub params: String,
    pub state: String,
    pub attempt: u32,
    pub fence: i64,
    pub owner: Option<String>,
    pub lease_until: Option<i64>,
    pub due: i64,
    pub error: Option<String>,
    pub progress: Option<String>,
    pub result: Option<String>,
    pub artifact: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub updated_at: i64,
    pub completed_at: Option<i64>,
    /// For which job it was last said to wait.
    pub waits_for: Option<String>,
    /// Of its log, whose oldest events may be gone.
    pub last_seq: i64,
    pub checkpoint: Option<Hex>,
}

/// See [`atg_models::job::JobEvent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the job's event")]
pub struct MovedEvent {
    pub job: String,
    pub seq: i64,
    pub at: i64,
    pub body: String,
}

/// A client's own name for a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedIdempotency {
    /// Of the key that submitted.
    pub key_prefix: String,
    /// The name.
    pub key: String,
    /// Of the body.
    pub digest: Hex,
    /// What it made.
    pub job: String,
    /// When.
    pub made_at: i64,
}

/// See [`atg_auth::StoredKey`]: its digest, never the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the stored key")]
pub struct MovedKey {
    pub name: String,
    pub prefix: String,
    pub digest: Hex,
    pub environment: String,
    pub scope: String,
    pub tenants: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub rotated_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedTenant {
    /// Which.
    pub id: String,
    /// Of its last scan.
    pub generation: i64,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovedState {
    /// It is only referred to.
    Stub,
    /// It was read.
    Observed,
    /// It is gone, and nothing refers to it.
    Gone,
}

/// A node. What was never observed has nothing but its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the graph's node")]
pub struct MovedNode {
    pub id: String,
    pub state: MovedState,
    pub kind: String,
    #[serde(rename = "type")]
    pub type_: Option<String>,
    pub subscription_id: Option<String>,
    pub resource_group: Option<String>,
    pub generation: i64,
    pub observed_at: i64,
    /// When it was swept, of what is no longer observed.
    pub gone_at: Option<i64>,
    /// Once it was observed, even if it is not any more.
    pub seen: Option<MovedContent>,
}

/// What was observed of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the graph's node")]
pub struct MovedContent {
    pub first_generation: i64,
    pub first_seen: Option<i64>,
    /// Where it is not the id.
    pub display_id: Option<String>,
    pub name: String,
    pub api_version: Option<String>,
    pub location: Option<String>,
    /// The collection that sweeps it.
    pub owner: Option<String>,
    /// The stored number.
    pub source: i64,
    pub hash: Option<Hex>,
    pub said: Option<Hex>,
    pub tags: Option<String>,
    pub body: Option<String>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the graph's edge")]
pub struct MovedEdge {
    pub source: String,
    pub relation: String,
    pub target: String,
    pub qualifier: String,
    /// In order.
    pub asserted: Vec<MovedAssertion>,
}

/// On whose word an assertion stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovedMark {
    /// The body's own.
    Body,
    /// An answered look-up of the body.
    Lookup,
    /// A listing.
    Listing {
        /// The collection that renews it.
        collection: String,
        /// That saw it last.
        generation: i64,
    },
}

/// Who says that there is an edge. In the order of its fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MovedAssertion {
    /// The node whose body says so.
    pub by: String,
    /// Where in it.
    pub path: String,
    /// On whose word.
    pub mark: MovedMark,
    /// Canonical JSON.
    pub properties: Option<String>,
    /// The kind of the source, where the id does not prove it.
    pub source_kind: Option<String>,
    /// The kind of the target, likewise.
    pub target_kind: Option<String>,
}

/// The names of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedNames {
    /// Whose.
    pub of: String,
    /// What it is known by: kind and value, in order.
    pub aliases: Vec<(String, String)>,
    /// What its body looks for, in the order of the body.
    pub lookups: Vec<MovedLookup>,
}

/// A look-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the graph's look-up")]
pub struct MovedLookup {
    pub kind: String,
    pub value: String,
    pub relation: String,
    pub to_found: bool,
    pub qualifier: String,
    pub path: String,
    pub properties: Option<String>,
    /// The known end, where it is not the body itself.
    pub anchor: Option<String>,
    /// The node that answers.
    pub found: Option<String>,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the scan's record")]
pub struct MovedScan {
    pub id: String,
    pub generation: i64,
    pub fence: i64,
    pub principal: String,
    pub filters: String,
    pub started_at: i64,
    pub version: String,
    pub ended: Option<String>,
    pub digest: Option<String>,
    pub written: i64,
    pub unchanged: i64,
    pub removed: i64,
}

/// A collection of a scan's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the ledger's entry")]
pub struct MovedLedger {
    pub scan: String,
    pub collection: String,
    pub sweepable: bool,
    pub expected: Option<i64>,
    pub state: String,
    pub swept: bool,
}

/// A partition of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in the ledger's partition")]
pub struct MovedPartition {
    pub scan: String,
    pub collection: String,
    pub partition: String,
    /// Its place among those of the collection.
    pub at: i64,
    pub cursor: Option<String>,
    pub pages: i64,
    pub rows: i64,
    pub done: bool,
    /// The pages that were applied, in order; none once the scan has ended.
    pub applied: Vec<i64>,
}

/// How a scan changed a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedChange {
    /// Of the scan.
    pub generation: i64,
    /// The node.
    pub id: String,
    /// The hash of its content before.
    pub before: Option<Hex>,
    /// The hash of its content after.
    pub after: Option<Hex>,
}

/// A value of the reader's cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedCache {
    /// Its name within the tenant.
    pub key: String,
    /// What it is.
    pub value: Hex,
}

/// Bytes; hexadecimal in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex(pub Vec<u8>);

impl From<Hex> for String {
    fn from(bytes: Hex) -> Self {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
        bytes
            .0
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect()
    }
}

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| "must be hexadecimal".to_owned())
    }
}

impl Hex {
    /// `None` when it is not hexadecimal.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digit = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let pairs = text.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        });
        bytes.collect::<Option<Vec<u8>>>().map(Self)
    }
}

/// For a job's texts: what is `null` there is nothing.
pub(crate) fn not_null(text: Option<String>) -> Option<String> {
    text.filter(|text| text != "null")
}
