//! Another region: of the resource itself, and of what in its body names the resource's own region. Other regions in
//! a body (replicas, points of presence) stay, and are told.

use serde_json::Value as Json;

use crate::output::{Finding, Severity};
use crate::select::Resource;

/// Regions that are none.
const NO_REGIONS: &[&str] = &["", "global", "unitedstates", "europe", "asiapacific"];
/// Squashed names of members that hold a region.
const REGION_MEMBERS: &[&str] = &[
    "location",
    "locationname",
    "primarylocation",
    "region",
    "secondarylocation",
    "workspaceregion",
];
/// Of these, those that name the region of another resource, which moves as well.
const MOVED_WITH_OTHERS: &[&str] = &["workspaceregion"];

/// Moves a resource to `target`; what stays behind is told.
pub(super) fn relocate(resource: &mut Resource, target: &str, findings: &mut Vec<Finding>) {
    let Some(body) = &mut resource.body else {
        return;
    };
    let own = member(body, "location").and_then(Json::as_str).map(squash);
    let Some(own) = own.filter(|own| !NO_REGIONS.contains(&own.as_str())) else {
        return;
    };
    if own == target {
        return;
    }
    let mut stays = Vec::new();
    move_regions(body, "", &own, target, "", &mut stays);
    if member(body, "zones").is_some_and(|zones| zones.as_array().is_some_and(|zones| !zones.is_empty())) {
        stays.push("zones: kept; the region must have availability zones".to_owned());
    }
    if member(body, "extendedLocation").is_some() {
        stays.push("extendedLocation: kept; an edge zone belongs to its region".to_owned());
    }
    if resource.name.to_lowercase().contains(&own) {
        stays.push("the name holds the old region".to_owned());
    }
    findings.extend(stays.into_iter().map(|message| Finding {
        severity: Severity::Info,
        option: "location",
        subject: resource.source_id.clone(),
        message,
    }));
}

fn move_regions(value: &mut Json, name: &str, own: &str, target: &str, path: &str, stays: &mut Vec<String>) {
    match value {
        Json::String(text) if REGION_MEMBERS.contains(&squash(name).as_str()) => {
            let region = squash(text);
            if region == target {
                return;
            }
            if region == own || MOVED_WITH_OTHERS.contains(&squash(name).as_str()) {
                target.clone_into(text);
            } else if !NO_REGIONS.contains(&region.as_str()) && region.chars().all(|c| c.is_ascii_alphanumeric()) {
                stays.push(format!("{path}: stays {region}"));
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                move_regions(item, name, own, target, &format!("{path}[{at}]"), stays);
            }
        }
        Json::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                // Users' own texts are no regions.
                if !(path == "tags" || path == "id" || path == "name") {
                    move_regions(value, name, own, target, &path, stays);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// `West Europe` and `westeurope` are the same.
fn squash(text: &str) -> String {
    text.to_lowercase().replace([' ', '_'], "")
}

fn member<'a>(body: &'a Json, name: &str) -> Option<&'a Json> {
    crate::translate::eval::member(body, name)
}
