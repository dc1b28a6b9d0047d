//! The walk through a body: member names and texts for the target, and names that follow the id beside them.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::guids;
use super::plan::Plan;
use super::rules::{Rules, suffixed_label};
use super::texts;

/// Squashed names of members whose GUIDs are objects of the directory.
const PRINCIPAL_MEMBERS: &[&str] = &[
    "aadobjectid",
    "admingroupobjectids",
    "adminobjectid",
    "azureadobjectid",
    "groupobjectids",
    "objectid",
    "principalid",
    "principalids",
    "sid",
];

/// What stands before a subscription's id.
const SUBSCRIPTIONS: &str = "/subscriptions/";

/// What only bodies name: directory objects and subscriptions.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) principals: BTreeSet<String>,
    pub(super) subscriptions: BTreeSet<String>,
}

/// Looks for them.
pub(super) fn meet(value: &Json, member: &str, met: &mut Met) {
    match value {
        Json::String(text) => meet_text(text, member, met),
        Json::Array(items) => items.iter().for_each(|item| meet(item, member, met)),
        Json::Object(members) => {
            for (name, value) in members {
                meet_text(name, "", met);
                meet(value, &squash(name), met);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn meet_text(text: &str, member: &str, met: &mut Met) {
    if guids::is_guid(text) && PRINCIPAL_MEMBERS.contains(&member) {
        met.principals.insert(text.to_lowercase());
    }
    let lower = text.to_ascii_lowercase().replace("%2f", "/");
    for (at, _) in lower.match_indices(SUBSCRIPTIONS) {
        let rest = lower.get(at + SUBSCRIPTIONS.len()..).unwrap_or_default();
        if let Some(guid) = rest.get(..guids::GUID_CHARS).filter(|guid| guids::is_guid(guid)) {
            met.subscriptions.insert(guid.to_owned());
        }
    }
}

fn squash(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// Rewrites a body.
pub(super) struct Rewrite<'a> {
    pub(super) plan: &'a Plan,
    pub(super) rules: &'a Rules,
}

impl Rewrite<'_> {
    /// A value, and everything in it; `member` is the squashed name that it stands under.
    pub(super) fn value(&self, value: &mut Json, member: &str) {
        match value {
            Json::String(text) => {
                if let Some(new) = self.text(text, member) {
                    *text = new;
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.value(item, member)),
            Json::Object(members) => self.object(members),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn text(&self, text: &str, member: &str) -> Option<String> {
        let bare = self
            .rules
            .members
            .get(member)
            .and_then(|type_| self.plan.bare(type_, text));
        if let Some(new) = bare {
            return Some(new.to_owned());
        }
        texts::adapted(text, self.plan)
    }

    fn object(&self, members: &mut Map<String, Json>) {
        self.follow(members);
        for (name, value) in members.iter_mut() {
            self.value(value, &squash(name));
        }
        let renamed: Vec<(String, String)> = members
            .keys()
            .filter_map(|name| Some((name.clone(), texts::adapted(name, self.plan)?)))
            .collect();
        for (old, new) in renamed {
            if let Some(value) = members.remove(&old) {
                members.insert(new, value);
            }
        }
    }

    /// A `name` beside the `id` that it is the end of.
    fn follow(&self, members: &mut Map<String, Json>) {
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
        let id = text(members.get("id")).or_else(|| text(members.get("managedDisk").and_then(|disk| disk.get("id"))));
        let (Some(id), Some(Json::String(name))) = (id, members.get_mut("name")) else {
            return;
        };
        let last = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
        if last(&id).eq_ignore_ascii_case(name) {
            let new = last(&self.plan.renamed_id(&id));
            if !new.eq_ignore_ascii_case(name) {
                *name = new;
            }
        }
    }

    /// Labels that are unique in Azure by themselves.
    pub(super) fn labels(&self, type_: &str, body: &mut Json) {
        let (Some(suffix), Some(rule)) = (&self.plan.suffix, self.rules.of(type_)) else {
            return;
        };
        for path in &rule.labels {
            let place = path.split('.').try_fold(&mut *body, |value, step| value.get_mut(step));
            if let Some(Json::String(label)) = place
                && !label.is_empty()
            {
                *label = suffixed_label(label, rule, suffix);
            }
        }
    }
}
