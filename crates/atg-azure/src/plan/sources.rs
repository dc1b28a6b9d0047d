//! What a scan reads, as a table: one row a source.

use atg_models::graph::NodeKind;

use crate::Track;
use crate::observe::Listing;

/// The scan's steps and their tracks, in order.
pub(crate) const STEPS: [(&str, Track); 5] = [
    ("containers", Track::Resources),
    ("resources", Track::Resources),
    ("access", Track::Resources),
    ("directory", Track::Directory),
    ("memberships", Track::Directory),
];

/// The permission that every directory read needs.
pub(crate) const DIRECTORY: &str = "Directory.Read.All";

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `GET /tenants`.
    Tenant,
    /// A Resource Graph table, and the condition that picks the rows.
    Arg {
        table: &'static str,
        condition: &'static str,
    },
    /// ARM's deny assignments of a subscription.
    DenyAssignments,
    /// A Microsoft Graph collection.
    Directory(Directory),
    /// A list of each object of a kind.
    PerParent(PerParent),
}

/// A Microsoft Graph collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) path: &'static str,
    /// What its rows become; `None` for grants, which are edges.
    pub(crate) kind: Option<NodeKind>,
    /// Properties that are asked for; empty for all.
    pub(crate) select: &'static str,
    /// Whether it takes `$top`.
    pub(crate) sized: bool,
    /// Whether it takes `$count`.
    pub(crate) counted: bool,
    /// In resource units.
    pub(crate) cost: u64,
}

/// A list of each object of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PerParent {
    pub(crate) listing: Listing,
    pub(crate) parent: NodeKind,
    /// Before the object's id.
    pub(crate) before: &'static str,
    /// Behind it.
    pub(crate) behind: &'static str,
    /// Properties that are asked for; empty for all.
    pub(crate) select: &'static str,
    /// In resource units.
    pub(crate) cost: u64,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// The first part of the collection's key.
    pub(crate) name: &'static str,
    pub(crate) step: &'static str,
    /// For errors.
    pub(crate) doing: &'static str,
    pub(crate) how: How,
}

pub(crate) const TENANT: &str = "arm.tenant";
pub(crate) const MANAGEMENT_GROUPS: &str = "arg.managementgroups";
pub(crate) const SUBSCRIPTIONS: &str = "arg.subscriptions";
pub(crate) const RESOURCE_GROUPS: &str = "arg.resourcegroups";
pub(crate) const RESOURCES: &str = "arg.resources";
pub(crate) const ROLE_ASSIGNMENTS: &str = "arg.roleassignments";
pub(crate) const ROLE_DEFINITIONS: &str = "arg.roledefinitions";
pub(crate) const DENY_ASSIGNMENTS: &str = "arm.denyassignments";

const fn arg(
    name: &'static str,
    step: &'static str,
    doing: &'static str,
    table: &'static str,
    condition: &'static str,
) -> Source {
    Source {
        name,
        step,
        doing,
        how: How::Arg { table, condition },
    }
}

const fn directory(
    name: &'static str,
    doing: &'static str,
    path: &'static str,
    kind: NodeKind,
    select: &'static str,
    (counted, cost): (bool, u64),
) -> Source {
    let sized = !matches!(kind, NodeKind::DirectoryRole);
    let how = How::Directory(Directory {
        path,
        kind: Some(kind),
        select,
        sized,
        counted,
        cost,
    });
    Source {
        name,
        step: "directory",
        doing,
        how,
    }
}

const fn per_parent(
    name: &'static str,
    doing: &'static str,
    listing: Listing,
    parent: NodeKind,
    (before, behind): (&'static str, &'static str),
    select: &'static str,
    cost: u64,
) -> Source {
    let how = How::PerParent(PerParent {
        listing,
        parent,
        before,
        behind,
        select,
        cost,
    });
    Source {
        name,
        step: "memberships",
        doing,
        how,
    }
}

const USER: &str = "id,displayName,userPrincipalName,mail,userType,accountEnabled,createdDateTime,department,jobTitle,\
givenName,surname,officeLocation,companyName,employeeId,employeeType,usageLocation,preferredLanguage,mobilePhone,\
businessPhones,otherMails,proxyAddresses,identities,externalUserState,creationType,onPremisesSyncEnabled,\
onPremisesImmutableId,onPremisesSamAccountName,onPremisesUserPrincipalName,onPremisesDistinguishedName,\
onPremisesSecurityIdentifier,assignedLicenses,assignedPlans,lastPasswordChangeDateTime,securityIdentifier";
const GROUP: &str = "id,displayName,description,mail,mailEnabled,mailNickname,securityEnabled,groupTypes,visibility,\
createdDateTime,classification,isAssignableToRole,membershipRule,membershipRuleProcessingState,onPremisesSyncEnabled,\
onPremisesSamAccountName,onPremisesSecurityIdentifier,proxyAddresses,renewedDateTime,expirationDateTime,\
resourceProvisioningOptions,securityIdentifier,assignedLicenses";
const PRINCIPAL: &str = "id,appId,displayName,appDisplayName,description,servicePrincipalType,accountEnabled,\
appOwnerOrganizationId,appRoleAssignmentRequired,appRoles,oauth2PermissionScopes,alternativeNames,homepage,loginUrl,\
logoutUrl,replyUrls,servicePrincipalNames,signInAudience,tags,keyCredentials,passwordCredentials,\
preferredSingleSignOnMode,applicationTemplateId,verifiedPublisher,disabledByMicrosoftStatus,notes";
const APPLICATION: &str = "id,appId,displayName,description,createdDateTime,signInAudience,publisherDomain,\
identifierUris,appRoles,api,requiredResourceAccess,web,spa,publicClient,keyCredentials,passwordCredentials,tags,\
isFallbackPublicClient,verifiedPublisher,applicationTemplateId,notes,optionalClaims,groupMembershipClaims";

const REFERENCE: &str = "id";

/// All sources, in the order of the plan.
pub(crate) const SOURCES: &[Source] = &[
    Source {
        name: TENANT,
        step: "containers",
        doing: "reading the tenant",
        how: How::Tenant,
    },
    arg(
        MANAGEMENT_GROUPS,
        "containers",
        "querying the management groups",
        "resourcecontainers",
        "type =~ 'microsoft.management/managementgroups'",
    ),
    arg(
        SUBSCRIPTIONS,
        "containers",
        "querying the subscriptions",
        "resourcecontainers",
        "type =~ 'microsoft.resources/subscriptions'",
    ),
    arg(
        RESOURCE_GROUPS,
        "containers",
        "querying the resource groups",
        "resourcecontainers",
        "type =~ 'microsoft.resources/subscriptions/resourcegroups'",
    ),
    arg(RESOURCES, "resources", "querying the resources", "resources", ""),
    arg(
        ROLE_ASSIGNMENTS,
        "access",
        "querying the role assignments",
        "authorizationresources",
        "type =~ 'microsoft.authorization/roleassignments'",
    ),
    arg(
        ROLE_DEFINITIONS,
        "access",
        "querying the role definitions",
        "authorizationresources",
        "type =~ 'microsoft.authorization/roledefinitions'",
    ),
    Source {
        name: DENY_ASSIGNMENTS,
        step: "access",
        doing: "listing the deny assignments",
        how: How::DenyAssignments,
    },
    directory(
        "graph.users",
        "listing the users",
        "/users",
        NodeKind::User,
        USER,
        (true, 1),
    ),
    directory(
        "graph.groups",
        "listing the groups",
        "/groups",
        NodeKind::Group,
        GROUP,
        (true, 1),
    ),
    directory(
        "graph.serviceprincipals",
        "listing the service principals",
        "/servicePrincipals",
        NodeKind::ServicePrincipal,
        PRINCIPAL,
        (true, 1),
    ),
    directory(
        "graph.applications",
        "listing the applications",
        "/applications",
        NodeKind::Application,
        APPLICATION,
        (true, 1),
    ),
    directory(
        "graph.directoryroles",
        "listing the directory roles",
        "/directoryRoles",
        NodeKind::DirectoryRole,
        "",
        (false, 1),
    ),
    directory(
        "graph.administrativeunits",
        "listing the administrative units",
        "/directory/administrativeUnits",
        NodeKind::AdministrativeUnit,
        "",
        (true, 1),
    ),
    directory(
        "graph.devices",
        "listing the devices",
        "/devices",
        NodeKind::Device,
        "",
        (true, 1),
    ),
    Source {
        name: "graph.permissiongrants",
        step: "directory",
        doing: "listing the permission grants",
        how: How::Directory(Directory {
            path: "/oauth2PermissionGrants",
            kind: None,
            select: "",
            sized: true,
            counted: false,
            cost: 1,
        }),
    },
    per_parent(
        "graph.group-members",
        "listing members of groups",
        Listing::GroupMembers,
        NodeKind::Group,
        ("/groups/", "/members"),
        REFERENCE,
        2,
    ),
    per_parent(
        "graph.group-owners",
        "listing owners of groups",
        Listing::GroupOwners,
        NodeKind::Group,
        ("/groups/", "/owners"),
        REFERENCE,
        1,
    ),
    per_parent(
        "graph.directoryrole-members",
        "listing members of directory roles",
        Listing::RoleMembers,
        NodeKind::DirectoryRole,
        ("/directoryRoles/", "/members"),
        REFERENCE,
        2,
    ),
    per_parent(
        "graph.administrativeunit-members",
        "listing members of administrative units",
        Listing::UnitMembers,
        NodeKind::AdministrativeUnit,
        ("/directory/administrativeUnits/", "/members"),
        REFERENCE,
        2,
    ),
    per_parent(
        "graph.application-owners",
        "listing owners of applications",
        Listing::ApplicationOwners,
        NodeKind::Application,
        ("/applications/", "/owners"),
        REFERENCE,
        1,
    ),
    per_parent(
        "graph.serviceprincipal-owners",
        "listing owners of service principals",
        Listing::ServicePrincipalOwners,
        NodeKind::ServicePrincipal,
        ("/servicePrincipals/", "/owners"),
        REFERENCE,
        1,
    ),
    per_parent(
        "graph.approle-assignments",
        "listing app role assignments",
        Listing::AppRoleAssignments,
        NodeKind::ServicePrincipal,
        ("/servicePrincipals/", "/appRoleAssignedTo"),
        "",
        1,
    ),
];

/// The source of that name.
pub(crate) fn source(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

/// The collection that owns a directory object.
pub(crate) fn directory_source(kind: NodeKind) -> Option<&'static str> {
    let owns = |source: &&Source| match source.how {
        How::Directory(directory) => directory.kind == Some(kind),
        How::Tenant | How::Arg { .. } | How::DenyAssignments | How::PerParent(_) => false,
    };
    SOURCES.iter().find(owns).map(|source| source.name)
}

/// What this version does not read.
pub(crate) const LEFT_OUT: [(&str, &str); 4] = [
    (
        "arm.children",
        "child and extension resources that Resource Graph does not carry are not read by this version",
    ),
    (
        "arm.policy",
        "policy assignments and definitions are not read by this version",
    ),
    ("arm.locks", "management locks are not read by this version"),
    (
        "arm.eligibility",
        "eligible (PIM) role assignments are not read by this version",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_steps_are_known() {
        let mut names: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SOURCES.len());
        let is_step = |source: &Source| STEPS.iter().any(|(name, _)| *name == source.step);
        assert!(SOURCES.iter().all(is_step));
    }

    #[test]
    fn a_list_per_parent_follows_the_list_of_its_parents() {
        for source in SOURCES {
            if let How::PerParent(list) = source.how {
                assert!(directory_source(list.parent).is_some(), "{}", source.name);
            }
        }
    }

    #[test]
    fn a_track_keeps_to_its_services() {
        for source in SOURCES {
            let step = STEPS.iter().find(|(name, _)| *name == source.step).unwrap();
            let of_graph = matches!(source.how, How::Directory(_) | How::PerParent(_));
            assert_eq!(step.1 == Track::Directory, of_graph, "{}", source.name);
        }
    }

    #[test]
    fn selections_hold_no_blanks() {
        for source in SOURCES {
            let select = match source.how {
                How::Directory(directory) => directory.select,
                How::PerParent(list) => list.select,
                How::Tenant | How::Arg { .. } | How::DenyAssignments => "",
            };
            assert!(!select.contains(char::is_whitespace), "{}", source.name);
        }
    }
}
