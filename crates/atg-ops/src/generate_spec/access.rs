//! Who may do what where: the role assignments, with placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use atg_models::graph::{NodeKind, Relation};

use super::files::Block;
use super::outline::{At, Outline};

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

    /// The assignments as blocks, by role.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let or_dash = |end: &Option<String>| end.clone().unwrap_or_else(|| "–".to_owned());
        let mut by_role: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for assignment in self.by_assignment.values() {
            let of_role = by_role.entry(or_dash(&assignment.role)).or_default();
            of_role.insert((or_dash(&assignment.scope), or_dash(&assignment.principal)));
        }
        let mut blocks = Vec::new();
        let mut heading = "## Role assignments\n\n".to_owned();
        for (role, assigned) in by_role {
            // Writing to a String cannot fail.
            let _ = writeln!(heading, "### {role} ({})\n", assigned.len());
            let count = assigned.len();
            for (at, (scope, principal)) in assigned.into_iter().enumerate() {
                let _ = writeln!(heading, "- {principal} on {scope}");
                if at + 1 == count {
                    heading.push('\n');
                }
                blocks.push(Block(std::mem::take(&mut heading)));
            }
        }
        blocks
    }
}
