//! The tenant without its bodies: what there is, where it lies and what it is called in the document.
//!
//! Made in one pass over the snapshot. What it holds of a node is small, so that a large tenant fits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use atg_models::graph::{Node, NodeKind};

use super::evidence::Evidence;
use super::names::Names;
use super::value::built_in_role;
use super::{harmless, prefix};

/// A position in one of the outline's lists.
pub(super) type At = usize;

/// A subscription.
pub(super) struct Subscription {
    pub(super) label: String,
    pub(super) groups: Vec<At>,
    pub(super) evidence: Evidence,
}

/// A resource group.
pub(super) struct Group {
    pub(super) label: String,
    pub(super) region: Arc<str>,
    pub(super) evidence: Evidence,
}

/// A node.
pub(super) struct Entry {
    pub(super) label: Arc<str>,
    /// As it is shown.
    pub(super) type_: Arc<str>,
    pub(super) kind: NodeKind,
    pub(super) subscription: Option<At>,
    pub(super) group: Option<At>,
    pub(super) region: Arc<str>,
    pub(super) observed: bool,
    /// Whether the document describes it.
    pub(super) described: bool,
}

/// The tenant.
pub(super) struct Outline {
    pub(super) tenant: String,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) groups: Vec<Group>,
    pub(super) entries: Vec<Entry>,
    pub(super) evidence: Evidence,
    /// What was read, by kind.
    pub(super) kinds: BTreeMap<NodeKind, u64>,
    pub(super) described: u64,
    limit: u64,
    domain: Option<String>,
    by_id: HashMap<u128, At>,
    subscription_by_id: HashMap<u128, At>,
    group_by_id: HashMap<u128, At>,
    words: BTreeMap<Box<str>, Arc<str>>,
}

/// Where things are that have no region of their own.
const NOWHERE: &str = "no region";

impl Outline {
    /// An empty one, which describes at most `limit` resources.
    pub(super) fn new(tenant: String, limit: u64, domain: Option<String>) -> Self {
        Self {
            tenant,
            subscriptions: Vec::new(),
            groups: Vec::new(),
            entries: Vec::new(),
            evidence: Evidence::default(),
            kinds: BTreeMap::new(),
            described: 0,
            limit,
            domain,
            by_id: HashMap::new(),
            subscription_by_id: HashMap::new(),
            group_by_id: HashMap::new(),
            words: BTreeMap::new(),
        }
    }

    /// Takes up the next node. They come by id, so what holds a thing comes before it.
    pub(super) fn add(&mut self, names: &mut Names, node: &Node) {
        if matches!(node.kind, NodeKind::Tag | NodeKind::Region) {
            return;
        }
        if node.observed {
            *self.kinds.entry(node.kind).or_default() += 1;
        }
        let subscription = node.subscription_id.as_deref().map(|id| self.subscription(names, id));
        let group = match (node.subscription_id.as_deref(), node.resource_group.as_deref()) {
            (Some(subscription), Some(group)) => Some(self.group(names, subscription, group)),
            _ => None,
        };
        let region = self.region_of(names, node, group);
        let type_ = self.type_of(names, node);
        let resource = node.kind == NodeKind::Resource && node.observed;
        let described = resource && self.described < self.limit;
        self.described += u64::from(described);
        if resource {
            let lower = node.type_.as_ref().map_or("", |type_| type_.as_str());
            for evidence in self.evidence_of(subscription, group) {
                evidence.resource(lower, &type_, &region);
                evidence.tags(&node.tags);
            }
        }
        self.context(node, subscription, group);
        let label = self.label_for(names, node);
        let at = self.entries.len();
        self.by_id.insert(names.fingerprint(node.id.as_str()), at);
        self.entries.push(Entry {
            label: Arc::from(label),
            type_,
            kind: node.kind,
            subscription,
            group,
            region,
            observed: node.observed,
            described,
        });
    }

    /// What a node is called, by its id.
    pub(super) fn label(&self, names: &Names, id: &str) -> Option<&str> {
        self.find(names, id).map(|(_, entry)| &*entry.label)
    }

    /// A node by its id.
    pub(super) fn find(&self, names: &Names, id: &str) -> Option<(At, &Entry)> {
        let at = *self.by_id.get(&names.fingerprint(id))?;
        self.entries.get(at).map(|entry| (at, entry))
    }

    /// The resource that a node is a part of.
    pub(super) fn whole(&self, names: &Names, node: &Node) -> Option<&Entry> {
        let id: atg_models::ArmId = node.display_id.parse().ok()?;
        let (_, entry) = self.find(names, id.parent()?.node_id().as_str())?;
        (entry.kind == NodeKind::Resource).then_some(entry)
    }

    /// What a group or subscription says of itself.
    fn context(&mut self, node: &Node, subscription: Option<At>, group: Option<At>) {
        let evidence = if node.kind == NodeKind::Subscription {
            let subscription = subscription.and_then(|at| self.subscriptions.get_mut(at));
            subscription.map(|subscription| &mut subscription.evidence)
        } else if node.kind == NodeKind::ResourceGroup {
            let group = group.and_then(|at| self.groups.get_mut(at));
            group.map(|group| &mut group.evidence)
        } else {
            None
        };
        if let Some(evidence) = evidence {
            evidence.name(&node.name);
            evidence.tags(&node.tags);
        }
    }

    fn evidence_of(&mut self, subscription: Option<At>, group: Option<At>) -> impl Iterator<Item = &mut Evidence> {
        let subscription = subscription.and_then(|at| self.subscriptions.get_mut(at));
        let group = group.and_then(|at| self.groups.get_mut(at));
        std::iter::once(&mut self.evidence)
            .chain(subscription.map(|subscription| &mut subscription.evidence))
            .chain(group.map(|group| &mut group.evidence))
    }

    fn subscription(&mut self, names: &mut Names, id: &str) -> At {
        let id = format!("/subscriptions/{id}");
        let at = self.subscriptions.len();
        match self.subscription_by_id.entry(names.fingerprint(&id)) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(at);
                self.subscriptions.push(Subscription {
                    label: names.thing("sub", &id),
                    groups: Vec::new(),
                    evidence: Evidence::default(),
                });
                at
            }
        }
    }

    fn group(&mut self, names: &mut Names, subscription: &str, name: &str) -> At {
        let id = format!("/subscriptions/{subscription}/resourcegroups/{name}");
        if let Some(known) = self.group_by_id.get(&names.fingerprint(&id)) {
            return *known;
        }
        let at = self.groups.len();
        self.group_by_id.insert(names.fingerprint(&id), at);
        let region = self.word(NOWHERE);
        self.groups.push(Group {
            label: names.thing("rg", &id),
            region,
            evidence: Evidence::default(),
        });
        let holder = self.subscription(names, subscription);
        if let Some(subscription) = self.subscriptions.get_mut(holder) {
            subscription.groups.push(at);
        }
        at
    }

    /// Its own region, else that of what holds it.
    fn region_of(&mut self, names: &mut Names, node: &Node, group: Option<At>) -> Arc<str> {
        let region = match node.location.as_deref() {
            Some(location) => {
                let known = harmless::region(location).map(str::to_owned);
                let name = known.unwrap_or_else(|| names.value("region", location));
                self.word(&name)
            }
            None => self.region_of_holder(names, node, group),
        };
        if node.kind == NodeKind::ResourceGroup
            && let Some(group) = group.and_then(|at| self.groups.get_mut(at))
        {
            group.region = Arc::clone(&region);
        }
        region
    }

    fn region_of_holder(&mut self, names: &Names, node: &Node, group: Option<At>) -> Arc<str> {
        let id = node.display_id.parse::<atg_models::ArmId>().ok();
        let parent = id.and_then(|id| id.parent());
        let holder = parent.and_then(|parent| self.find(names, parent.node_id().as_str()));
        let region = holder.map(|(_, entry)| Arc::clone(&entry.region));
        let region = region.or_else(|| {
            group
                .and_then(|at| self.groups.get(at))
                .map(|group| Arc::clone(&group.region))
        });
        region.unwrap_or_else(|| self.word(NOWHERE))
    }

    fn type_of(&mut self, names: &mut Names, node: &Node) -> Arc<str> {
        let Some(type_) = &node.type_ else {
            return self.word(node.kind.as_str());
        };
        let shown = harmless::type_name(type_.as_str());
        let shown = shown.unwrap_or_else(|| names.value("type", type_.as_str()));
        self.word(&shown)
    }

    fn label_for(&self, names: &mut Names, node: &Node) -> String {
        let id = node.id.as_str();
        if node.kind == NodeKind::RoleDefinition
            && let Some(role) = id.rsplit('/').next().and_then(built_in_role)
        {
            return role.to_owned();
        }
        if node.kind == NodeKind::ResourceType
            && let Some(type_) = harmless::type_name(id.strip_prefix("type:").unwrap_or(id))
        {
            return type_;
        }
        let prefix = prefix::of_kind(node.kind, node.type_.as_ref().map(atg_models::ArmType::as_str));
        let label = names.thing(&prefix, id);
        match &self.domain {
            Some(domain) if node.kind == NodeKind::User => format!("{label}@{domain}"),
            _ => label,
        }
    }

    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(word);
        self.words.insert(Box::from(word), Arc::clone(&new));
        new
    }
}
