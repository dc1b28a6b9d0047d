//! Microsoft Graph v1.0: the directory's collections, their lists, and `$batch`.

mod batch;
mod objects;

use crate::call::{Call, Lane, Reply};
use crate::fault::FaultKind;
use crate::seeded;
use crate::sim::Sim;
use crate::world::{Listing, Table};

/// The directory's collections as paths name them (lower case) and as errors do.
const COLLECTIONS: [(&str, &str, Table); 8] = [
    ("users", "users", Table::Users),
    ("groups", "groups", Table::Groups),
    ("serviceprincipals", "servicePrincipals", Table::ServicePrincipals),
    ("applications", "applications", Table::Applications),
    ("directoryroles", "directoryRoles", Table::DirectoryRoles),
    ("administrativeunits", "administrativeUnits", Table::AdministrativeUnits),
    (
        "oauth2permissiongrants",
        "oauth2PermissionGrants",
        Table::PermissionGrants,
    ),
    ("devices", "devices", Table::Devices),
];

/// Answers a path below `/v1.0`.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let segments = call.lower_segments();
    // Administrative units stand under /directory in v1.0.
    let segments: Vec<&str> = segments
        .iter()
        .skip(1)
        .map(String::as_str)
        .filter(|segment| *segment != "directory")
        .collect();
    if let ["$batch"] = segments.as_slice() {
        return batch::answer(sim, call);
    }
    if call.method != "GET" {
        return Reply::error(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        );
    }
    if let Some(refused) = refuse(sim, call, segments.first().copied().unwrap_or_default()) {
        return refused;
    }
    match segments.as_slice() {
        ["organization"] => objects::organization(sim, call),
        [collection] => match table(collection) {
            Some(table) => objects::collection(sim, call, table),
            None => unknown(collection),
        },
        [collection, "$count"] => match table(collection) {
            Some(table) => objects::count(sim, call, table),
            None => unknown(collection),
        },
        ["directoryobjects", id] => objects::any(sim, call, id),
        [collection, id] => match table(collection) {
            Some(table) => objects::one(sim, call, table, id),
            None => unknown(collection),
        },
        [collection, id, list] => match (table(collection), listing(collection, list)) {
            (Some(table), Some(listing)) => objects::listing(sim, call, table, listing, id),
            _ => unknown(list),
        },
        _ => unknown(segments.last().copied().unwrap_or_default()),
    }
}

/// What a call costs in resource units (documented for identity and access).
pub(crate) fn cost(call: &Call) -> u64 {
    let segments = call.lower_segments();
    let base = match segments.get(1..).unwrap_or_default() {
        [_, _, list] if list == "members" || list == "transitivemembers" => 3,
        [collection] if matches!(collection.as_str(), "users" | "groups" | "applications") => 2,
        _ => 1,
    };
    let selects = u64::from(call.param("$select").is_some());
    let few = call
        .param("$top")
        .and_then(|top| top.parse::<u64>().ok())
        .is_some_and(|top| top < 20);
    let base: u64 = base;
    base.saturating_sub(selects).saturating_sub(u64::from(few)).max(1)
}

fn table(collection: &str) -> Option<Table> {
    COLLECTIONS
        .into_iter()
        .find(|(path, _, _)| *path == collection)
        .map(|(_, _, table)| table)
}

fn listing(collection: &str, list: &str) -> Option<Listing> {
    match (collection, list) {
        ("groups", "members") => Some(Listing::GroupMembers),
        ("groups", "owners") => Some(Listing::GroupOwners),
        ("directoryroles", "members") => Some(Listing::RoleMembers),
        ("administrativeunits", "members") => Some(Listing::UnitMembers),
        ("applications", "owners") => Some(Listing::ApplicationOwners),
        ("serviceprincipals", "owners") => Some(Listing::PrincipalOwners),
        ("serviceprincipals", "approleassignedto") => Some(Listing::AppRoleAssignedTo),
        _ => None,
    }
}

fn unknown(segment: &str) -> Reply {
    Reply::error(
        400,
        "BadRequest",
        &format!("Resource not found for the segment '{segment}'."),
    )
}

/// 403 for the collection that a fault forbids.
fn refuse(sim: &Sim, call: &Call, collection: &str) -> Option<Reply> {
    let fault = sim.armed(FaultKind::ForbiddenCollection)?;
    let by_number = fault.value.unwrap_or(0) % seeded::wide(COLLECTIONS.len());
    let by_number = COLLECTIONS
        .get(seeded::narrow(by_number))
        .map(|(path, _, _)| (*path).to_owned());
    let chosen = fault.target.map(|target| target.to_ascii_lowercase()).or(by_number)?;
    if chosen != collection {
        return None;
    }
    sim.strikes(
        FaultKind::ForbiddenCollection,
        Lane::Graph,
        &call.path.to_ascii_lowercase(),
    )?;
    Some(Reply::error(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    ))
}
