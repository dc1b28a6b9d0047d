//! The fixed list of changes between two scans: one switch, and pure functions of it.
//!
//! All of it is in the first block, and what goes away is referred to by nothing that stays.

use serde_json::{Map, Value, json};

use super::bodies::{self, ASG, LAW, METRIC_ALERT, NSG, PIP, STORAGE, VAULT, WORKBOOK};
use super::cx::{Cx, Spelling};
use super::plan::{PLAN, Slot};
use super::seeded::SeededWorld;
use super::{PlantedChanges, Table, World};

/// What is added, to the first group.
pub(crate) const ADDED: [&str; 4] = [NSG, PIP, STORAGE, ASG];
/// Ordinals of added resources start here, behind those of every group.
const ADDED_FROM: usize = 90;
/// Single resources that go away: group, type, which.
const REMOVED: [(&str, &str, usize); 2] = [("monitor", WORKBOOK, 1), ("iaas1", METRIC_ALERT, 1)];
/// The group that goes away with its content.
const REMOVED_GROUP: &str = "iot";
/// The resource that moves, and where to.
const MOVED: (&str, &str, usize, &str) = ("monitor", WORKBOOK, 0, "hub");
/// Resources whose body changes.
const MODIFIED: [(&str, &str, usize); 4] = [
    ("monitor", STORAGE, 0),
    ("monitor", LAW, 0),
    ("hub", NSG, 0),
    ("security", VAULT, 0),
];
/// The role assignment that goes away.
pub(crate) const REMOVED_ASSIGNMENT: usize = 3;

fn is(cx: &Cx<'_>, stamp: &str, arm: &str, ord: usize) -> bool {
    cx.block == 0 && cx.ord() == ord && cx.slot.row.arm == arm && cx.role() == stamp
}

/// The slot of an added resource.
pub(crate) fn added_slot(number: usize) -> Option<Slot> {
    let row = bodies::row(ADDED.get(number)?)?;
    Some(Slot {
        stamp: 0,
        row,
        ord: ADDED_FROM + number,
        identity: None,
    })
}

/// Whether a slot goes away.
pub(crate) fn is_removed(world: &SeededWorld, block: usize, at: usize) -> bool {
    block == 0
        && world.cx(block, at).is_some_and(|cx| {
            cx.role() == REMOVED_GROUP || REMOVED.iter().any(|(stamp, arm, ord)| is(&cx, stamp, arm, *ord))
        })
}

/// Whether a group goes away.
pub(crate) fn is_removed_group(world: &SeededWorld, group: usize) -> bool {
    group == PLAN.stamp_of(REMOVED_GROUP) && group < world.sizes().resource_groups
}

/// Whether nothing else may refer to this: it goes away or moves.
pub(crate) fn is_untouchable(cx: &Cx<'_>) -> bool {
    let (stamp, arm, ord, _) = MOVED;
    is_removed(cx.world, cx.block, cx.at) || is(cx, stamp, arm, ord)
}

/// The group a resource is in after the changes.
pub(crate) fn home(cx: &Cx<'_>) -> usize {
    let (stamp, arm, ord, target) = MOVED;
    let target = PLAN.stamp_of(target);
    if is(cx, stamp, arm, ord) && target < cx.world.sizes().resource_groups {
        target
    } else {
        cx.group()
    }
}

/// Resources that may be in a group without standing in its slots.
pub(crate) fn guests(world: &SeededWorld, group: usize) -> Vec<Cx<'_>> {
    if !world.planted() {
        return Vec::new();
    }
    let (stamp, arm, ord, target) = MOVED;
    let mut guests = Vec::new();
    if group == PLAN.stamp_of(target) {
        let moved = PLAN.slot_of(PLAN.stamp_of(stamp), arm, ord);
        guests.extend(moved.and_then(|at| world.cx(0, at)));
    }
    if group == 0 {
        guests.extend((0..ADDED.len()).filter_map(|number| world.cx(0, PLAN.slots.len() + number)));
    }
    guests
}

/// Tags are renamed on one resource, so that one has some in every world.
pub(crate) fn always_tagged(cx: &Cx<'_>) -> bool {
    is(cx, "security", VAULT, 0)
}

/// Changes a body.
pub(crate) fn modify(cx: &Cx<'_>, row: &mut Map<String, Value>) {
    if is(cx, "security", VAULT, 0) {
        if let Some(tags) = row.get_mut("tags").and_then(Value::as_object_mut) {
            let value = tags.remove("costCenter").unwrap_or(Value::Null);
            tags.insert("cost-center".to_owned(), value);
        }
        return;
    }
    let Some(properties) = row.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    if is(cx, "monitor", STORAGE, 0) {
        properties.insert("allowSharedKeyAccess".to_owned(), json!(false));
    } else if is(cx, "monitor", LAW, 0) {
        properties.insert("retentionInDays".to_owned(), json!(180));
    } else if is(cx, "hub", NSG, 0) {
        let id = cx.own_id();
        let rule = json!({
            "id": format!("{id}/securityRules/allow-new-partner"), "name": "allow-new-partner",
            "type": "Microsoft.Network/networkSecurityGroups/securityRules",
            "properties": {
                "provisioningState": "Succeeded", "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "8443",
                "sourceAddressPrefix": "203.0.113.0/24", "destinationAddressPrefix": "*", "access": "Allow",
                "priority": 310, "direction": "Inbound",
            },
        });
        if let Some(rules) = properties.get_mut("securityRules").and_then(Value::as_array_mut) {
            rules.push(rule);
        }
    }
}

/// The list, as lower-cased ids.
pub(crate) fn list(world: &SeededWorld) -> PlantedChanges {
    let mut changes = PlantedChanges::default();
    let existed = |at: usize| at < world.resources();
    let find = |stamp: &str, arm: &str, ord| PLAN.slot_of(PLAN.stamp_of(stamp), arm, ord).filter(|&at| existed(at));
    for number in 0..ADDED.len() {
        changes.added.extend(
            world
                .cx(0, PLAN.slots.len() + number)
                .map(|cx| cx.own_id().to_lowercase()),
        );
    }
    for (stamp, arm, ord) in MODIFIED {
        let cx = find(stamp, arm, ord).and_then(|at| world.cx(0, at));
        changes.modified.extend(cx.map(|cx| cx.own_id().to_lowercase()));
    }
    for at in (0..PLAN.slots.len()).filter(|&at| existed(at) && is_removed(world, 0, at)) {
        changes
            .removed
            .extend(world.cx(0, at).map(|cx| cx.own_id().to_lowercase()));
    }
    let removed_group = PLAN.stamp_of(REMOVED_GROUP);
    if is_removed_group(world, removed_group) {
        changes.removed.push(world.group_id(removed_group).to_lowercase());
    }
    let (stamp, arm, ord, _) = MOVED;
    if let Some(cx) = find(stamp, arm, ord).and_then(|at| world.cx(0, at)) {
        let new = cx.own_id().to_lowercase();
        let (old_group, new_group) = (
            world.group_id(cx.group()).to_lowercase(),
            world.group_id(home(&cx)).to_lowercase(),
        );
        changes.removed.push(new.replacen(&new_group, &old_group, 1));
        changes.added.push(new);
    }
    list_access(world, &mut changes);
    for ids in [&mut changes.added, &mut changes.modified, &mut changes.removed] {
        ids.sort();
    }
    changes
}

fn list_access(world: &SeededWorld, changes: &mut PlantedChanges) {
    let id = |row: Option<Value>| row.and_then(|row| Some(row.get("id")?.as_str()?.to_lowercase()));
    let sizes = world.sizes();
    changes
        .added
        .extend(id(world.row(Table::RoleAssignments, sizes.assignments)));
    changes
        .removed
        .extend(id(super::access::assignment_always(world, REMOVED_ASSIGNMENT)));
    changes.added.extend(id(world.row(Table::Users, sizes.users)));
    changes.removed.extend(id(Some(super::directory::user_always(
        world,
        sizes.users.saturating_sub(1),
    ))));
}

/// The id that a resource is asked for by, whatever its provider prints.
pub(crate) fn usual_id(cx: &Cx<'_>) -> String {
    cx.world.id_of(cx, Spelling::Usual)
}
