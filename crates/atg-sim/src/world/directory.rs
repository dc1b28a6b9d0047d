//! The directory as Microsoft Graph shows it: users, nested groups, principals, applications.

use serde_json::{Value, json};

use super::codec::{Kind, decode, encode};
use super::plan::PLAN;
use super::seeded::{SeededWorld, number, reference};
use super::{Listing, World, words};
use crate::seeded;

/// Principals of Microsoft's own applications: name and documented application id.
pub(crate) const FIRST_PARTY: [(&str, &str); 8] = [
    ("Microsoft Graph", "00000003-0000-0000-c000-000000000000"),
    (
        "Windows Azure Service Management API",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    ),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
    ("AzureDatabricks", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"),
    ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"),
    ("Microsoft Azure App Service", "abfa0a7c-a6b6-4736-8310-5855508787cd"),
    ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1"),
    ("Azure SQL Database", "022907d3-0f1b-48f7-badc-1ba6abab6d66"),
];
/// Activated directory roles: name and documented template id.
pub(crate) const ROLES: [(&str, &str); 8] = [
    ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10"),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("Security Administrator", "194ae4cb-b126-40b2-bd5b-6091b380977d"),
    ("Security Reader", "5d6b6bb7-de71-4623-b4af-96380a352509"),
    ("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
    ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
];
/// Application permissions of Microsoft Graph that applications hold: `User.Read.All` and others.
const GRAPH_ROLES: [&str; 3] = [
    "df021288-bdef-4463-88db-98f22de89214",
    "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "5b567255-7703-4780-807c-7be8301ae99b",
];
/// Direct user members of a group.
const MEMBERS: u64 = 9;
/// A group holds at most so many groups.
const NESTING: usize = 3;

fn id(world: &SeededWorld, kind: Kind, index: usize) -> String {
    encode(world.seed(), kind, index).to_string()
}

/// User `index`; `None` for the one that a planted change removes.
pub(crate) fn user(world: &SeededWorld, index: usize) -> Option<Value> {
    let removed = world.planted() && index + 1 == world.sizes().users;
    (!removed).then(|| user_always(world, index))
}

/// User `index`, removed or not.
pub(crate) fn user_always(world: &SeededWorld, index: usize) -> Value {
    let at = number(world, "user", index);
    let (first, last) = (words::pick(&words::FIRST, at), words::pick(&words::LAST, at / 24));
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let ascii = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_lowercase()
    };
    let local = format!("{}.{}{index}", ascii(first), ascii(last));
    let guest = at.is_multiple_of(11);
    let domain = world.domain();
    let name = if guest {
        format!("{local}_fabrikam.com#EXT#@{domain}")
    } else {
        format!("{local}@{domain}")
    };
    json!({
        "id": id(world, Kind::User, index), "displayName": format!("{first} {last}"), "givenName": first, "surname": last,
        "userPrincipalName": name, "mail": if guest { format!("{local}@fabrikam.com") } else { format!("{local}@{domain}") },
        "userType": if guest { "Guest" } else { "Member" }, "accountEnabled": !at.is_multiple_of(29), "businessPhones": [],
        "jobTitle": if at.is_multiple_of(7) { "Manager" } else { "Specialist" }, "mobilePhone": null, "officeLocation": null,
        "preferredLanguage": "en", "department": words::pick(&words::DEPARTMENTS, at / 600),
        "createdDateTime": "2022-09-05T07:41:13Z", "onPremisesSyncEnabled": (at.is_multiple_of(3)).then_some(true),
        "usageLocation": "DE", "companyName": "Contoso", "employeeId": format!("E{index:06}"),
    })
}

/// Group `index`.
pub(crate) fn group(world: &SeededWorld, index: usize) -> Value {
    let at = number(world, "group", index);
    let stem = words::pick(&words::STEMS, at).unwrap_or_default();
    let kind = words::pick(&["admins", "readers", "developers", "operators"], at / 64).unwrap_or_default();
    let unified = at.is_multiple_of(6);
    let types: &[&str] = if unified { &["Unified"] } else { &[] };
    json!({
        "id": id(world, Kind::Group, index), "displayName": format!("sg-{stem}-{kind}-{index:03}"),
        "description": format!("{kind} of {stem}"), "mailEnabled": unified, "mailNickname": format!("{stem}{kind}{index}"),
        "securityEnabled": !unified, "groupTypes": types, "visibility": unified.then_some("Private"), "mail": null,
        "createdDateTime": "2022-10-11T12:00:00Z", "onPremisesSyncEnabled": null, "isAssignableToRole": (index == 1).then_some(true),
        "securityIdentifier": format!("S-1-12-1-{}-{}-{}-{}", at % 4_000_000_000, at / 7 % 4_000_000_000, at / 11 % 4_000_000_000, index),
    })
}

/// Principal `index`: Microsoft's, then those of applications, then managed identities.
pub(crate) fn principal(world: &SeededWorld, index: usize) -> Value {
    let own_id = id(world, Kind::Principal, index);
    let (name, app, kind, names, owner) = if let Some((name, app)) = FIRST_PARTY.get(index) {
        let owner = "f8cdef31-a31e-4b4a-93e4-5f571e91255a".to_owned();
        ((*name).to_owned(), (*app).to_owned(), "Application", Vec::new(), owner)
    } else if index < world.sizes().principals_before_identities() {
        let app = index - FIRST_PARTY.len();
        (
            application_name(world, app),
            id(world, Kind::AppId, index),
            "Application",
            Vec::new(),
            world.tenant_text(),
        )
    } else {
        let (name, names) = identity(world, index - world.sizes().principals_before_identities());
        (
            name,
            id(world, Kind::AppId, index),
            "ManagedIdentity",
            names,
            world.tenant_text(),
        )
    };
    let roles = if index == 0 {
        let roles = GRAPH_ROLES
            .iter()
            .zip(["User.Read.All", "Directory.Read.All", "Group.Read.All"]);
        roles.map(|(id, value)| json!({"id": id, "value": value, "displayName": value, "description": value, "isEnabled": true, "allowedMemberTypes": ["Application"]})).collect()
    } else {
        Vec::new()
    };
    json!({
        "id": own_id, "appId": app, "displayName": name, "appDisplayName": if kind == "Application" { Some(&name) } else { None },
        "servicePrincipalType": kind, "accountEnabled": true, "appOwnerOrganizationId": owner, "alternativeNames": names,
        "appRoleAssignmentRequired": false, "servicePrincipalNames": [app], "tags": [], "appRoles": roles,
        "oauth2PermissionScopes": [], "keyCredentials": [], "passwordCredentials": [], "signInAudience": "AzureADMyOrg",
        "createdDateTime": "2023-01-19T10:22:31Z", "homepage": null, "replyUrls": [], "notificationEmailAddresses": [],
    })
}

/// Name and alternative names of an identity's principal: the resource that has it.
fn identity(world: &SeededWorld, number: usize) -> (String, Vec<String>) {
    let (block, which) = (number / PLAN.identities.max(1), number % PLAN.identities.max(1));
    let at = PLAN.slots.iter().position(|slot| slot.identity == Some(which));
    let Some(cx) = at.and_then(|at| world.cx(block, at)) else {
        return (String::new(), Vec::new());
    };
    let explicit = cx.slot.row.arm == super::bodies::UAI;
    let names = vec![
        format!("isExplicit={}", if explicit { "True" } else { "False" }),
        super::changes::usual_id(&cx),
    ];
    (cx.own_name(), names)
}

fn application_name(world: &SeededWorld, index: usize) -> String {
    let at = number(world, "application", index);
    let stem = words::pick(&words::STEMS, at).unwrap_or_default();
    let kind = words::pick(&["api", "web", "deploy", "daemon", "github"], at / 64).unwrap_or_default();
    format!("app-{stem}-{kind}-{index:03}")
}

/// Application `index`; its principal is row `index` behind Microsoft's.
pub(crate) fn application(world: &SeededWorld, index: usize) -> Value {
    let app = id(world, Kind::AppId, index + FIRST_PARTY.len());
    let access = json!([{
        "resourceAppId": FIRST_PARTY.first().map(|row| row.1),
        "resourceAccess": [{"id": words::pick(&GRAPH_ROLES, number(world, "needs", index)), "type": "Role"}],
    }]);
    json!({
        "id": id(world, Kind::Application, index), "appId": app, "displayName": application_name(world, index),
        "signInAudience": "AzureADMyOrg", "identifierUris": [format!("api://{app}")], "requiredResourceAccess": access,
        "publisherDomain": world.domain(), "createdDateTime": "2023-01-19T10:22:31Z", "keyCredentials": [], "tags": [],
        "passwordCredentials": [{
            "keyId": seeded::uuid(world.seed(), &format!("credential{index}")), "displayName": "ci", "hint": "a~x",
            "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z", "secretText": null,
        }],
        "appRoles": [], "web": {"redirectUris": [format!("https://app{index}.contoso.example/signin")]}, "spa": {"redirectUris": []},
    })
}

/// Directory role `index`.
pub(crate) fn role(world: &SeededWorld, index: usize) -> Option<Value> {
    let (name, template) = ROLES.get(index)?;
    Some(json!({
        "id": id(world, Kind::DirectoryRole, index), "displayName": name, "description": format!("Members of {name}."),
        "roleTemplateId": template, "deletedDateTime": null,
    }))
}

/// Administrative unit `index`.
pub(crate) fn unit(world: &SeededWorld, index: usize) -> Value {
    let name = words::pick(&words::DEPARTMENTS, seeded::wide(index)).unwrap_or_default();
    json!({
        "id": id(world, Kind::Unit, index), "displayName": format!("AU {name} {index}"), "description": format!("Users of {name}"),
        "visibility": null, "isMemberManagementRestricted": false, "membershipType": "Assigned", "membershipRule": null,
    })
}

/// Delegated permission grant `index`: an application's principal may act on Microsoft Graph.
pub(crate) fn grant(world: &SeededWorld, index: usize) -> Value {
    let for_one = index.is_multiple_of(4);
    let user = seeded::narrow(
        number(world, "grant", index)
            .checked_rem(seeded::wide(world.users()))
            .unwrap_or(0),
    );
    json!({
        "id": seeded::uuid(world.seed(), &format!("grant{index}")).replace('-', ""),
        "clientId": id(world, Kind::Principal, FIRST_PARTY.len() + index), "resourceId": id(world, Kind::Principal, 0),
        "consentType": if for_one { "Principal" } else { "AllPrincipals" },
        "principalId": for_one.then(|| id(world, Kind::User, user)), "scope": "openid profile User.Read",
    })
}

/// Device `index`.
pub(crate) fn device(world: &SeededWorld, index: usize) -> Value {
    json!({
        "id": id(world, Kind::Device, index), "deviceId": seeded::uuid(world.seed(), &format!("device{index}")),
        "displayName": format!("LAPTOP-{index:05}"), "operatingSystem": "Windows", "operatingSystemVersion": "10.0.22631.4317",
        "accountEnabled": true, "isCompliant": !index.is_multiple_of(5), "isManaged": true, "trustType": "AzureAd", "profileType": "RegisteredDevice",
    })
}

/// A list of an object; empty for ids that are not of that kind.
pub(crate) fn listing(world: &SeededWorld, listing: Listing, object_id: &str) -> Vec<Value> {
    let Some((kind, index)) = decode(world.seed(), object_id) else {
        return Vec::new();
    };
    let sizes = world.sizes();
    match (listing, kind) {
        (Listing::GroupMembers, Kind::Group) if index < sizes.groups => members(world, index),
        (Listing::GroupOwners, Kind::Group) if index < sizes.groups => users(world, "owner", index, 1),
        (Listing::RoleMembers, Kind::DirectoryRole) if index < ROLES.len() => {
            let mut list = users(world, "role member", index, 2);
            if index == 1 {
                list.push(reference("group", &id(world, Kind::Group, 1)));
            }
            if index == 7 {
                list.push(reference(
                    "servicePrincipal",
                    &id(world, Kind::Principal, FIRST_PARTY.len()),
                ));
            }
            list
        }
        (Listing::UnitMembers, Kind::Unit) if index < sizes.units => {
            let mut list = users(world, "unit member", index, 12);
            list.push(reference("group", &id(world, Kind::Group, index % sizes.groups.max(1))));
            list
        }
        (Listing::ApplicationOwners, Kind::Application) if index < sizes.applications => {
            users(world, "app owner", index, 1)
        }
        (Listing::PrincipalOwners, Kind::Principal)
            if index < sizes.principals_before_identities() && index.is_multiple_of(3) =>
        {
            users(world, "principal owner", index, 1)
        }
        (Listing::AppRoleAssignedTo, Kind::Principal) if index == 0 => (0..sizes.applications)
            .filter(|app| app.is_multiple_of(4))
            .map(|app| assigned(world, app))
            .collect(),
        _ => Vec::new(),
    }
}

/// Groups form trees of three branches; the last two hold each other.
fn members(world: &SeededWorld, index: usize) -> Vec<Value> {
    let groups = world.sizes().groups;
    let mut list = users(world, "member", index, MEMBERS);
    let children =
        (index * NESTING + 1..=index * NESTING + NESTING).filter(|child| *child < groups && index.is_multiple_of(2));
    list.extend(children.map(|child| reference("group", &id(world, Kind::Group, child))));
    let last = groups.saturating_sub(1);
    let partner = match index {
        _ if groups < 4 => None,
        at if at == last => Some(last - 1),
        at if at + 1 == last => Some(last),
        _ => None,
    };
    let partner = partner.map(|partner| reference("group", &id(world, Kind::Group, partner)));
    list.extend(partner);
    if index.is_multiple_of(5) {
        let principals = seeded::wide(world.sizes().principals);
        let at = number(world, "member principal", index)
            .checked_rem(principals)
            .unwrap_or(0);
        list.push(reference(
            "servicePrincipal",
            &id(world, Kind::Principal, seeded::narrow(at)),
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|member| seen.insert(member.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()));
    list
}

fn users(world: &SeededWorld, label: &str, index: usize, count: u64) -> Vec<Value> {
    let total = seeded::wide(world.users()).max(1);
    let first = number(world, label, index) % total;
    let mut seen: Vec<u64> = (0..count.min(total)).map(|step| (first + step * 5) % total).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.into_iter()
        .map(|at| reference("user", &id(world, Kind::User, seeded::narrow(at))))
        .collect()
}

/// An application permission on Microsoft Graph.
fn assigned(world: &SeededWorld, app: usize) -> Value {
    let row = FIRST_PARTY.len() + app;
    json!({
        "id": seeded::uuid(world.seed(), &format!("assigned{app}")).replace('-', ""),
        "appRoleId": words::pick(&GRAPH_ROLES, number(world, "needs", app)), "createdDateTime": "2023-06-01T08:00:00Z",
        "principalId": id(world, Kind::Principal, row), "principalType": "ServicePrincipal",
        "principalDisplayName": application_name(world, app),
        "resourceId": id(world, Kind::Principal, 0), "resourceDisplayName": "Microsoft Graph",
    })
}
