//! What comes out of a generation: files and a report that accounts for every resource.

use std::collections::BTreeMap;

use atg_models::graph::BasedOn;
use serde::Serialize;

/// The files, sorted by path, and the report, which is also among them.
#[derive(Debug, Clone)]
pub struct Output {
    /// The files of the folder.
    pub files: Vec<OutputFile>,
    /// What became of every resource.
    pub report: Report,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Relative to the folder, with `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// The media type.
    pub content_type: &'static str,
}

/// Why a resource is not in the code. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another resource creates and owns it: a managed cluster's node group, a default of a server.
    ManagedByOther,
    /// Nothing but a secret, which is never written.
    SecretOnly,
    /// ARM lets nobody create it.
    ReadOnly,
    /// Known in preview versions only, and none was read.
    PreviewOnly,
    /// No api-version is known for its type.
    NoApiVersion,
    /// The provider knows its type, and what it demands is not in the body.
    MissingRequired,
    /// Its id cannot be read as an ARM id.
    UnreadableId,
    /// The node has no body.
    NoBody,
    /// The target has no way to write it.
    Unsupported,
    /// In the target it would have the id of another resource.
    Conflict,
}

impl Reason {
    /// The name as it stands in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManagedByOther => "managed_by_other",
            Self::SecretOnly => "secret_only",
            Self::ReadOnly => "read_only",
            Self::PreviewOnly => "preview_only",
            Self::NoApiVersion => "no_api_version",
            Self::MissingRequired => "missing_required",
            Self::UnreadableId => "unreadable_id",
            Self::NoBody => "no_body",
            Self::Unsupported => "unsupported",
            Self::Conflict => "conflict",
        }
    }
}

/// A resource that is in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Emitted {
    /// Its id as read.
    pub id: String,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Where it is in the code: `azurerm_subnet.web`. The same for several resources when one block holds them.
    pub address: String,
    /// The file.
    pub file: String,
    /// Whether a typed resource of the provider holds it, not a generic one.
    pub typed: bool,
}

/// A resource that is not in the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reported {
    /// Its id as read.
    pub id: String,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Why.
    pub reason: Reason,
    /// More words, without any value of the resource's body.
    pub detail: String,
}

/// Something that a reader of the code should know about an emitted resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// The resource's address.
    pub address: String,
    /// The attribute, with dots.
    pub attribute: String,
    /// What was done with it, without the value.
    pub note: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The code cannot be applied as it is.
    Error,
    /// Something has to be provided or decided.
    Warning,
    /// Something to know.
    Info,
}

/// Something about the whole that a reader should know: what an option did, or could not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The option that it is about.
    pub option: &'static str,
    /// What it is about: an id as read, a principal, a region.
    pub subject: String,
    /// What was done, or is to be done.
    pub message: String,
}

/// A property that the target's type has no place for, or that the translation does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// The target's type.
    #[serde(rename = "type")]
    pub target: String,
    /// Where in the body, lower case.
    pub path: String,
    /// How many resources have a value there.
    pub resources: usize,
}

/// What became of every resource: `resources_in = emitted + reported`, always.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The snapshot.
    pub based_on: BasedOn,
    /// How many resources went in.
    pub resources_in: usize,
    /// How many of them are in the code.
    pub emitted: usize,
    /// How many of those as typed resources.
    pub typed: usize,
    /// How many are not.
    pub reported: usize,
    /// Those in the code, sorted.
    pub emitted_resources: Vec<Emitted>,
    /// Those not in the code, sorted.
    pub reported_resources: Vec<Reported>,
    /// How many by reason.
    pub reasons: BTreeMap<Reason, usize>,
    /// What the options did and could not do, errors first.
    pub findings: Vec<Finding>,
    /// What to know, sorted.
    pub notes: Vec<Note>,
    /// What the code does not hold of the bodies of emitted resources, sorted.
    pub left_out: Vec<LeftOut>,
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub enum IacError {
    /// It was cancelled.
    #[error("generation was cancelled")]
    Cancelled,
    /// An embedded table cannot be read: a defect of the build.
    #[error("the embedded table {table} cannot be read: {detail}")]
    Table {
        /// Which.
        table: &'static str,
        /// Where and why.
        detail: String,
    },
}
