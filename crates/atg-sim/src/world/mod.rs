//! What the simulated tenant holds, apart from how it is asked for.
//!
//! A world answers by index and keeps nothing: object `i` is computed from the seed and `i`.
//! It knows no HTTP, no quotas and no faults; the casing and order in which things are shown are
//! the protocol's business too.

mod access;
mod bodies;
mod changes;
mod codec;
mod containers;
mod cx;
mod directory;
mod many;
mod plan;
mod seeded;
mod shape;
mod snapshot;
mod stamps;
mod words;

pub use many::ManyWorld;
pub use seeded::SeededWorld;
pub use snapshot::{SnapshotError, SnapshotWorld};

use atg_models::TenantId;
use serde_json::Value;

/// A list that can be read row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Management groups, as `resourcecontainers` shows them.
    ManagementGroups,
    /// Subscriptions, as `resourcecontainers` shows them.
    Subscriptions,
    /// Resource groups, as `resourcecontainers` shows them.
    ResourceGroups,
    /// Everything in the `resources` table.
    Resources,
    /// Role assignments, as `authorizationresources` shows them.
    RoleAssignments,
    /// Role definitions, built-in and custom.
    RoleDefinitions,
    /// Deny assignments, as ARM lists them.
    DenyAssignments,
    /// Directory users, as Microsoft Graph shows them with all properties.
    Users,
    /// Directory groups.
    Groups,
    /// Service principals.
    ServicePrincipals,
    /// Application registrations.
    Applications,
    /// Activated directory roles.
    DirectoryRoles,
    /// Administrative units.
    AdministrativeUnits,
    /// Delegated permission grants (`oauth2PermissionGrants`).
    PermissionGrants,
    /// Devices.
    Devices,
}

/// A list that belongs to one directory object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Listing {
    /// Members of a group.
    GroupMembers,
    /// Owners of a group.
    GroupOwners,
    /// Members of a directory role.
    RoleMembers,
    /// Members of an administrative unit.
    UnitMembers,
    /// Owners of an application.
    ApplicationOwners,
    /// Owners of a service principal.
    PrincipalOwners,
    /// App roles that were granted on a service principal (`appRoleAssignedTo`).
    AppRoleAssignedTo,
}

/// A tenant's content. Rows are whole bodies in the spelling that Azure uses.
///
/// ARM rows carry the full envelope as Resource Graph projects it: `id, name, type, tenantId, kind,
/// location, resourceGroup, subscriptionId, managedBy, sku, plan, properties, tags, identity, zones,
/// extendedLocation` (absent ones null), plus `apiVersion` that the protocol strips. Directory rows
/// carry `id` and Microsoft Graph's properties.
pub trait World: Send + Sync + 'static {
    /// The tenant.
    fn tenant_id(&self) -> TenantId;

    /// Its default domain, `contoso.onmicrosoft.com`.
    fn domain(&self) -> String;

    /// How many rows a table has, removed ones included.
    fn len(&self, table: Table) -> usize;

    /// Row `index`; `None` beyond the end, and for rows that a planted change removed.
    fn row(&self, table: Table, index: usize) -> Option<Value>;

    /// The lower-cased subscription segment of row `index` of [`Table::Resources`] or
    /// [`Table::ResourceGroups`], without making the row; `None` for what lies outside subscriptions.
    fn subscription_of(&self, table: Table, index: usize) -> Option<String>;

    /// A resource, group, subscription or inline child (a subnet) by its lower-cased id.
    fn resource(&self, id_lower: &str) -> Option<Value>;

    /// A list of an object, as references with `@odata.type` and `id` (or grants with their own fields).
    fn listing(&self, listing: Listing, object_id: &str) -> Vec<Value>;

    /// The resource types that occur, as published: `Microsoft.Network/virtualNetworks`, with the
    /// api-versions that the provider list shows, newest first.
    fn types(&self) -> Vec<(String, Vec<String>)>;

    /// Bodies that were given (`--snapshot`) and are not served, with the reason; empty for a seeded world.
    fn left_out(&self) -> Vec<(String, &'static str)> {
        Vec::new()
    }

    /// Plants the list of changes between two scans: answers the ids that were added, modified and
    /// removed. Idempotent. A snapshot world plants none.
    fn plant_changes(&self) -> PlantedChanges;
}

/// What [`World::plant_changes`] did, as lower-cased ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct PlantedChanges {
    /// New things.
    pub added: Vec<String>,
    /// Things with another body.
    pub modified: Vec<String>,
    /// Things that are gone.
    pub removed: Vec<String>,
}

#[cfg(test)]
mod data_tests;
#[cfg(test)]
mod snapshot_tests;
#[cfg(test)]
mod tests;
