//! Every id is a type of its own: parsed at the edge, inside it cannot be wrong.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that could not be parsed; the text says what a right one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a UUID.
    #[error("must be a valid UUID")]
    NotAUuid,
    /// Not a job id.
    #[error("must be a job id such as scan-01890a5d-ac96-774b-bcce-b302099a8057")]
    NotAJobId,
    /// An empty or over-long node id.
    #[error("must be a node id of 1 to {max} bytes", max = NodeId::MAX_BYTES)]
    NotANodeId,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Accepts the hyphenated form only, in any case, as Azure writes it.
            fn from_str(text: &str) -> Result<Self, IdError> {
                const HYPHENATED_LEN_BYTES: usize = 36;
                if text.len() != HYPHENATED_LEN_BYTES {
                    return Err(IdError::NotAUuid);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotAUuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

uuid_id! {
    /// A Microsoft Entra tenant. Every read and write of the graph takes one.
    TenantId
}

uuid_id! {
    /// An Azure subscription.
    SubscriptionId
}

/// The key of a node within its tenant: the lower-cased ARM id, the object id of a
/// directory object, or a readable key of a derived node (`region:westeurope`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    /// ARM ids are documented up to about 2 KiB; twice that leaves room for extensions of extensions.
    pub const MAX_BYTES: usize = 4096;

    /// A directory object's id.
    pub fn object(id: Uuid) -> Self {
        Self(id.as_hyphenated().to_string())
    }

    /// The tenant's own node.
    pub fn tenant(tenant: TenantId) -> Self {
        Self(format!("tenant:{tenant}"))
    }

    /// A derived node's readable key, such as `tag:env=prod`. The kind is lower case by
    /// construction; the value keeps its case, because tag values differ by it.
    pub fn derived(kind: &'static str, value: &str) -> Self {
        Self(format!("{kind}:{value}"))
    }

    pub(crate) fn from_canonical(text: String) -> Self {
        Self(text)
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    /// Takes an id as it was printed by this type; it does not canonicalise. See [`crate::ArmId`].
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(IdError::NotANodeId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a job does. The wire name and the prefix of its job ids stand in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Reads a tenant into the graph.
    Scan,
    /// Turns a tenant's graph into infrastructure code.
    GenerateIac,
    /// Writes a tenant's specification.
    GenerateSpec,
    /// Makes a tenant from a specification.
    CreateTenant,
    /// Draws a tenant's graph.
    Visualize,
    /// Writes a threat model of a tenant.
    ThreatModel,
    /// Answers a question about a tenant.
    AgentMode,
    /// Removes all that is stored of a tenant.
    RemoveTenant,
}

impl JobKind {
    /// All kinds, in the order of the API's documentation.
    pub const ALL: [Self; 8] = [
        Self::Scan,
        Self::GenerateIac,
        Self::GenerateSpec,
        Self::CreateTenant,
        Self::Visualize,
        Self::ThreatModel,
        Self::AgentMode,
        Self::RemoveTenant,
    ];

    /// The wire name (`operation_type`).
    pub const fn as_str(self) -> &'static str {
        self.names().0
    }

    /// The prefix of this kind's job ids, without the hyphen.
    pub const fn prefix(self) -> &'static str {
        self.names().1
    }

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Scan => ("scan", "scan"),
            Self::GenerateIac => ("generate-iac", "iac"),
            Self::GenerateSpec => ("generate-spec", "spec"),
            Self::CreateTenant => ("create-tenant", "tenant"),
            Self::Visualize => ("visualize", "viz"),
            Self::ThreatModel => ("threat-model", "threat"),
            Self::AgentMode => ("agent-mode", "agent"),
            Self::RemoveTenant => ("remove-tenant", "remove"),
        }
    }

    /// The kind with this wire name.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A job's id: the prefix of its kind and a UUID v7, so that ids sort by time within a kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    kind: JobKind,
    uuid: Uuid,
}

impl JobId {
    /// Joins a kind and a UUID; [`crate::IdGen`] makes new ones.
    pub const fn new(kind: JobKind, uuid: Uuid) -> Self {
        Self { kind, uuid }
    }

    /// What the job does.
    pub const fn kind(self) -> JobKind {
        self.kind
    }

    /// The id without its prefix.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl FromStr for JobId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (prefix, rest) = text.split_once('-').ok_or(IdError::NotAJobId)?;
        let kind = JobKind::ALL
            .into_iter()
            .find(|kind| kind.prefix() == prefix)
            .ok_or(IdError::NotAJobId)?;
        let uuid = TenantId::from_str(rest).map_err(|_| IdError::NotAJobId)?.uuid();
        // One spelling only: ids are compared as text by clients.
        if rest.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(IdError::NotAJobId);
        }
        Ok(Self { kind, uuid })
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.prefix(), self.uuid.as_hyphenated())
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// Wraps a number.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

counter! {
    /// The position of an event in its job's log. The first event has 1.
    Seq
}

counter! {
    /// Grows with each claim of a job: a worker that was overtaken carries an old one and is refused.
    Fence
}

counter! {
    /// Grows with each scan of a tenant. A node carries the one that last saw it.
    Generation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_reads_back_as_printed() {
        for kind in JobKind::ALL {
            let id = JobId::new(kind, Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057));
            assert_eq!(id.to_string().parse::<JobId>(), Ok(id));
        }
    }

    #[test]
    fn job_ids_have_one_spelling() {
        for text in [
            "",
            "scan",
            "scan-",
            "scan-x",
            "scan-01890A5D-AC96-774B-BCCE-B302099A8057",
            "zap-01890a5d-ac96-774b-bcce-b302099a8057",
        ] {
            assert_eq!(text.parse::<JobId>(), Err(IdError::NotAJobId), "{text}");
        }
    }

    #[test]
    fn a_tenant_id_is_a_hyphenated_uuid_in_any_case() {
        let id: TenantId = "ABCDEFAB-1111-2222-3333-444455556666".parse().unwrap();
        assert_eq!(id.to_string(), "abcdefab-1111-2222-3333-444455556666");
        assert_eq!(
            "abcdefab111122223333444455556666".parse::<TenantId>(),
            Err(IdError::NotAUuid)
        );
    }
}
