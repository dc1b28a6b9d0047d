//! One node: one real thing, whatever it was reached through.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::arm_id::ArmType;
use crate::canonical;
use crate::graph::{CollectionKey, NodeKind};
use crate::ids::{NodeId, TenantId};

/// Which service a node's body came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Azure Resource Graph.
    Arg,
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// Made from another body: an inline child, a region, a tag.
    Derived,
}

impl Source {
    /// The name as it stands in the stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arg => "arg",
            Self::Arm => "arm",
            Self::Graph => "graph",
            Self::Derived => "derived",
        }
    }

    /// The source with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "arg" => Some(Self::Arg),
            "arm" => Some(Self::Arm),
            "graph" => Some(Self::Graph),
            "derived" => Some(Self::Derived),
            _ => None,
        }
    }
}

/// A node as a scan writes it and as a reader gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Whose graph it belongs to.
    pub tenant_id: TenantId,
    /// The key within the tenant.
    pub id: NodeId,
    /// The id as its source spelled it.
    pub display_id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Lower-cased ARM type; absent for directory objects and derived nodes.
    #[serde(rename = "type")]
    pub type_: Option<ArmType>,
    /// The version that the body was read at.
    pub api_version: Option<String>,
    /// The name as its source spelled it.
    pub name: String,
    /// Lower-cased subscription segment of the id.
    pub subscription_id: Option<String>,
    /// Lower-cased resource group segment of the id.
    pub resource_group: Option<String>,
    /// The region, lower-cased without blanks (`westeurope`).
    pub location: Option<String>,
    /// Tags as read. Names differ by case only in error, values do.
    pub tags: BTreeMap<String, String>,
    /// The whole body with secrets replaced by a marker; absent for what was never read.
    pub body: Option<Value>,
    /// Whether it was read, or only referred to.
    pub observed: bool,
    /// Where the body came from.
    pub source: Source,
    /// The collection that may remove it; absent for stubs and derived nodes.
    pub owner: Option<CollectionKey>,
    /// When the body was read.
    #[serde(with = "crate::time_text")]
    pub observed_at: OffsetDateTime,
}

impl Node {
    /// SHA-256 over everything that a rescan of an unchanged thing finds again: all fields but
    /// the tenant, the source and the moment of reading.
    pub fn content_hash(&self) -> [u8; 32] {
        let Self {
            tenant_id: _,
            id,
            display_id,
            kind,
            type_,
            api_version,
            name,
            subscription_id,
            resource_group,
            location,
            tags,
            body,
            observed,
            source: _,
            owner,
            observed_at: _,
        } = self;
        canonical::hash(&serde_json::json!({
            "id": id,
            "display_id": display_id,
            "kind": kind,
            "type": type_,
            "api_version": api_version,
            "name": name,
            "subscription_id": subscription_id,
            "resource_group": resource_group,
            "location": location,
            "tags": tags,
            "body": body,
            "observed": observed,
            "owner": owner,
        }))
    }
}
