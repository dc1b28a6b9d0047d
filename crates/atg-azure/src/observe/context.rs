//! What rows are read with.

use std::fmt;

use atg_models::graph::{CollectionKey, NodeKind, Source};
use atg_models::{ArmType, NodeId, TenantId};
use time::OffsetDateTime;

/// The thing whose owner collection is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Owned<'a> {
    /// Its key.
    pub id: &'a NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// Its ARM type.
    pub type_: Option<&'a ArmType>,
    /// Lower-cased subscription segment of its id.
    pub subscription_id: Option<&'a str>,
    /// Whether it was made from its parent's body (a subnet), so that it is swept with it.
    pub materialised: bool,
}

/// What rows are read with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Whose tenant is scanned.
    pub tenant: TenantId,
    /// Which service served the rows.
    pub source: Source,
    /// When.
    pub observed_at: OffsetDateTime,
    /// The table of the plan: which collection owns a thing.
    pub owner: &'a (dyn Fn(&Owned<'_>) -> Option<CollectionKey> + Sync),
    /// At which version bodies of a type are read.
    pub api_version: &'a (dyn Fn(&ArmType) -> Option<String> + Sync),
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            source,
            observed_at,
            owner: _,
            api_version: _,
        } = self;
        f.debug_struct("Context")
            .field("tenant", tenant)
            .field("source", source)
            .field("observed_at", observed_at)
            .finish_non_exhaustive()
    }
}

/// Why a row is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Delegated access shows other tenants' things. They are counted, not stored.
    #[error("a row of another tenant")]
    OtherTenant,
    /// It has no id that could be its key.
    #[error("no parsable id: {reason}")]
    NoId {
        /// What is wrong with it.
        reason: String,
    },
    /// It is not an object.
    #[error("not an object")]
    NotAnObject,
}
