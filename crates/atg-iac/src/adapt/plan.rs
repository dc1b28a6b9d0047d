//! What becomes what: names, GUIDs and addresses of the selection, decided once from all of it.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;

use super::guids;
use super::rules::{Chars, Rule, Rules, Unique, host_matches, suffixed};
use crate::options::Options;
use crate::select::{Context, Resource, Unmapped};

/// A resource that may get another name, with its rule.
type Named<'a> = (&'a Resource, &'a ArmId, &'static Rule);
/// What stands where there is none.
const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// How an assignment and a definition get their new GUIDs: they are unique in the tenant.
const GUID_PURPOSE: &str = "atg";

/// The decisions.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Lower-cased source id to the new last segment.
    names: BTreeMap<String, String>,
    /// Lower-cased GUID to the one of the target, or to a stand-in.
    guids: BTreeMap<String, String>,
    /// Lower-cased words that stand where a subscription's or management group's GUID would.
    words: BTreeMap<String, String>,
    /// Lower-cased name to the patterns behind it and the new name.
    hosts: BTreeMap<String, Vec<(&'static [String], String)>>,
    /// By lower-cased group and type: lower-cased old names with the new ones.
    beside: BTreeMap<(String, String), Vec<(String, String)>>,
    /// By type and lower-cased old name, for members that hold a bare name; `None` when it is not unique.
    bare: BTreeMap<(String, String), Option<String>>,
    /// The stand-ins, each with what it stands for.
    pub(super) unmapped: BTreeMap<String, Unmapped>,
    /// The target tenant differs from the source.
    pub(super) other_tenant: bool,
    /// The suffix for globally unique labels.
    pub(super) suffix: Option<String>,
}

impl Plan {
    /// Decides everything.
    pub(super) fn new(resources: &[Resource], context: &Context, options: &Options, rules: &'static Rules) -> Self {
        let mut plan = Self {
            suffix: options.naming_suffix.clone(),
            ..Self::default()
        };
        plan.map_tenant(context, options);
        plan.map_subscriptions(resources, context, options);
        if plan.other_tenant {
            plan.map_principals(resources, context);
        }
        if plan.guids.is_empty() && plan.words.is_empty() && plan.suffix.is_none() {
            return plan;
        }
        plan.name(resources, rules);
        plan.new_guids(resources, rules);
        plan
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.guids.is_empty() && self.words.is_empty() && self.suffix.is_none()
    }

    fn map_tenant(&mut self, context: &Context, options: &Options) {
        let Some(target) = options.target_tenant_id.as_ref().map(|id| id.to_lowercase()) else {
            return;
        };
        if target != context.tenant_id {
            self.other_tenant = true;
            self.guids.insert(context.tenant_id.clone(), target);
        }
    }

    /// The subscriptions of the selection become the target; all others have no counterpart.
    fn map_subscriptions(&mut self, resources: &[Resource], context: &Context, options: &Options) {
        let target = options.target_subscription.as_ref().map(|id| id.to_lowercase());
        if target.is_none() && !self.other_tenant {
            return;
        }
        let selected: BTreeSet<String> = resources
            .iter()
            .filter(|resource| resource.counted)
            .filter_map(|resource| resource.id.as_ref()?.subscription().map(str::to_lowercase))
            .collect();
        let all = context.source_subscriptions.iter().chain(&selected);
        for source in all {
            if Some(source) == target.as_ref() && !self.other_tenant {
                continue;
            }
            let mapped = target.clone().filter(|_| selected.contains(source));
            let new = mapped.unwrap_or_else(|| {
                let name = context.subscriptions.get(source).filter(|name| *name != source);
                self.stand_in("subscription", source, name.map_or("", String::as_str))
            });
            if guids::is_guid(source) {
                self.guids.insert(source.clone(), new);
            } else {
                self.words.insert(source.clone(), new);
            }
        }
    }

    /// Nothing is known of the directory of another tenant: every object of this one is asked for.
    fn map_principals(&mut self, resources: &[Resource], context: &Context) {
        let known = context.principals.iter().chain(&context.applications);
        for (id, words) in known {
            let new = self.stand_in("principal", id, words);
            self.guids.entry(id.clone()).or_insert(new);
        }
        for id in context.named_principals.iter().filter(|id| *id != NO_GUID) {
            if !self.guids.contains_key(id) {
                let new = self.stand_in("principal", id, "");
                self.guids.insert(id.clone(), new);
            }
        }
        for resource in resources {
            for (id, _) in &resource.identities {
                let words = format!("identity of {}", resource.name);
                if guids::is_guid(id) && !self.guids.contains_key(id) {
                    let new = self.stand_in("principal", id, &words);
                    self.guids.insert(id.clone(), new);
                }
            }
        }
        for group in &context.management_groups {
            if !self.guids.contains_key(group) {
                let new = self.stand_in("management group", group, "");
                self.words.insert(group.clone(), new);
            }
        }
    }

    /// The stand-in of something, which is remembered with what it is.
    fn stand_in(&mut self, sort: &'static str, id: &str, words: &str) -> String {
        let stand_in = guids::stand_in(sort, id);
        self.unmapped.entry(stand_in.clone()).or_insert_with(|| Unmapped {
            sort,
            id: id.to_owned(),
            words: words.to_owned(),
        });
        stand_in
    }

    fn name(&mut self, resources: &[Resource], rules: &'static Rules) {
        let mut wanted = Vec::new();
        let mut following = Vec::new();
        for resource in resources {
            let Some((id, rule)) = resource
                .id
                .as_ref()
                .and_then(|id| Some((id, rules.of(&resource.type_)?)))
            else {
                continue;
            };
            match &rule.follows {
                _ if id.is_extension() || rule.chars == Chars::Guid => {}
                Some(followed) => following.push((resource, id, rule, followed)),
                None if rule.chars == Chars::Keep => {}
                None => wanted.push((resource, id, rule)),
            }
        }
        for (resource, id, rule, name) in self.apart(wanted) {
            self.add_name(resource, id, rule, name);
        }
        for (resource, id, rule, followed) in following {
            let suffix = self.suffix.as_ref().filter(|_| rule.chars != Chars::Keep);
            let name = self
                .following(id, followed)
                .or_else(|| suffix.map(|suffix| suffixed(id.name(), rule, suffix, None)));
            if let Some(name) = name {
                self.add_name(resource, id, rule, name);
            }
        }
    }

    /// Names with the suffix; those that several would have in one place get a mark of what they were.
    fn apart<'a>(&self, wanted: Vec<Named<'a>>) -> Vec<(&'a Resource, &'a ArmId, &'static Rule, String)> {
        let suffix = self.suffix.as_deref().unwrap_or_default();
        let named: Vec<_> = wanted
            .into_iter()
            .map(|(resource, id, rule)| {
                let name = suffixed(id.name(), rule, suffix, None);
                let place = (self.holder(id, rule), resource.type_.as_str(), name.to_lowercase());
                (resource, id, rule, name, place)
            })
            .collect();
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for (.., place) in &named {
            *counts.entry(place.clone()).or_default() += 1;
        }
        named
            .into_iter()
            .map(|(resource, id, rule, name, place)| {
                let alone = counts.get(&place) == Some(&1);
                let name = if alone {
                    name
                } else {
                    suffixed(id.name(), rule, suffix, Some(&resource.key))
                };
                (resource, id, rule, name)
            })
            .collect()
    }

    /// Within what a name has to be unique. Several subscriptions may come into one; what is in a group stays apart
    /// with its group.
    fn holder(&self, id: &ArmId, rule: &Rule) -> String {
        let parent = id.parent().filter(|_| rule.scope == Unique::Parent);
        let parent = parent.map_or_else(String::new, |parent| parent.as_str().to_lowercase());
        if id.resource_group().is_some() && parent.contains("/resourcegroups/") {
            return parent;
        }
        let segments = parent.split('/').map(|segment| {
            let mapped = self.guids.get(segment).or_else(|| self.words.get(segment));
            mapped.map_or(segment, String::as_str)
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// The name with the new name of what it follows, `Solution(workspace)`.
    fn following(&self, id: &ArmId, followed: &str) -> Option<String> {
        let group = id.parent()?.as_str().to_lowercase();
        let lower = id.name().to_lowercase();
        let beside = self.beside.get(&(group, followed.to_owned()))?.iter();
        let found = beside.filter_map(|(old, new)| {
            let at = lower.rfind(old.as_str())?;
            let (before, rest) = id.name().split_at_checked(at)?;
            Some((old.len(), format!("{before}{new}{}", rest.get(old.len()..)?)))
        });
        found.max_by_key(|(length, _)| *length).map(|(_, name)| name)
    }

    fn add_name(&mut self, resource: &Resource, id: &ArmId, rule: &'static Rule, name: String) {
        if name == id.name() {
            return;
        }
        let old = id.name().to_lowercase();
        if !rule.hosts.is_empty() {
            let places = self.hosts.entry(old.clone()).or_default();
            places.push((&rule.hosts, name.to_lowercase()));
        }
        let bare = self.bare.entry((resource.type_.clone(), old));
        bare.and_modify(|known| {
            if known.as_ref() != Some(&name) {
                *known = None;
            }
        })
        .or_insert_with(|| Some(name.clone()));
        let group = id
            .parent()
            .map_or_else(String::new, |group| group.as_str().to_lowercase());
        let beside = self.beside.entry((group, resource.type_.clone())).or_default();
        beside.push((id.name().to_lowercase(), name.clone()));
        self.names.insert(id.as_str().to_lowercase(), name);
    }

    /// Names that are GUIDs are unique in a tenant, so a copy needs others.
    fn new_guids(&mut self, resources: &[Resource], rules: &Rules) {
        let purpose = self.suffix.clone().unwrap_or_default();
        for resource in resources {
            let is_guid = rules.of(&resource.type_).is_some_and(|rule| rule.chars == Chars::Guid);
            let name = resource.name.to_lowercase();
            if is_guid && guids::is_guid(&name) {
                let subscription = resource.id.as_ref().and_then(ArmId::subscription).unwrap_or_default();
                let target = self.guid(&subscription.to_lowercase()).unwrap_or_default();
                let new = guids::derived(&name, &format!("{GUID_PURPOSE}\n{purpose}\n{target}"));
                self.guids.entry(name).or_insert(new);
            }
        }
    }

    /// What a GUID becomes, if it changes.
    pub(super) fn guid(&self, guid: &str) -> Option<String> {
        self.guids.get(guid).cloned()
    }

    /// What a subscription becomes, if it changes.
    pub(super) fn subscription(&self, id: &str) -> Option<String> {
        self.guids.get(id).or_else(|| self.words.get(id)).cloned()
    }

    /// Whether there is anything to do in ids but for GUIDs.
    pub(super) fn renames_ids(&self) -> bool {
        !self.names.is_empty() || !self.words.is_empty()
    }

    /// Whether there is anything to do in addresses.
    pub(super) fn renames_hosts(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// An id with the new names in it, GUIDs as they were.
    pub(super) fn renamed_id(&self, id: &str) -> String {
        let mut out = String::with_capacity(id.len());
        let mut path = String::with_capacity(id.len());
        let mut before = String::new();
        for (at, segment) in id.split('/').enumerate() {
            if at > 0 {
                out.push('/');
                path.push('/');
            }
            let lower = segment.to_lowercase();
            path.push_str(&lower);
            let is_word = matches!(before.as_str(), "subscriptions" | "managementgroups");
            let word = self.words.get(&lower).filter(|_| is_word);
            match word.or_else(|| self.names.get(&path)) {
                Some(new) => out.push_str(new),
                None => out.push_str(segment),
            }
            before = lower;
        }
        out
    }

    /// A host whose first label is a renamed resource's.
    pub(super) fn renamed_host(&self, host: &str) -> Option<String> {
        let (label, rest) = host.split_once('.')?;
        let places = self.hosts.get(&label.to_lowercase())?;
        let trimmed = rest.trim_end_matches('.');
        let found = places
            .iter()
            .find(|(patterns, _)| patterns.iter().any(|pattern| host_matches(pattern, trimmed)));
        found.map(|(_, new)| format!("{new}.{rest}"))
    }

    /// What the bare name of a resource of this type becomes.
    pub(super) fn bare(&self, type_: &str, name: &str) -> Option<&str> {
        self.bare.get(&(type_.to_owned(), name.to_lowercase()))?.as_deref()
    }
}
