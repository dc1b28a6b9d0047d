//! Role assignments and definitions, deny assignments, locks, policy: lists at a scope.

use serde_json::Value;

use super::list;
use crate::call::{Call, Reply};
use crate::sim::Sim;
use crate::tables::{Entry, lower_field};
use crate::world::Table;

/// `GET {scope}/providers/Microsoft.Authorization/{kind}`; the scope in lower case.
pub(crate) fn list(sim: &Sim, call: &Call, scope: &str, kind: &str) -> Reply {
    let at_scope = call
        .param("$filter")
        .is_some_and(|filter| filter.to_ascii_lowercase().contains("atscope()"));
    let chosen = match kind {
        "roleassignments" => at(sim, Table::RoleAssignments, scope, at_scope),
        "denyassignments" => at(sim, Table::DenyAssignments, scope, at_scope),
        "roledefinitions" => definitions(sim, scope),
        "locks"
        | "policyassignments"
        | "policydefinitions"
        | "policysetdefinitions"
        | "policyexemptions"
        | "roleeligibilityschedules"
        | "roleeligibilityscheduleinstances"
        | "roleassignmentschedules" => Vec::new(),
        _ => {
            let text =
                format!("The resource type '{kind}' could not be found in the namespace 'Microsoft.Authorization'.");
            return Reply::error(404, "InvalidResourceType", &text);
        }
    };
    list::entries(sim, call, chosen, |sim, entry| {
        entry.row(sim).map(|row| list::arm_body(sim, row))
    })
}

/// What holds at a scope: what is above it, and unless only the scope itself is asked for, below.
fn at(sim: &Sim, table: Table, scope: &str, at_scope: bool) -> Vec<Entry> {
    let scope = scope.trim_end_matches('/');
    let entries = sim.tables.get(sim, table);
    let holds = |entry: &&Entry| {
        let given = entry
            .row(sim)
            .map(|row| given_scope(&row, &entry.lower))
            .unwrap_or_default();
        let above = within(scope, &given) || given.starts_with("/providers/microsoft.management/");
        above || (!at_scope && within(&given, scope))
    };
    entries.iter().filter(holds).cloned().collect()
}

fn definitions(sim: &Sim, scope: &str) -> Vec<Entry> {
    let scope = scope.trim_end_matches('/');
    let entries = sim.tables.get(sim, Table::RoleDefinitions);
    let assignable = |entry: &&Entry| {
        let Some(row) = entry.row(sim) else { return false };
        let scopes = row
            .pointer("/properties/assignableScopes")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        scopes.iter().filter_map(Value::as_str).any(|given| {
            let given = given.to_ascii_lowercase();
            within(scope, &given) || given.starts_with("/providers/microsoft.management/")
        })
    };
    entries.iter().filter(assignable).cloned().collect()
}

fn given_scope(row: &Value, lower_id: &str) -> String {
    let properties = row.get("properties").cloned().unwrap_or_default();
    let scope = lower_field(&properties, "scope");
    if scope.is_empty() {
        let end = lower_id.rfind("/providers/microsoft.authorization/").unwrap_or(0);
        return lower_id.get(..end).unwrap_or_default().to_owned();
    }
    scope
}

/// Whether `inner` is `outer` or lies below it.
fn within(inner: &str, outer: &str) -> bool {
    let outer = outer.trim_end_matches('/');
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
