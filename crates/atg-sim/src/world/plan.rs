//! The layout of a seeded world: one block of groups and slots, repeated.
//!
//! Row `i` is slot `i % block` of block `i / block`. Slots are ordered so that what a resource
//! cannot do without stands before it; references in the other direction are left out where the
//! far end does not exist. The counts follow the measured tenant of the design (azure.md).

use std::sync::LazyLock;

use super::bodies::{self, TypeRow};
use super::stamps;

/// A resource's place in a block.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    /// Position of its group in the block.
    pub(crate) stamp: usize,
    /// Its type.
    pub(crate) row: &'static TypeRow,
    /// Which one of its type in its group.
    pub(crate) ord: usize,
    /// Which identity of the block it has, if any.
    pub(crate) identity: Option<usize>,
}

/// A group's place in a block.
pub(crate) struct Stamp {
    /// The role of the group, `hub`.
    pub(crate) name: &'static str,
    /// Word in its names; `None` for one chosen by seed.
    pub(crate) stem: Option<&'static str>,
    /// First slot.
    pub(crate) start: usize,
    /// Slot after the last.
    pub(crate) end: usize,
    /// Networks of the block before this group.
    pub(crate) networks_before: usize,
}

/// The block.
pub(crate) struct Plan {
    /// In order of rows.
    pub(crate) slots: Vec<Slot>,
    /// In order of groups.
    pub(crate) stamps: Vec<Stamp>,
    /// Identities per block.
    pub(crate) identities: usize,
}

/// The one plan, the same for every seed.
pub(crate) static PLAN: LazyLock<Plan> = LazyLock::new(compile);

fn compile() -> Plan {
    let mut plan = Plan {
        slots: Vec::new(),
        stamps: Vec::new(),
        identities: 0,
    };
    let mut networks = 0;
    for stamp in stamps::STAMPS {
        let start = plan.slots.len();
        let networks_before = networks;
        for (arm, count) in stamp.items {
            let Some(row) = bodies::row(arm) else { continue };
            for ord in 0..*count {
                let identity = bodies::has_identity(arm).then_some(plan.identities);
                plan.identities += usize::from(identity.is_some());
                networks += usize::from(*arm == bodies::VNET);
                plan.slots.push(Slot {
                    stamp: plan.stamps.len(),
                    row,
                    ord,
                    identity,
                });
            }
        }
        plan.stamps.push(Stamp {
            name: stamp.name,
            stem: stamp.stem,
            start,
            end: plan.slots.len(),
            networks_before,
        });
    }
    plan
}

impl Plan {
    /// The slot of a type's n-th resource in a group of the block.
    pub(crate) fn slot_of(&self, stamp: usize, arm: &str, ord: usize) -> Option<usize> {
        let place = self.stamps.get(stamp)?;
        (place.start..place.end).find(|at| {
            self.slots
                .get(*at)
                .is_some_and(|slot| slot.ord == ord && slot.row.arm == arm)
        })
    }

    /// Which group of the block has that role.
    pub(crate) fn stamp_of(&self, name: &str) -> usize {
        self.stamps.iter().position(|stamp| stamp.name == name).unwrap_or(0)
    }
}
