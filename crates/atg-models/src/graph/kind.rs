//! The closed list of node kinds. They are Neo4j's labels and a column in SQLite.

use serde::{Deserialize, Serialize};

use crate::arm_id::{ArmType, MANAGEMENT_GROUP_TYPE, RESOURCE_GROUP_TYPE, SUBSCRIPTION_TYPE};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What a node is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum NodeKind {
            $($(#[$doc])* $name),+
        }

        impl NodeKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name as it stands in the stores and in exports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// The tenant itself, root of containment.
    Tenant,
    /// A management group.
    ManagementGroup,
    /// A subscription.
    Subscription,
    /// A resource group.
    ResourceGroup,
    /// Any other ARM resource, children and extensions included.
    Resource,
    /// A role definition.
    RoleDefinition,
    /// A role assignment.
    RoleAssignment,
    /// A deny assignment.
    DenyAssignment,
    /// A policy assignment.
    PolicyAssignment,
    /// A policy or policy set definition.
    PolicyDefinition,
    /// A management lock.
    Lock,
    /// A directory user.
    User,
    /// A directory group.
    Group,
    /// A service principal.
    ServicePrincipal,
    /// An application registration.
    Application,
    /// A directory role.
    DirectoryRole,
    /// An administrative unit.
    AdministrativeUnit,
    /// A device.
    Device,
    /// A tag, one per key and value.
    Tag,
    /// An Azure region.
    Region,
    /// A resource type, as a target of delegation.
    ResourceType,
    /// An issuer that a federated credential trusts.
    ExternalIssuer,
    /// An object id whose sort is not known.
    Stub,
}

impl NodeKind {
    /// The kind that an ARM type proves.
    pub fn of_type(type_: &ArmType) -> Self {
        match type_.as_str() {
            MANAGEMENT_GROUP_TYPE => Self::ManagementGroup,
            SUBSCRIPTION_TYPE => Self::Subscription,
            RESOURCE_GROUP_TYPE => Self::ResourceGroup,
            "microsoft.authorization/roledefinitions" => Self::RoleDefinition,
            "microsoft.authorization/roleassignments" => Self::RoleAssignment,
            "microsoft.authorization/denyassignments" => Self::DenyAssignment,
            "microsoft.authorization/policyassignments" => Self::PolicyAssignment,
            "microsoft.authorization/policydefinitions" | "microsoft.authorization/policysetdefinitions" => {
                Self::PolicyDefinition
            }
            "microsoft.authorization/locks" => Self::Lock,
            _ => Self::Resource,
        }
    }

    /// Whether nodes of this kind are made on sight from a value in a body, so that nothing ever
    /// "reads" them.
    pub const fn is_derived(self) -> bool {
        matches!(
            self,
            Self::Tag | Self::Region | Self::ResourceType | Self::ExternalIssuer
        )
    }
}
