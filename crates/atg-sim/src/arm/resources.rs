//! Resources: the generic list, one by id, and lists of one type.

use serde_json::Value;

use super::{containers, list};
use crate::call::{Call, Reply};
use crate::sim::Sim;
use crate::tables::{self, Entry};
use crate::world::Table;

/// What the generic list leaves out (documented: it carries no properties).
const NOT_IN_GENERIC: [&str; 3] = ["properties", "etag", "systemData"];

/// `GET …/resources` of a subscription or a group.
pub(crate) fn generic(sim: &Sim, call: &Call) -> Reply {
    let path = call.path.to_ascii_lowercase();
    let scope = path.trim_end_matches('/').trim_end_matches("resources").to_owned();
    let own = tables::subscription(&path).unwrap_or_default();
    if !containers::exists(sim, own) {
        return containers::subscription_not_found(&path);
    }
    let chosen = below(sim, &scope, |_| true);
    list::entries(sim, call, chosen, |sim, entry| {
        let mut row = entry.row(sim)?;
        if let Value::Object(map) = &mut row {
            map.retain(|key, _| !NOT_IN_GENERIC.contains(&key.as_str()));
            // Children are named after their parents too.
            let names = child_name(&entry.lower, map.get("id").and_then(Value::as_str).unwrap_or_default());
            map.insert("name".to_owned(), Value::String(names));
        }
        Some(list::arm_body(sim, row))
    })
}

/// A resource, a group, or the list of a type.
pub(crate) fn by_path(sim: &Sim, call: &Call, segments: &[&str]) -> Reply {
    let lower = format!("/{}", segments.join("/"));
    if let ["subscriptions", own, ..] = segments
        && !containers::exists(sim, own)
    {
        return containers::subscription_not_found(&lower);
    }
    if let Some(row) = row(sim, &lower) {
        return Reply::ok(match segments {
            ["subscriptions", _, "resourcegroups", _] => containers::group_shape(sim, &row),
            _ => list::arm_body(sim, row),
        });
    }
    match segments {
        ["subscriptions", _, "resourcegroups", group] => Reply::error(
            404,
            "ResourceGroupNotFound",
            &format!("Resource group '{group}' could not be found."),
        ),
        _ => collection(sim, call, segments, &lower),
    }
}

fn collection(sim: &Sim, call: &Call, segments: &[&str], lower: &str) -> Reply {
    let provider = segments.iter().rposition(|segment| *segment == "providers");
    let Some((scope, typed)) = provider.map(|at| segments.split_at(at)) else {
        return Reply::error(404, "NotFound", "The requested path is not known.");
    };
    // `providers`, the namespace, then types and names in turn: a list ends with a type.
    let is_list = typed.len() >= 3 && typed.len() % 2 == 1;
    if !is_list {
        let text = format!(
            "The Resource '{}' under resource group '{}' was not found.",
            typed.iter().skip(1).copied().collect::<Vec<_>>().join("/"),
            scope.get(3).copied().unwrap_or_default()
        );
        return Reply::error(404, "ResourceNotFound", &text);
    }
    let types: Vec<&str> = typed.iter().skip(2).step_by(2).copied().collect();
    let kind = format!("{}/{}", typed.get(1).copied().unwrap_or_default(), types.join("/"));
    if types.len() > 1 {
        return children(sim, call, lower, &kind);
    }
    let scope = format!("/{}/", scope.join("/"));
    let known = sim
        .world
        .types()
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(&kind));
    let chosen = below(sim, &scope, |entry| *entry.kind == *kind);
    if chosen.is_empty() && !known {
        let text = format!(
            "The resource type '{}' could not be found in the namespace '{}'.",
            types.join("/"),
            typed.get(1).copied().unwrap_or_default()
        );
        return Reply::error(404, "InvalidResourceType", &text);
    }
    list::entries(sim, call, chosen, body)
}

/// Children of one resource: rows of their own, or what the parent carries inline.
fn children(sim: &Sim, call: &Call, lower: &str, kind: &str) -> Reply {
    let Some((parent, child)) = lower.rsplit_once('/') else {
        return Reply::error(404, "NotFound", "The requested path is not known.");
    };
    let Some(parent_row) = row(sim, parent) else {
        return Reply::error(
            404,
            "ParentResourceNotFound",
            &format!("Can not perform requested operation on nested resource. Parent resource '{parent}' not found."),
        );
    };
    let chosen = below(sim, &format!("{lower}/"), |entry| *entry.kind == *kind);
    if !chosen.is_empty() {
        return list::entries(sim, call, chosen, body);
    }
    let inline = parent_row
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let inline = inline
        .filter(|(name, _)| name.eq_ignore_ascii_case(child))
        .filter_map(|(_, value)| value.as_array());
    let items = inline
        .flatten()
        .cloned()
        .map(|item| list::arm_body(sim, item))
        .collect();
    list::reply(sim, call, items)
}

fn body(sim: &Sim, entry: &Entry) -> Option<Value> {
    entry.row(sim).map(|row| list::arm_body(sim, row))
}

/// A row by its lower-cased id: of the world, or one that a fault added.
fn row(sim: &Sim, lower: &str) -> Option<Value> {
    sim.world.resource(lower).or_else(|| {
        [
            Table::RoleAssignments,
            Table::RoleDefinitions,
            Table::DenyAssignments,
            Table::Resources,
        ]
        .into_iter()
        .find_map(|table| {
            let entries = sim.tables.get(sim, table);
            let at = entries.binary_search_by(|entry| entry.lower.as_ref().cmp(lower)).ok()?;
            entries.get(at)?.row(sim)
        })
    })
}

/// The entries whose id starts with a prefix; they stand together, because entries are sorted by id.
fn below(sim: &Sim, prefix: &str, accept: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let entries = sim.tables.get(sim, Table::Resources);
    let start = entries.partition_point(|entry| entry.lower.as_ref() < prefix);
    entries
        .iter()
        .skip(start)
        .take_while(|entry| entry.lower.starts_with(prefix))
        .filter(|entry| accept(entry))
        .cloned()
        .collect()
}

/// `parent/child`, in the spelling of the id.
fn child_name(lower: &str, id: &str) -> String {
    let provider = lower.rfind("/providers/").unwrap_or(0);
    let typed = id.get(provider..).unwrap_or_default();
    typed.split('/').skip(4).step_by(2).collect::<Vec<_>>().join("/")
}
