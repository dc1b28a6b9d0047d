//! What a body may ask: its own place, and the ids of others that exist.

use serde_json::{Map, Value, json};

use super::codec::{self, Kind};
use super::plan::{PLAN, Slot};
use super::seeded::SeededWorld;
use super::{shape, words};
use crate::seeded::{self, hash, pair};

/// One resource being made.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'w> {
    /// The world it is in.
    pub(crate) world: &'w SeededWorld,
    /// Its block.
    pub(crate) block: usize,
    /// Its position in the block.
    pub(crate) at: usize,
    /// What the position says.
    pub(crate) slot: Slot,
}

impl<'w> Cx<'w> {
    /// Which one of its type in its group.
    pub(crate) fn ord(&self) -> usize {
        self.slot.ord
    }

    /// The number of its group in the tenant.
    pub(crate) fn group(&self) -> usize {
        self.block * PLAN.stamps.len() + self.slot.stamp
    }

    /// The role of its group.
    pub(crate) fn role(&self) -> &'static str {
        PLAN.stamps.get(self.slot.stamp).map_or("", |stamp| stamp.name)
    }

    /// A number that belongs to this resource and a label.
    pub(crate) fn number(&self, label: &str) -> u64 {
        let at = seeded::wide(self.block * PLAN.slots.len() + self.at);
        hash(pair(self.world.seed(), at), label)
    }

    /// One of `n`, by a label.
    pub(crate) fn one_of(&self, label: &str, n: u64) -> u64 {
        self.number(label).checked_rem(n).unwrap_or(0)
    }

    /// An item of a list, by a label.
    pub(crate) fn choose<T: Copy + Default>(&self, label: &str, list: &[T]) -> T {
        words::pick(list, self.number(label)).unwrap_or_default()
    }

    /// A UUID that belongs to this resource and a label.
    pub(crate) fn guid(&self, label: &str) -> String {
        seeded::uuid(self.number("guid"), label)
    }

    /// A time in the last years, by a label.
    pub(crate) fn time(&self, label: &str) -> String {
        let number = self.number(label);
        let (month, day) = (number % 12 + 1, number / 12 % 28 + 1);
        let (hour, minute, second) = (number / 400 % 24, number / 10_000 % 60, number / 600_000 % 60);
        let year = 2021 + number / 40_000_000 % 5;
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `vm-payments-prd-0012-01`.
    pub(crate) fn name(&self, prefix: &str) -> String {
        let group = self.world.group_words(self.group());
        format!(
            "{prefix}-{}-{}-{:04}-{:02}",
            group.stem,
            group.env,
            self.group(),
            self.ord() + 1
        )
    }

    /// The same without hyphens, for what allows none.
    pub(crate) fn compact(&self, prefix: &str) -> String {
        let group = self.world.group_words(self.group());
        format!(
            "{prefix}{}{}{:04}{:02}",
            group.stem,
            group.env,
            self.group(),
            self.ord() + 1
        )
    }

    /// The workload's word.
    pub(crate) fn stem(&self) -> &'static str {
        self.world.group_words(self.group()).stem
    }

    /// The region of the group.
    pub(crate) fn location(&self) -> &'static str {
        self.world.group_words(self.group()).region
    }

    /// The resource's own name as ARM shows it: the last part of a child's.
    pub(crate) fn own_name(&self) -> String {
        let full = (self.slot.row.name)(self);
        full.rsplit_once('/').map_or(full.clone(), |(_, last)| last.to_owned())
    }

    /// The resource's id.
    pub(crate) fn own_id(&self) -> String {
        self.world.id_of(self, Spelling::Own)
    }

    /// The subscription's id.
    pub(crate) fn subscription(&self) -> String {
        self.world.subscription_guid(shape::subscription_of_block(self.block))
    }

    /// The id of the group.
    pub(crate) fn group_id(&self) -> String {
        self.world.group_id(self.group())
    }

    /// Another resource of the same group, whether or not it exists.
    pub(crate) fn sibling(&self, arm: &str, ord: usize) -> Option<Cx<'w>> {
        self.at_slot(self.slot.stamp, arm, ord)
    }

    /// A resource of another group of the block, whether or not it exists.
    pub(crate) fn there(&self, stamp: &str, arm: &str, ord: usize) -> Option<Cx<'w>> {
        self.at_slot(PLAN.stamp_of(stamp), arm, ord)
    }

    fn at_slot(&self, stamp: usize, arm: &str, ord: usize) -> Option<Cx<'w>> {
        self.world.cx(self.block, PLAN.slot_of(stamp, arm, ord)?)
    }

    /// Whether the row exists now.
    pub(crate) fn exists(&self) -> bool {
        self.world.slot_exists(self.block, self.at)
    }

    /// The id of a resource of the same group, null where it does not exist.
    pub(crate) fn id(&self, arm: &str, ord: usize) -> Value {
        self.reference(self.sibling(arm, ord))
    }

    /// The id of a resource of another group of the block, null where it does not exist.
    pub(crate) fn id_in(&self, stamp: &str, arm: &str, ord: usize) -> Value {
        self.reference(self.there(stamp, arm, ord))
    }

    /// The id of something below a resource of the group: `…/subnets/default`.
    pub(crate) fn part(&self, arm: &str, ord: usize, below: &str) -> Value {
        self.id(arm, ord)
            .as_str()
            .map_or(Value::Null, |id| Value::String(format!("{id}/{below}")))
    }

    fn reference(&self, other: Option<Cx<'w>>) -> Value {
        match other {
            Some(other) if other.exists() => {
                let spelling = if self.one_of(other.slot.row.arm, 9) == 0 {
                    Spelling::LowerGroups
                } else {
                    Spelling::Usual
                };
                Value::String(self.world.id_of(&other, spelling))
            }
            _ => Value::Null,
        }
    }

    /// How many of a type the group has, existing or not.
    pub(crate) fn count(&self, arm: &str) -> usize {
        let Some(stamp) = PLAN.stamps.get(self.slot.stamp) else {
            return 0;
        };
        let slots = PLAN.slots.iter().take(stamp.end).skip(stamp.start);
        slots.filter(|slot| slot.row.arm == arm).count()
    }

    /// All of a type in the group that exist.
    pub(crate) fn all(&self, arm: &'static str) -> impl Iterator<Item = Cx<'w>> + use<'w> {
        let this = *self;
        (0..this.count(arm))
            .filter_map(move |ord| this.sibling(arm, ord))
            .filter(Cx::exists)
    }

    /// The object id of this resource's identity.
    pub(crate) fn principal(&self) -> String {
        let index = self
            .slot
            .identity
            .map_or(0, |number| self.world.identity_index(self.block, number));
        codec::encode(self.world.seed(), Kind::Principal, index).to_string()
    }

    /// The object id of one of Microsoft's own principals.
    pub(crate) fn principal_of_first_party(&self, index: usize) -> String {
        codec::encode(self.world.seed(), Kind::Principal, index).to_string()
    }

    /// The client id of this resource's identity.
    pub(crate) fn client(&self) -> String {
        let index = self
            .slot
            .identity
            .map_or(0, |number| self.world.identity_index(self.block, number));
        codec::encode(self.world.seed(), Kind::AppId, index).to_string()
    }

    /// `identity` of a resource with an identity of its own.
    pub(crate) fn system_identity(&self) -> Value {
        json!({"type": "SystemAssigned", "principalId": self.principal(), "tenantId": self.world.tenant_text()})
    }

    /// `identity` that uses a user-assigned one of the group, `None` where there is none.
    pub(crate) fn user_identity(&self, ord: usize) -> Value {
        let Some(other) = self.sibling(super::bodies::UAI, ord).filter(Cx::exists) else {
            return Value::Null;
        };
        let mut map = Map::new();
        // The compute provider prints these keys with the group in lower case.
        map.insert(
            self.world.id_of(&other, Spelling::LowerGroups),
            json!({"principalId": other.principal(), "clientId": other.client()}),
        );
        json!({"type": "UserAssigned", "userAssignedIdentities": map})
    }

    /// A user's object id.
    pub(crate) fn user(&self, label: &str) -> String {
        let index = self.one_of(label, seeded::wide(self.world.users()));
        codec::encode(self.world.seed(), Kind::User, seeded::narrow(index)).to_string()
    }

    /// `systemData`: people are named by their sign-in name.
    pub(crate) fn system_data(&self) -> Value {
        let index = self.one_of("creator", seeded::wide(self.world.users()));
        let user = super::directory::user_always(self.world, seeded::narrow(index));
        let name = user.get("userPrincipalName").cloned().unwrap_or_default();
        json!({
            "createdBy": name, "createdByType": "User", "createdAt": self.time("created"),
            "lastModifiedBy": name, "lastModifiedByType": "User", "lastModifiedAt": self.time("modified"),
        })
    }

    /// An object id of a group.
    pub(crate) fn directory_group(&self, label: &str) -> String {
        let index = self.one_of(label, seeded::wide(self.world.groups()));
        codec::encode(self.world.seed(), Kind::Group, seeded::narrow(index)).to_string()
    }

    /// The tenant.
    pub(crate) fn tenant(&self) -> String {
        self.world.tenant_text()
    }

    /// The first two octets and the third of a network of the group: `10.b.t`, a /20.
    pub(crate) fn network(&self, ord: usize) -> (usize, usize) {
        let before = PLAN
            .stamps
            .get(self.slot.stamp)
            .map_or(0, |stamp| stamp.networks_before);
        (self.block % 200 + 10, (before + ord) % 16 * 16)
    }

    /// An address in subnet `subnet` of network `ord`.
    pub(crate) fn address(&self, ord: usize, subnet: usize, host: usize) -> String {
        let (second, third) = self.network(ord);
        format!("10.{second}.{}.{}", third + subnet, host % 250 + 4)
    }

    /// A public address of the documentation-like range that the simulator uses.
    pub(crate) fn public_address(&self) -> String {
        format!(
            "20.{}.{}.{}",
            33 + self.number("ip2") % 200,
            self.number("ip3") % 256,
            self.number("ip4") % 254 + 1
        )
    }
}

/// How an id is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the provider prints the resource's own id.
    Own,
    /// As most providers print references.
    Usual,
    /// With `/resourcegroups/`, as some providers print references.
    LowerGroups,
}
