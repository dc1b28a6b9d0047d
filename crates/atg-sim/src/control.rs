//! `/_sim/…`: what a test sees and changes while the simulator runs. Loopback only.

use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::fault::{Fault, FaultKind};
use crate::sim::Sim;
use crate::world::Table;

/// Answers a control path.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    if !sim.config.control {
        return Reply::error(404, "NotFound", "The control endpoints are off.");
    }
    let segments = call.lower_segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["_sim", "stats"]) => Reply::ok(serde_json::to_value(sim.report()).unwrap_or_default()),
        ("GET", ["_sim", "world"]) => Reply::ok(world(sim)),
        ("POST", ["_sim", "mark"]) => {
            sim.mark();
            Reply::ok(json!({"marked": true}))
        }
        ("POST", ["_sim", "plant-changes"]) => Reply::ok(serde_json::to_value(sim.plant_changes()).unwrap_or_default()),
        ("POST", ["_sim", "expire-tokens"]) => {
            sim.expire_tokens();
            Reply::ok(json!({"expired": true}))
        }
        ("POST", ["_sim", "faults"]) => arm(sim, call),
        ("DELETE", ["_sim", "faults"]) => {
            sim.clear_faults();
            Reply::ok(json!({"faults": []}))
        }
        _ => Reply::error(404, "NotFound", "There is no such control endpoint."),
    }
}

/// Takes one fault or a list: as on the command line, as an object, or as `{"kind": …, "seed": n}`.
fn arm(sim: &Sim, call: &Call) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return Reply::error(400, "BadRequest", "The body is not JSON.");
    };
    let items = body.as_array().cloned().unwrap_or_else(|| vec![body]);
    let mut faults = Vec::new();
    for item in items {
        match read(&item) {
            Ok(fault) => faults.push(fault),
            Err(reason) => return Reply::error(400, "BadRequest", &reason),
        }
    }
    let answer = json!({"faults": faults});
    for fault in faults {
        sim.arm(fault);
    }
    Reply::ok(answer)
}

fn read(item: &Value) -> Result<Fault, String> {
    if let Some(text) = item.as_str() {
        return Fault::parse(text).map_err(|error| error.to_string());
    }
    if let Some(seed) = item.get("seed").and_then(Value::as_u64) {
        let name = item.get("kind").and_then(Value::as_str).unwrap_or_default();
        let kind = FaultKind::from_wire(name).ok_or_else(|| format!("there is no fault named {name}"))?;
        return Ok(Fault::from_seed(kind, seed));
    }
    let mut fault: Fault = serde_json::from_value(item.clone()).map_err(|error| error.to_string())?;
    if item.get("count").is_none() {
        fault.count = Fault::new(fault.kind).count;
    }
    Ok(fault)
}

fn world(sim: &Sim) -> Value {
    let tables = [
        ("management_groups", Table::ManagementGroups),
        ("subscriptions", Table::Subscriptions),
        ("resource_groups", Table::ResourceGroups),
        ("resources", Table::Resources),
        ("role_assignments", Table::RoleAssignments),
        ("role_definitions", Table::RoleDefinitions),
        ("deny_assignments", Table::DenyAssignments),
        ("users", Table::Users),
        ("groups", Table::Groups),
        ("service_principals", Table::ServicePrincipals),
        ("applications", Table::Applications),
        ("directory_roles", Table::DirectoryRoles),
        ("administrative_units", Table::AdministrativeUnits),
        ("permission_grants", Table::PermissionGrants),
        ("devices", Table::Devices),
    ];
    let counts: serde_json::Map<String, Value> = tables
        .into_iter()
        .map(|(name, table)| (name.to_owned(), json!(sim.tables.get(sim, table).len())))
        .collect();
    let left_out: Vec<Value> = sim
        .world
        .left_out()
        .into_iter()
        .map(|(id, reason)| json!({"id": id, "reason": reason}))
        .collect();
    json!({"tenant_id": sim.tenant(), "domain": sim.world.domain(), "counts": counts, "left_out": left_out})
}
