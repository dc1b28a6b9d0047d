//! Who may do what where: the role assignments, with placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use atg_models::graph::{NodeKind, Relation};

use super::head::more;
use super::outline::{At, Outline};
use crate::limits::SPEC_ROWS_MAX;

/// The ends of one assignment.
#[derive(Default)]
struct Assignment {
    role: Option<String>,
    principal: Option<String>,
    scope: Option<String>,
}

/// The role assignments.
#[derive(Default)]
pub(super) struct Access {
    by_assignment: BTreeMap<At, Assignment>,
}

impl Access {
    /// Takes up an edge, if it is an assignment's.
    pub(super) fn add(&mut self, outline: &Outline, source: At, relation: Relation, target: At) {
        let Some(entry) = outline
            .entries
            .get(source)
            .filter(|entry| entry.kind == NodeKind::RoleAssignment)
        else {
            return;
        };
        let Some(target) = outline.entries.get(target).filter(|_| entry.observed) else {
            return;
        };
        let assignment = self.by_assignment.entry(source).or_default();
        let end = if relation == Relation::DefinedBy {
            &mut assignment.role
        } else if relation == Relation::AssignedTo {
            &mut assignment.principal
        } else if relation == Relation::AppliesTo {
            &mut assignment.scope
        } else {
            return;
        };
        *end = Some(target.label.as_ref().to_owned());
    }

    /// The table, if there is anything in it.
    pub(super) fn write(&self, text: &mut String) {
        let or_dash = |end: &Option<String>| end.clone().unwrap_or_else(|| "–".to_owned());
        let rows: BTreeSet<_> = self
            .by_assignment
            .values()
            .map(|assignment| {
                (
                    or_dash(&assignment.role),
                    or_dash(&assignment.principal),
                    or_dash(&assignment.scope),
                )
            })
            .collect();
        if rows.is_empty() {
            return;
        }
        text.push_str("### Role assignments\n\n| Role | Principal | Scope |\n|---|---|---|\n");
        for (role, principal, scope) in rows.iter().take(SPEC_ROWS_MAX) {
            let _ = writeln!(text, "| {role} | {principal} | {scope} |");
        }
        more(text, rows.len());
        text.push('\n');
    }
}
