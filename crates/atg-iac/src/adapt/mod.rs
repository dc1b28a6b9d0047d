//! Puts the selection into the terms of where the code is for, before any target sees it: another tenant, another
//! subscription, other names, another region.
//!
//! Works on ids and bodies, so that all targets profit. What has no counterpart gets a stand-in, a GUID that no
//! resource has: the targets ask for it, and the report tells of it. Must never leave an id of the source behind.

pub(crate) mod guids;
mod plan;
mod region;
mod rewrite;
mod rules;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use atg_models::ArmId;
use serde_json::Value as Json;

use crate::IacError;
use crate::options::Options;
use crate::output::{Finding, Reason, Reported, Severity};
use crate::select::{Context, Resource};
use plan::Plan;
use rewrite::{Met, Rewrite, meet};
use rules::Rules;

/// What there is to tell of it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// For the report.
    pub(crate) findings: Vec<Finding>,
    /// Resources that cannot be in the code.
    pub(crate) reported: Vec<Reported>,
}

/// Adapts the resources and what is known around them.
pub(crate) fn adapt(resources: &mut Vec<Resource>, context: &mut Context, options: &Options) -> Result<Told, IacError> {
    let mut told = Told::default();
    let rules = Rules::embedded()?;
    if options.target_tenant_id.is_some() || options.target_subscription.is_some() {
        for resource in resources.iter() {
            let mut met = Met::default();
            if let Some(body) = &resource.body {
                meet(body, "", &mut met);
            }
            context.source_subscriptions.extend(met.subscriptions);
            context.named_principals.extend(met.principals);
        }
    }
    let plan = Plan::new(resources, context, options, rules);
    if !plan.is_empty() {
        let rewrite = Rewrite { plan: &plan, rules };
        let mut used = BTreeMap::new();
        let mut own = BTreeSet::new();
        for resource in resources.iter_mut() {
            rewrite_resource(resource, &rewrite);
            own.extend(resource.identities.iter().map(|(id, _)| id.clone()));
            count_stand_ins(resource, &mut used);
        }
        // These become references to what the code creates.
        used.retain(|stand_in, _| !own.contains(stand_in));
        rewrite_context(context, &plan);
        told.findings.extend(unmapped(&plan, &used));
        told.reported = conflicts(resources);
    }
    context.unmapped = plan.unmapped;
    if let Some(location) = &options.location {
        for resource in resources.iter_mut() {
            region::relocate(resource, location, &mut told.findings);
        }
        told.findings.push(Finding {
            severity: Severity::Info,
            option: "location",
            subject: location.clone(),
            message: "whether every type, size and tier is offered there was not checked".to_owned(),
        });
    }
    Ok(told)
}

fn rewrite_resource(resource: &mut Resource, rewrite: &Rewrite<'_>) {
    let own_name = |id: &ArmId| id.name().eq_ignore_ascii_case(&resource.name);
    let names_itself = resource.id.as_ref().is_some_and(own_name);
    resource.display_id = moved(&resource.display_id, rewrite.plan);
    resource.id = resource.display_id.parse().ok();
    match &resource.id {
        Some(id) => {
            id.node_id().as_str().clone_into(&mut resource.key);
            if names_itself {
                id.name().clone_into(&mut resource.name);
            } else {
                resource.name = moved(&resource.name, rewrite.plan);
            }
        }
        None => resource.key = resource.display_id.to_lowercase(),
    }
    for (id, _) in &mut resource.identities {
        *id = moved(id, rewrite.plan);
    }
    if let Some(body) = &mut resource.body {
        rewrite.labels(&resource.type_, body);
        rewrite.value(body, "");
    }
}

fn moved(text: &str, plan: &Plan) -> String {
    texts::adapted(text, plan).unwrap_or_else(|| text.to_owned())
}

fn rewrite_context(context: &mut Context, plan: &Plan) {
    let keys = |map: BTreeMap<String, String>| -> BTreeMap<String, String> {
        map.into_iter().map(|(id, words)| (moved(&id, plan), words)).collect()
    };
    context.tenant_id = moved(&context.tenant_id, plan);
    context.principals = keys(std::mem::take(&mut context.principals));
    context.built_in_roles = keys(std::mem::take(&mut context.built_in_roles));
    let names = std::mem::take(&mut context.subscriptions);
    for (id, name) in &names {
        let new = plan.subscription(id);
        // The name of a source is no name of the target.
        let name = match &new {
            Some(new) if !guids::holds_stand_in(new) => names.get(new).unwrap_or(new).clone(),
            Some(_) | None => moved(name, plan),
        };
        context.subscriptions.insert(new.unwrap_or_else(|| id.clone()), name);
    }
}

/// Which stand-ins the resources hold, and how many hold each.
fn count_stand_ins(resource: &Resource, used: &mut BTreeMap<String, usize>) {
    let mut found = BTreeSet::new();
    let mut note = |text: &str| {
        if guids::holds_stand_in(text) {
            let _unchanged = guids::replace(text, |guid| {
                found.insert(guid.to_owned());
                None
            });
        }
    };
    note(&resource.display_id);
    if let Some(body) = &resource.body {
        each_text(body, true, &mut note);
    }
    for stand_in in found {
        *used.entry(stand_in).or_default() += 1;
    }
}

/// Every text but those of the resource's own identity, which Azure fills in.
fn each_text(value: &Json, top: bool, note: &mut impl FnMut(&str)) {
    match value {
        Json::String(text) => note(text),
        Json::Array(items) => items.iter().for_each(|item| each_text(item, false, note)),
        Json::Object(members) => {
            for (name, value) in members {
                note(name);
                if !(top && name.eq_ignore_ascii_case("identity")) {
                    each_text(value, false, note);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn unmapped(plan: &Plan, used: &BTreeMap<String, usize>) -> Vec<Finding> {
    let known = plan
        .unmapped
        .iter()
        .filter_map(|(stand_in, what)| Some((stand_in, what, used.get(stand_in)?)));
    known
        .map(|(stand_in, what, resources)| Finding {
            severity: Severity::Warning,
            option: "target",
            subject: format!("{} {}", what.sort, what.id),
            message: format!(
                "{}has no known counterpart in the target: the code asks for it, or holds {stand_in} in its place \
                 (resources that name it: {resources})",
                if what.words.is_empty() {
                    String::new()
                } else {
                    format!("({}) ", what.words)
                },
            ),
        })
        .collect()
}

/// Takes out what has come upon the id of another.
fn conflicts(resources: &mut Vec<Resource>) -> Vec<Reported> {
    let mut seen = BTreeSet::new();
    let mut reported = Vec::new();
    resources.sort_by(|a, b| (&a.key, &a.source_id).cmp(&(&b.key, &b.source_id)));
    resources.retain(|resource| {
        let first = seen.insert(resource.key.clone());
        if !first && resource.counted {
            reported.push(Reported {
                id: resource.source_id.clone(),
                type_: resource.type_.clone(),
                reason: Reason::Conflict,
                detail: "another resource of the selection has the same id in the target".to_owned(),
            });
        }
        first
    });
    reported
}
