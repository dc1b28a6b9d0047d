//! Containment: every thing hangs under the nearest thing that its id names, under the tenant if none.

use atg_models::ArmId;
use atg_models::graph::{AssertedEdge, EdgeEnd, NodeKind, Relation};
use serde_json::{Map, Value};

use crate::relations::derive::{Derived, Subject};
use crate::relations::path::{member, text_member};
use crate::relations::{ends, parts};

/// Adds the edge from the subject's holder, and those that join holders of which no body may
/// ever be read (a child whose parent no list serves would else hang in the air).
pub(crate) fn contain(subject: &Subject<'_>, out: &mut Derived) {
    let tenant = ends::tenant_end(subject.tenant);
    let own = &subject.end;
    let Some(id) = subject.arm.as_ref().filter(|id| !ends::is_global(id, &own.id)) else {
        out.edge(contains(tenant, own.clone()));
        return;
    };
    if matches!(own.kind, NodeKind::ManagementGroup | NodeKind::Subscription) {
        // Their ids name no holder: their bodies do, by rows of the catalogue.
        let held = out
            .edges
            .iter()
            .any(|edge| edge.relation == Relation::Contains && edge.target.id == own.id);
        if !held {
            out.edge(contains(chain_parent(subject).unwrap_or(tenant), own.clone()));
        }
        return;
    }
    let mut held = own.clone();
    let mut above = id.parent();
    loop {
        let holder = above.as_ref().map(|id| parts::roll_up(id).0);
        let end = holder.as_ref().map_or_else(|| tenant.clone(), ends::arm_end);
        let goes_on = end.kind == NodeKind::Resource;
        out.edge(contains(end.clone(), held));
        if !goes_on {
            return;
        }
        held = end;
        above = holder.as_ref().and_then(ArmId::parent);
    }
}

fn contains(holder: EdgeEnd, held: EdgeEnd) -> AssertedEdge {
    AssertedEdge {
        source: holder,
        relation: Relation::Contains,
        target: held,
        qualifier: String::new(),
        path: "id".to_owned(),
        properties: Map::new(),
    }
}

/// Resource Graph lists a management group's ancestors nearest first.
fn chain_parent(subject: &Subject<'_>) -> Option<EdgeEnd> {
    let properties = member(subject.body, "properties")?;
    let details = member(properties, "details").unwrap_or(properties);
    let first = member(details, "managementGroupAncestorsChain")
        .and_then(Value::as_array)?
        .first()?;
    let name = text_member(first, "name").filter(|name| !name.is_empty())?;
    let id = format!("/providers/Microsoft.Management/managementGroups/{name}");
    Some(ends::arm_end(&id.parse().ok()?))
}
