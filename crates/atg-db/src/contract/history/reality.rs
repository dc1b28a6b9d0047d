//! What there is in a tenant, as it changes, and what a scan would read of it.

use atg_models::graph::{AssertedEdge, EdgeEnd, EndDirection, ListedEdge, NodeKind, Observation, Relation, Source};
use atg_models::{ArmId, NodeId, TenantId};
use serde_json::json;

use crate::contract::dice::Dice;
use crate::contract::world::{alias, arm, edge, end, lookup, member, object, plain_end, resource, thing, with};
use atg_models::graph::CollectionKey;

const NETS: usize = 5;
const PEOPLE: u128 = 4;
const TEAMS: u128 = 2;

/// The collections that a scan reads.
pub(super) const RESOURCES: usize = 0;
pub(super) const CHILDREN: usize = 1;
pub(super) const DIRECTORY: usize = 2;
pub(super) const MEMBERS: usize = 3;

/// Their keys.
pub(super) fn collections() -> [CollectionKey; 4] {
    [
        CollectionKey::new("arg.resources", "s1"),
        CollectionKey::new("arm.children", "s1"),
        CollectionKey::new("graph.users", "t"),
        CollectionKey::new("graph.members", "t"),
    ]
}

/// A network, and what it says.
#[derive(Clone)]
struct Net {
    number: usize,
    is_there: bool,
    group: usize,
    version: usize,
    peer: usize,
    missing: usize,
    tag: usize,
    hosts: Vec<usize>,
    asks: Vec<(usize, bool, bool)>,
    principal: (u128, NodeKind),
    roles: usize,
    child_is_read: usize,
}

/// What there is.
pub(super) struct Reality {
    pub(super) tenant: TenantId,
    nets: Vec<Net>,
    /// Version of each person; 0 is not there.
    people: Vec<usize>,
    /// Members of each team, with what is said of the membership.
    teams: Vec<Vec<(u128, usize, NodeKind)>>,
}

/// A row of a collection: a body, or a listed edge.
#[derive(Clone)]
pub(super) enum Row {
    Body(Box<Observation>),
    Listed(Box<ListedEdge>),
}

impl Reality {
    pub(super) fn new(tenant: TenantId, dice: &mut Dice) -> Self {
        let mut reality = Self {
            tenant,
            nets: (0..NETS).map(|number| Net::new(number, dice)).collect(),
            people: vec![0; usize::try_from(PEOPLE).unwrap()],
            teams: vec![Vec::new(); usize::try_from(TEAMS).unwrap()],
        };
        reality.pass_time(dice);
        reality
    }

    /// Lets some things change.
    pub(super) fn pass_time(&mut self, dice: &mut Dice) {
        for net in &mut self.nets {
            net.pass_time(dice);
        }
        for version in &mut self.people {
            if dice.chance(40) {
                *version = dice.below(3);
            }
        }
        for team in &mut self.teams {
            if dice.chance(50) {
                *team = (0..dice.below(4))
                    .map(|_| {
                        let kind = dice.one(&[NodeKind::User, NodeKind::Stub, NodeKind::Device]);
                        (u128::try_from(dice.below(6)).unwrap(), dice.below(3), kind)
                    })
                    .collect();
            }
        }
    }

    /// What a scan would read, each row with its collection.
    pub(super) fn rows(&self) -> Vec<(usize, Row)> {
        let mut rows = vec![(RESOURCES, body(self.root()))];
        for net in self.nets.iter().filter(|net| net.is_there) {
            net.rows(&mut rows);
        }
        for (number, version) in (0..PEOPLE).zip(&self.people) {
            if *version > 0 {
                let mut said = thing(&person(number), NodeKind::User);
                said.node.body = Some(json!({"version": version}));
                said.node.owner = Some(collections()[DIRECTORY].clone());
                said.aliases = vec![alias(&format!("host{number}"))];
                rows.push((DIRECTORY, body(said)));
            }
        }
        for (number, members) in (0..TEAMS).zip(&self.teams) {
            for (who, how, kind) in members {
                let mut listed = member(&object(200 + number), &person(*who));
                listed.edge.source.kind = *kind;
                if *how > 0 {
                    listed.edge.properties.insert("how".to_owned(), json!(how));
                }
                rows.push((MEMBERS, Row::Listed(Box::new(listed))));
            }
        }
        for (_, row) in &mut rows {
            if let Row::Body(said) = row {
                said.node.tenant_id = self.tenant;
            }
        }
        rows
    }

    /// The tenant's own node, and the groups that it holds.
    fn root(&self) -> Observation {
        let id = NodeId::tenant(self.tenant);
        let mut said = thing(&id, NodeKind::Tenant);
        said.node.owner = None;
        let me = plain_end(&id, NodeKind::Tenant);
        said.edges = (0..2)
            .map(|n| edge(me.clone(), Relation::Contains, end(&group(n))))
            .collect();
        said
    }
}

impl Net {
    fn new(number: usize, dice: &mut Dice) -> Self {
        let mut net = Self {
            number,
            is_there: true,
            group: 0,
            version: 0,
            peer: 0,
            missing: 0,
            tag: 0,
            hosts: Vec::new(),
            asks: Vec::new(),
            principal: (0, NodeKind::Stub),
            roles: 0,
            child_is_read: 0,
        };
        net.refer(dice);
        net
    }

    fn pass_time(&mut self, dice: &mut Dice) {
        if dice.chance(30) {
            self.is_there = !self.is_there;
        }
        if dice.chance(15) {
            self.group = dice.below(2);
        }
        if dice.chance(25) {
            self.version = dice.below(4);
        }
        if dice.chance(50) {
            self.refer(dice);
        }
    }

    fn refer(&mut self, dice: &mut Dice) {
        self.peer = dice.below(NETS + 1);
        self.missing = dice.below(3);
        self.tag = dice.below(3);
        self.hosts = (0..dice.below(3)).map(|_| dice.below(6)).collect();
        self.asks = (0..dice.below(3))
            .map(|_| (dice.below(6), dice.chance(50), dice.chance(30)))
            .collect();
        let kind = dice.one(&[
            NodeKind::Stub,
            NodeKind::User,
            NodeKind::Group,
            NodeKind::ServicePrincipal,
        ]);
        self.principal = (u128::try_from(dice.below(4)).unwrap(), kind);
        self.roles = dice.below(3);
        self.child_is_read = dice.below(3);
    }

    fn id(&self) -> ArmId {
        net(self.group, self.number)
    }

    fn rows(&self, rows: &mut Vec<(usize, Row)>) {
        let id = self.id();
        let me = end(&id);
        let mut said = resource(&id, json!({"version": self.version, "deep": [1, 2.5, null, "ä"]}));
        if self.tag > 0 {
            said.node.tags.insert("env".to_owned(), self.tag.to_string());
        }
        said.edges = self.edges(&me);
        let named = self.hosts.iter().map(|host| alias(&format!("host{host}")));
        said.aliases = named.collect();
        said.lookups = self.lookups(&me, &id);
        rows.push((RESOURCES, body(said.clone())));
        if self.version == 3 {
            // Another page shows it otherwise.
            said.node.body = Some(json!({"version": "other"}));
            said.edges.truncate(2);
            rows.push((RESOURCES, body(said)));
        }
        // Its only subnet: inline, and sometimes read itself, even twice with another content.
        let subnet = id.child("subnets", "Default");
        let mut inline = resource(&subnet, json!({"inline": self.version}));
        inline.node.source = Source::Derived;
        inline.edges = vec![edge(me, Relation::Contains, end(&subnet))];
        rows.push((RESOURCES, body(inline)));
        for copy in 0..self.child_is_read {
            let mut read = resource(&subnet, json!({"read": self.version, "copy": copy}));
            read.node.source = Source::Arm;
            read.node.owner = Some(collections()[CHILDREN].clone());
            read.lookups = vec![lookup(&format!("host{copy}"), end(&subnet))];
            read.edges = vec![edge(end(&subnet), Relation::SecuredBy, end(&net(0, 20 + copy)))];
            rows.push((CHILDREN, body(read)));
        }
    }

    fn edges(&self, me: &EdgeEnd) -> Vec<AssertedEdge> {
        let tag = plain_end(&NodeId::derived("tag", &format!("env={}", self.tag)), NodeKind::Tag);
        let (principal, kind) = self.principal;
        let principal = plain_end(&person(principal), kind);
        let peer = end(&net(self.peer % 2, self.peer));
        let mut edges = vec![
            edge(end(&group(self.group)), Relation::Contains, me.clone()),
            with(
                edge(me.clone(), Relation::PeeredWith, peer.clone()),
                "from",
                json!(self.number),
            ),
            edge(me.clone(), Relation::TaggedWith, tag),
            edge(me.clone(), Relation::DependsOn, end(&net(1, 10 + self.missing))),
            with(
                edge(end(&net(0, 0)), Relation::LinkedTo, end(&net(0, 1))),
                "by",
                json!(self.version),
            ),
            edge(principal.clone(), Relation::CanAccess, me.clone()),
        ];
        for (host, ..) in &self.asks {
            // What its look-up at the same place may come to, said by the body itself.
            let mut said = edge(
                me.clone(),
                Relation::LinkedTo,
                plain_end(&person(u128::try_from(*host).unwrap()), kind),
            );
            said.path = "properties.host".to_owned();
            edges.push(with(said, "said", json!(self.version)));
        }
        for role in 0..self.roles {
            let mut granted = edge(principal.clone(), Relation::HasRole, peer.clone());
            granted.qualifier = format!("role{role}");
            granted.path = format!("properties.roles[{role}]");
            edges.push(granted);
        }
        if self.version == 2 {
            // The same place twice, with other facts: the last one counts.
            edges.push(with(edge(me.clone(), Relation::PeeredWith, peer), "again", json!(true)));
        }
        edges
    }

    fn lookups(&self, me: &EdgeEnd, id: &ArmId) -> Vec<atg_models::graph::Lookup> {
        let asks = self.asks.iter().map(|(host, backwards, of_child)| {
            let anchor = if *of_child {
                end(&id.child("subnets", "Default"))
            } else {
                me.clone()
            };
            let mut asks = lookup(&format!("host{host}"), anchor);
            if *backwards {
                asks.direction = EndDirection::FromFound;
            }
            asks.properties.insert("host".to_owned(), json!(host));
            asks
        });
        asks.collect()
    }
}

fn body(said: Observation) -> Row {
    Row::Body(Box::new(said))
}

fn group(number: usize) -> ArmId {
    arm(&format!("/subscriptions/S1/resourceGroups/Rg{number}"))
}

fn net(group: usize, number: usize) -> ArmId {
    arm(&format!(
        "/subscriptions/S1/resourceGroups/Rg{group}/providers/Microsoft.Network/virtualNetworks/Net{number}"
    ))
}

fn person(number: u128) -> NodeId {
    object(100 + number)
}
