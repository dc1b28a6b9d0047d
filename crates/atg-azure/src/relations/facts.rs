//! What an edge carries besides its ends.

use atg_models::graph::Relation;
use serde_json::{Map, Value};

use crate::relations::catalogue::Row;
use crate::relations::derive::Subject;
use crate::relations::path::member;
use crate::relations::walk::{At, around};

/// Members beside the value that say what an access amounts to.
const RIGHTS: &[&str] = &[
    "permissions",
    "role",
    "accessPolicyName",
    "roleDefinitionId",
    "appRoleId",
    "scope",
    "consentType",
];

/// Whether there may be several edges of a relation between two things, told apart by what states them.
pub(crate) const fn is_qualified(relation: Relation) -> bool {
    matches!(relation, Relation::HasRole | Relation::AssignedTo | Relation::CanAccess)
}

/// The facts that `row` finds around its value.
pub(crate) fn facts(row: &Row, subject: &Subject<'_>, at: &[At<'_>]) -> Map<String, Value> {
    let mut facts = Map::new();
    let around = around(subject.body, at);
    if row.relation == Relation::HasRole && subject.end.type_.is_some() {
        facts.insert("assignment".to_owned(), Value::String(subject.end.id.to_string()));
        for name in ["scope", "condition", "conditionVersion"] {
            keep(&mut facts, around, name);
        }
    }
    if row.relation == Relation::CanAccess {
        for name in RIGHTS {
            keep(&mut facts, around, name);
        }
    }
    if row.relation == Relation::AssignedTo && row.id.contains("eligib") {
        facts.insert("eligible".to_owned(), Value::Bool(true));
    }
    facts
}

fn keep(facts: &mut Map<String, Value>, around: Option<&Value>, name: &str) {
    let value = around.and_then(|around| member(around, name));
    if let Some(value) = value.filter(|value| !value.is_null()) {
        facts.insert(name.to_owned(), value.clone());
    }
}
