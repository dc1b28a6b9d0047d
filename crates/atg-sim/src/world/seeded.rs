//! A tenant that is computed: row `i` is a function of the seed and `i`.

use std::sync::atomic::{AtomicBool, Ordering};

use atg_models::TenantId;
use serde_json::{Map, Value, json};

use super::bodies;
use super::changes;
use super::codec::{self, Kind};
use super::containers::{self, GroupWords};
use super::cx::{Cx, Spelling};
use super::plan::PLAN;
use super::shape::{self, Sizes};
use super::{Listing, PlantedChanges, Table, World, access, directory};
use crate::seeded;

/// A tenant of a seed and a number of resources.
#[derive(Debug)]
pub struct SeededWorld {
    seed: u64,
    resources: usize,
    tenant: TenantId,
    sizes: Sizes,
    planted: AtomicBool,
}

impl SeededWorld {
    /// Makes the tenant; nothing is computed before it is asked for.
    pub fn new(seed: u64, resources: usize) -> Self {
        let tenant = TenantId::new(codec::encode(seed, Kind::Unit, usize::MAX));
        Self {
            seed,
            resources,
            tenant,
            sizes: Sizes::new(resources),
            planted: AtomicBool::new(false),
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Rows of the resources table before any change.
    pub(crate) fn resources(&self) -> usize {
        self.resources
    }

    /// Users that may be referred to: all but the one that a planted change removes.
    pub(crate) fn users(&self) -> usize {
        self.sizes.users.saturating_sub(1)
    }

    pub(crate) fn groups(&self) -> usize {
        self.sizes.groups
    }

    pub(crate) fn planted(&self) -> bool {
        self.planted.load(Ordering::Acquire)
    }

    pub(crate) fn tenant_text(&self) -> String {
        self.tenant.to_string()
    }

    pub(crate) fn subscription_guid(&self, index: usize) -> String {
        codec::encode(self.seed, Kind::Subscription, index).to_string()
    }

    pub(crate) fn group_words(&self, group: usize) -> GroupWords {
        containers::words(self.seed, group)
    }

    /// `/subscriptions/…/resourceGroups/…`.
    pub(crate) fn group_id(&self, group: usize) -> String {
        let subscription = self.subscription_guid(shape::subscription_of_block(group / PLAN.stamps.len()));
        format!(
            "/subscriptions/{subscription}/resourceGroups/{}",
            containers::group_name(self.seed, group)
        )
    }

    /// The row of the service principal of identity `number` of a block.
    pub(crate) fn identity_index(&self, block: usize, number: usize) -> usize {
        self.sizes.principals_before_identities() + block * PLAN.identities + number
    }

    /// The context of a slot, planted ones (behind the block's last) included.
    pub(crate) fn cx(&self, block: usize, at: usize) -> Option<Cx<'_>> {
        let slot = match PLAN.slots.get(at) {
            Some(slot) => *slot,
            None if block == 0 => changes::added_slot(at.checked_sub(PLAN.slots.len())?)?,
            None => return None,
        };
        Some(Cx {
            world: self,
            block,
            at,
            slot,
        })
    }

    /// The context of row `index` of the resources table.
    pub(crate) fn cx_of_row(&self, index: usize) -> Option<Cx<'_>> {
        if index < self.resources {
            let size = PLAN.slots.len();
            return self.cx(index.checked_div(size)?, index.checked_rem(size)?);
        }
        self.cx(0, PLAN.slots.len() + index.checked_sub(self.resources)?)
    }

    /// Whether a slot is a row now.
    pub(crate) fn slot_exists(&self, block: usize, at: usize) -> bool {
        if at >= PLAN.slots.len() {
            return self.planted();
        }
        block * PLAN.slots.len() + at < self.resources && !(self.planted() && changes::is_removed(self, block, at))
    }

    /// An id in one of its spellings.
    pub(crate) fn id_of(&self, cx: &Cx<'_>, spelling: Spelling) -> String {
        let group = if self.planted() { changes::home(cx) } else { cx.group() };
        let group_name = containers::group_name(self.seed, group);
        let (mut keyword, mut group_name, mut arm) = ("resourceGroups", group_name, cx.slot.row.arm.to_owned());
        match (spelling, cx.slot.row.arm) {
            (Spelling::Own, bodies::DISK | bodies::SNAPSHOT | bodies::EXT) => group_name = group_name.to_uppercase(),
            (Spelling::Own, bodies::APPI | bodies::ACTION_GROUP | bodies::WORKBOOK) => {
                arm = arm.replace("Microsoft.Insights", "microsoft.insights");
            }
            (Spelling::Own, bodies::LAW | bodies::ACTIVITY_ALERT | bodies::SOLUTION) | (Spelling::LowerGroups, _) => {
                keyword = "resourcegroups";
            }
            (Spelling::Own | Spelling::Usual, _) => {}
        }
        let mut id = format!(
            "/subscriptions/{}/{keyword}/{group_name}/providers/{}",
            cx.subscription(),
            arm.split('/').next().unwrap_or_default()
        );
        let full = (cx.slot.row.name)(cx);
        for (kind, name) in arm.split('/').skip(1).zip(full.split('/')) {
            id.push('/');
            id.push_str(kind);
            id.push('/');
            id.push_str(name);
        }
        id
    }

    /// A resource's whole row.
    pub(crate) fn body(&self, cx: &Cx<'_>) -> Value {
        let group = if self.planted() { changes::home(cx) } else { cx.group() };
        let mut row = Map::new();
        row.insert("id".to_owned(), Value::String(cx.own_id()));
        row.insert("name".to_owned(), Value::String(cx.own_name()));
        row.insert("type".to_owned(), Value::String(cx.slot.row.arm.to_owned()));
        row.insert("tenantId".to_owned(), Value::String(self.tenant_text()));
        row.insert("location".to_owned(), Value::String(cx.location().to_owned()));
        row.insert(
            "resourceGroup".to_owned(),
            Value::String(containers::group_name(self.seed, group)),
        );
        row.insert("subscriptionId".to_owned(), Value::String(cx.subscription()));
        row.insert("tags".to_owned(), containers::resource_tags(cx));
        if bodies::has_system_data(cx.slot.row.arm) {
            row.insert("systemData".to_owned(), cx.system_data());
        }
        let mut body = (cx.slot.row.body)(cx);
        shape::prune(&mut body);
        if let Value::Object(body) = body {
            row.extend(body);
        }
        if self.planted() {
            changes::modify(cx, &mut row);
        }
        let newest = cx.slot.row.versions.first().copied().unwrap_or_default();
        row.insert("apiVersion".to_owned(), Value::String(newest.to_owned()));
        shape::fill(&mut row);
        Value::Object(row)
    }

    fn find(&self, group: usize, arm: &str, name: &str) -> Option<Cx<'_>> {
        let (block, stamp) = (group / PLAN.stamps.len(), group % PLAN.stamps.len());
        let place = PLAN.stamps.get(stamp)?;
        let own = (place.start..place.end).filter_map(|at| self.cx(block, at));
        let more = changes::guests(self, group);
        own.chain(more).find(|cx| {
            cx.slot.row.arm.eq_ignore_ascii_case(arm)
                && (cx.slot.row.name)(cx).eq_ignore_ascii_case(name)
                && cx.exists()
                && (!self.planted() || changes::home(cx) == group)
        })
    }

    /// What `segments` behind `…/providers/` name in a group; parts of a resource are looked up in it.
    fn in_group(&self, group: usize, segments: &[&str], id_lower: &str) -> Option<Value> {
        let (namespace, rest) = segments.split_first()?;
        let pairs: Vec<(&str, &str)> = rest
            .chunks_exact(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
            .collect();
        if rest.len() % 2 != 0 {
            return None;
        }
        for depth in (1..=pairs.len()).rev() {
            let (mut arm, mut name) = ((*namespace).to_owned(), String::new());
            for (kind, part) in pairs.iter().take(depth) {
                arm.push('/');
                arm.push_str(kind);
                if !name.is_empty() {
                    name.push('/');
                }
                name.push_str(part);
            }
            if let Some(cx) = self.find(group, &arm, &name) {
                let body = self.body(&cx);
                return if depth == pairs.len() {
                    Some(body)
                } else {
                    shape::part(&body, id_lower).cloned()
                };
            }
        }
        None
    }
}

impl World for SeededWorld {
    fn tenant_id(&self) -> TenantId {
        self.tenant
    }

    fn domain(&self) -> String {
        format!("contoso{}.onmicrosoft.com", self.seed)
    }

    fn len(&self, table: Table) -> usize {
        let planted = self.planted();
        match table {
            Table::ManagementGroups => containers::MANAGEMENT_GROUPS.len(),
            Table::Subscriptions => self.sizes.subscriptions,
            Table::ResourceGroups => self.sizes.resource_groups,
            Table::Resources => self.resources + if planted { changes::ADDED.len() } else { 0 },
            Table::RoleAssignments => self.sizes.assignments + usize::from(planted),
            Table::RoleDefinitions => access::definitions(self),
            Table::DenyAssignments => access::denials(self),
            Table::Users => self.sizes.users + usize::from(planted),
            Table::Groups => self.sizes.groups,
            Table::ServicePrincipals => self.sizes.principals,
            Table::Applications => self.sizes.applications,
            Table::DirectoryRoles => directory::ROLES.len(),
            Table::AdministrativeUnits => self.sizes.units,
            Table::PermissionGrants => self.sizes.grants,
            Table::Devices => self.sizes.devices,
        }
    }

    fn row(&self, table: Table, index: usize) -> Option<Value> {
        if index >= self.len(table) {
            return None;
        }
        match table {
            Table::ManagementGroups => containers::management_group(self, index),
            Table::Subscriptions => Some(containers::subscription(self, index)),
            Table::ResourceGroups => containers::resource_group(self, index),
            Table::Resources => {
                let cx = self.cx_of_row(index)?;
                cx.exists().then(|| self.body(&cx))
            }
            Table::RoleAssignments => access::assignment(self, index),
            Table::RoleDefinitions => access::definition(self, index),
            Table::DenyAssignments => access::denial(self, index),
            Table::Users => directory::user(self, index),
            Table::Groups => Some(directory::group(self, index)),
            Table::ServicePrincipals => Some(directory::principal(self, index)),
            Table::Applications => Some(directory::application(self, index)),
            Table::DirectoryRoles => directory::role(self, index),
            Table::AdministrativeUnits => Some(directory::unit(self, index)),
            Table::PermissionGrants => Some(directory::grant(self, index)),
            Table::Devices => Some(directory::device(self, index)),
        }
    }

    fn subscription_of(&self, table: Table, index: usize) -> Option<String> {
        let block = match table {
            Table::Resources => self.cx_of_row(index)?.block,
            Table::ResourceGroups => index / PLAN.stamps.len(),
            Table::Subscriptions => return Some(self.subscription_guid(index)),
            Table::ManagementGroups
            | Table::RoleAssignments
            | Table::RoleDefinitions
            | Table::DenyAssignments
            | Table::Users
            | Table::Groups
            | Table::ServicePrincipals
            | Table::Applications
            | Table::DirectoryRoles
            | Table::AdministrativeUnits
            | Table::PermissionGrants
            | Table::Devices => return None,
        };
        Some(self.subscription_guid(shape::subscription_of_block(block)))
    }

    fn resource(&self, id_lower: &str) -> Option<Value> {
        let lower = id_lower.to_lowercase();
        let segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).collect();
        if let [.., "microsoft.authorization", kind, name] = segments.as_slice() {
            return access::by_name(self, kind, name);
        }
        if let ["providers", "microsoft.management", "managementgroups", name] = segments.as_slice() {
            return containers::management_group_named(self, name);
        }
        let ["subscriptions", subscription, rest @ ..] = segments.as_slice() else {
            return None;
        };
        let (kind, index) = codec::decode(self.seed, subscription)?;
        if kind != Kind::Subscription || index >= self.sizes.subscriptions {
            return None;
        }
        if rest.is_empty() {
            return self.row(Table::Subscriptions, index);
        }
        let ["resourcegroups", name, rest @ ..] = rest else {
            return None;
        };
        let group = containers::group_named(self, name)?;
        if shape::subscription_of_block(group / PLAN.stamps.len()) != index {
            return None;
        }
        match rest {
            [] => self.row(Table::ResourceGroups, group),
            ["providers", inner @ ..] => self.in_group(group, inner, &lower),
            _ => None,
        }
    }

    fn listing(&self, listing: Listing, object_id: &str) -> Vec<Value> {
        directory::listing(self, listing, object_id)
    }

    fn types(&self) -> Vec<(String, Vec<String>)> {
        let mut types: Vec<(String, Vec<String>)> = PLAN
            .slots
            .iter()
            .filter(|slot| slot.ord == 0)
            .map(|slot| {
                (
                    slot.row.arm.to_owned(),
                    slot.row.versions.iter().map(|&version| version.to_owned()).collect(),
                )
            })
            .collect();
        types.sort();
        types.dedup();
        types
    }

    fn plant_changes(&self) -> PlantedChanges {
        self.planted.store(true, Ordering::Release);
        changes::list(self)
    }
}

/// A reference of Microsoft Graph.
pub(crate) fn reference(kind: &str, id: &str) -> Value {
    json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id})
}

/// A number of the seed and a row.
pub(crate) fn number(world: &SeededWorld, label: &str, index: usize) -> u64 {
    seeded::hash(seeded::pair(world.seed(), seeded::wide(index)), label)
}
