//! Azure Resource Manager: reads by GET, in ARM's shapes. Nothing can be written.

mod authorization;
mod containers;
mod list;
mod metadata;
mod providers;
mod resources;

use crate::call::{Call, Lane, Reply};
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::tables::forbidden_subscription;

/// Answers a path of ARM's.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let segments = call.lower_segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if call.method != "GET" {
        let text = "The simulated tenant is read only.";
        return Reply::error(405, "MethodNotAllowed", text);
    }
    if let Err(refused) = api_version(call) {
        return refused;
    }
    if let ["subscriptions", own, ..] = segments.as_slice()
        && let Some(refused) = refuse_subscription(sim, call, own)
    {
        return refused;
    }
    route(sim, call, &segments)
}

/// Paths that need neither token nor api-version.
pub(crate) fn open(sim: &Sim, call: &Call) -> Option<Reply> {
    call.path
        .eq_ignore_ascii_case("/metadata/endpoints")
        .then(|| metadata::endpoints(sim, call))
}

fn route(sim: &Sim, call: &Call, segments: &[&str]) -> Reply {
    match segments {
        ["tenants"] => containers::tenants(sim, call),
        ["subscriptions"] => containers::subscriptions(sim, call),
        ["subscriptions", _] => containers::subscription(sim, call),
        ["subscriptions", own, "locations"] => providers::locations(sim, own),
        ["subscriptions", _, "resourcegroups"] => containers::groups(sim, call),
        ["subscriptions", _, "resources"] | ["subscriptions", _, "resourcegroups", _, "resources"] => {
            resources::generic(sim, call)
        }
        ["providers"] | ["subscriptions", _, "providers"] => providers::all(sim, call),
        ["providers", namespace] | ["subscriptions", _, "providers", namespace] => providers::one(sim, call, namespace),
        ["providers", "microsoft.management", "managementgroups"] => containers::management_groups(sim, call),
        ["providers", "microsoft.management", "managementgroups", name] => {
            containers::management_group(sim, call, name)
        }
        [
            "providers",
            "microsoft.management",
            "managementgroups",
            name,
            "descendants",
        ] => containers::descendants(sim, call, name),
        [scope @ .., "providers", "microsoft.authorization", kind] => {
            authorization::list(sim, call, &format!("/{}", scope.join("/")), kind)
        }
        [.., "providers", "microsoft.insights", "diagnosticsettings"] => list::reply(sim, call, Vec::new()),
        _ => resources::by_path(sim, call, segments),
    }
}

fn api_version(call: &Call) -> Result<(), Reply> {
    let Some(version) = call.param("api-version") else {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Reply::error(400, "MissingApiVersionParameter", text));
    };
    let date: Vec<&str> = version.splitn(4, '-').collect();
    let digits = |part: Option<&&str>, len: usize| {
        part.is_some_and(|part| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if digits(date.first(), 4) && digits(date.get(1), 2) && digits(date.get(2), 2) {
        return Ok(());
    }
    let text = format!(
        "The api-version '{version}' is invalid. The version must be in the format 'yyyy-MM-dd' or 'yyyy-MM-dd-preview'."
    );
    Err(Reply::error(400, "InvalidApiVersionParameter", &text))
}

/// 403 for the subscription that a fault forbids.
fn refuse_subscription(sim: &Sim, call: &Call, own: &str) -> Option<Reply> {
    let path = call.path.to_ascii_lowercase();
    let fault = sim.armed(FaultKind::ForbiddenSubscription)?;
    if forbidden_subscription(sim, &fault)? != own {
        return None;
    }
    sim.strikes(FaultKind::ForbiddenSubscription, Lane::Arm, &path)?;
    let text = format!(
        "The client 'atg-sim' does not have authorization to perform action 'Microsoft.Resources/subscriptions/read' over scope '/subscriptions/{own}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    Some(Reply::error(403, "AuthorizationFailed", &text))
}
