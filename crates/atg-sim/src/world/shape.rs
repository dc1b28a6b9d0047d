//! How many of everything, and the envelope that every ARM row has.

use serde_json::{Map, Value};

use super::plan::PLAN;

/// Two blocks are about 800 resources.
const BLOCKS_PER_SUBSCRIPTION: usize = 2;
/// The measured tenant, to which the directory is scaled.
const MEASURED_RESOURCES: usize = 3_459;
const MEASURED_USERS: usize = 427;
const MEASURED_GROUPS: usize = 41;
const MEASURED_PRINCIPALS: usize = 574;
const MEASURED_ASSIGNMENTS: usize = 1_042;
/// Columns of a Resource Graph row that are null where the body has none.
const COLUMNS: [&str; 16] = [
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
];

/// Rows per table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) subscriptions: usize,
    pub(crate) resource_groups: usize,
    pub(crate) assignments: usize,
    pub(crate) users: usize,
    pub(crate) groups: usize,
    pub(crate) principals: usize,
    pub(crate) applications: usize,
    pub(crate) units: usize,
    pub(crate) grants: usize,
    pub(crate) devices: usize,
}

impl Sizes {
    pub(crate) fn new(resources: usize) -> Self {
        let scaled = |measured: usize, least: usize| (resources * measured / MEASURED_RESOURCES).max(least);
        let block = PLAN.slots.len().max(1);
        let (whole, rest) = (resources / block, resources % block);
        let partial_groups = if rest == 0 {
            0
        } else {
            PLAN.stamps.iter().filter(|stamp| stamp.start < rest).count()
        };
        let partial_identities = PLAN
            .slots
            .iter()
            .take(rest)
            .filter(|slot| slot.identity.is_some())
            .count();
        let identities = whole * PLAN.identities + partial_identities;
        let applications = scaled(MEASURED_PRINCIPALS, 30)
            .saturating_sub(super::directory::FIRST_PARTY.len() + identities)
            .max(10);
        let users = scaled(MEASURED_USERS, 12);
        Self {
            subscriptions: (whole + usize::from(rest > 0)).div_ceil(BLOCKS_PER_SUBSCRIPTION).max(3),
            resource_groups: whole * PLAN.stamps.len() + partial_groups,
            assignments: scaled(MEASURED_ASSIGNMENTS, 20),
            users,
            groups: scaled(MEASURED_GROUPS, 6),
            principals: super::directory::FIRST_PARTY.len() + applications + identities,
            applications,
            units: (resources / 1_000).max(2),
            grants: applications.div_ceil(2),
            devices: users / 4,
        }
    }

    /// First-party principals and those of applications come first.
    pub(crate) fn principals_before_identities(&self) -> usize {
        super::directory::FIRST_PARTY.len() + self.applications
    }
}

/// The subscription of a block.
pub(crate) fn subscription_of_block(block: usize) -> usize {
    block / BLOCKS_PER_SUBSCRIPTION
}

/// Adds the columns that a body lacks, as nulls.
pub(crate) fn fill(row: &mut Map<String, Value>) {
    for column in COLUMNS {
        row.entry(column).or_insert(Value::Null);
    }
}

/// Removes nulls, and objects that held nothing else: references to what does not exist.
pub(crate) fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let before = map.len();
            map.values_mut().for_each(prune);
            map.retain(|_, value| !value.is_null());
            if map.is_empty() && before > 0 {
                *value = Value::Null;
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !item.is_null());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The object inside a body that has this id.
pub(crate) fn part<'v>(value: &'v Value, id_lower: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => {
            let own = map
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| id.eq_ignore_ascii_case(id_lower));
            // A reference elsewhere in the body has the same id and nothing else.
            if own && map.len() > 1 {
                return Some(value);
            }
            map.values().find_map(|inner| part(inner, id_lower))
        }
        Value::Array(items) => items.iter().find_map(|inner| part(inner, id_lower)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
