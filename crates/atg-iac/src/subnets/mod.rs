//! The prefixes of subnets: inside their network, and apart from each other. What is wrong is an error in the report,
//! or is mended on request.

mod mend;
mod prefix;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::options::Options;
use crate::output::{Finding, Severity};
use crate::select::Resource;
use crate::translate::eval::member;
use mend::{Problem, mend, problems};
use prefix::Prefix;

const NETWORK: &str = "microsoft.network/virtualnetworks";
const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";

/// A network with the prefixes of its subnets.
#[derive(Default)]
struct Network {
    /// The network itself, by its place in the list.
    at: Option<usize>,
    spaces: Vec<Prefix>,
    /// The subnet of each prefix.
    owners: Vec<Owner>,
    prefixes: Vec<Prefix>,
}

/// A subnet.
#[derive(Clone)]
struct Owner {
    /// Its place in the list, unless it stands in its network's body only.
    at: Option<usize>,
    name: String,
    source_id: String,
}

impl Network {
    fn add(&mut self, owner: &Owner, properties: &Json) {
        let mut own = prefixes(properties, "addressPrefixes");
        if own.is_empty() {
            own = prefixes(properties, "addressPrefix");
        }
        self.owners.extend(own.iter().map(|_| owner.clone()));
        self.prefixes.extend(own);
    }
}

/// Checks all networks, and mends them when that is asked for.
pub(crate) fn check(resources: &mut [Resource], options: &Options) -> Vec<Finding> {
    if options.skip_subnet_validation {
        return if options.fix_subnets {
            vec![without_effect()]
        } else {
            Vec::new()
        };
    }
    let mut findings = Vec::new();
    for network in networks(resources).values() {
        let wrong = problems(&network.spaces, &network.prefixes);
        if wrong.is_empty() {
            continue;
        }
        let changes = if options.fix_subnets {
            mend(&network.spaces, &network.prefixes)
        } else {
            Vec::new()
        };
        for (at, new) in &changes {
            if let (Some(new), Some(old), Some(owner)) = (new, network.prefixes.get(*at), network.owners.get(*at)) {
                findings.push(change(resources, network, owner, *old, *new));
            }
        }
        let unsolved = |at: &usize| !options.fix_subnets || changes.contains(&(*at, None));
        let left = wrong.iter().filter(|(at, _)| unsolved(at));
        findings.extend(left.filter_map(|(at, problem)| error(network, *at, *problem, options)));
    }
    findings
}

fn without_effect() -> Finding {
    Finding {
        severity: Severity::Warning,
        option: "auto_fix_subnets",
        subject: "subnets".to_owned(),
        message: "skip_subnet_validation leaves them as they are: nothing was looked at or mended".to_owned(),
    }
}

fn networks(resources: &[Resource]) -> BTreeMap<String, Network> {
    let subnets = resources.iter().filter(|resource| resource.type_ == SUBNET);
    let listed: BTreeSet<&str> = subnets.map(|subnet| subnet.key.as_str()).collect();
    let mut networks: BTreeMap<String, Network> = BTreeMap::new();
    for (at, resource) in resources.iter().enumerate() {
        let properties = resource.body.as_ref().and_then(|body| member(body, "properties"));
        let (Some(properties), Some(id)) = (properties, &resource.id) else {
            continue;
        };
        if resource.type_ == NETWORK {
            let network = networks.entry(resource.key.clone()).or_default();
            network.at = Some(at);
            let space = member(properties, "addressSpace");
            network.spaces = space.map_or_else(Vec::new, |space| prefixes(space, "addressPrefixes"));
            for (name, properties) in inline(properties) {
                if !listed.contains(id.child("subnets", name).node_id().as_str()) {
                    let owner = Owner {
                        at: None,
                        name: name.to_owned(),
                        source_id: format!("{}/subnets/{name}", resource.source_id),
                    };
                    network.add(&owner, properties);
                }
            }
        } else if resource.type_ == SUBNET
            && let Some(parent) = id.parent()
        {
            let network = networks.entry(parent.node_id().as_str().to_owned()).or_default();
            let owner = Owner {
                at: Some(at),
                name: resource.name.clone(),
                source_id: resource.source_id.clone(),
            };
            network.add(&owner, properties);
        }
    }
    networks
}

/// Names and properties of the subnets that stand in a network's body.
fn inline(network: &Json) -> impl Iterator<Item = (&str, &Json)> {
    let elements = member(network, "subnets")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    elements.filter_map(|element| Some((member(element, "name")?.as_str()?, member(element, "properties")?)))
}

/// The prefixes of a text or a list of texts.
fn prefixes(value: &Json, name: &str) -> Vec<Prefix> {
    let texts: Vec<&str> = match member(value, name) {
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
        Some(Json::String(text)) => vec![text],
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
    };
    texts.into_iter().filter_map(Prefix::parse).collect()
}

fn error(network: &Network, at: usize, problem: Problem, options: &Options) -> Option<Finding> {
    let (prefix, owner) = (network.prefixes.get(at)?, network.owners.get(at)?);
    let mut message = match problem {
        Problem::Outside => {
            let spaces = list(&network.spaces);
            format!("{prefix} lies outside the address space of the network ({spaces})")
        }
        Problem::Overlaps(other) => {
            let (other, name) = (network.prefixes.get(other)?, &network.owners.get(other)?.name);
            format!("{prefix} overlaps {other} of the subnet {name}")
        }
    };
    message.push_str(if options.fix_subnets {
        "; auto_fix_subnets found no room for it"
    } else {
        "; auto_fix_subnets mends it, skip_subnet_validation takes it as it is"
    });
    Some(Finding {
        severity: Severity::Error,
        option: "subnets",
        subject: owner.source_id.clone(),
        message,
    })
}

fn list(prefixes: &[Prefix]) -> String {
    prefixes.iter().map(Prefix::to_string).collect::<Vec<_>>().join(", ")
}

/// Writes a new prefix into the subnet and into its network's list.
fn change(resources: &mut [Resource], network: &Network, owner: &Owner, old: Prefix, new: Prefix) -> Finding {
    let resource = owner.at.and_then(|at| resources.get_mut(at));
    if let Some(body) = resource.and_then(|resource| resource.body.as_mut()) {
        replace(body, old, new);
    }
    let holder = network
        .at
        .and_then(|at| resources.get_mut(at))
        .and_then(|holder| holder.body.as_mut());
    let listed = holder
        .and_then(|body| member_mut(body, "properties"))
        .and_then(|body| member_mut(body, "subnets"));
    for element in listed.and_then(Json::as_array_mut).into_iter().flatten() {
        let is_it = member(element, "name")
            .and_then(Json::as_str)
            .is_some_and(|text| text.eq_ignore_ascii_case(&owner.name));
        if is_it {
            replace(element, old, new);
        }
    }
    let smaller = if new.length > old.length {
        ", which is smaller"
    } else {
        ""
    };
    Finding {
        severity: Severity::Warning,
        option: "auto_fix_subnets",
        subject: owner.source_id.clone(),
        message: format!(
            "{old} became {new}{smaller}, because it overlapped another subnet or lay outside the network; \
             fixed addresses and rules that name the old range were not changed"
        ),
    }
}

/// Replaces one prefix of a subnet's body, the first that is the old one.
fn replace(subnet: &mut Json, old: Prefix, new: Prefix) {
    let Some(properties) = member_mut(subnet, "properties") else {
        return;
    };
    for name in ["addressPrefixes", "addressPrefix"] {
        let texts: Vec<&mut Json> = match member_mut(properties, name) {
            Some(Json::Array(items)) => items.iter_mut().collect(),
            Some(one) => vec![one],
            None => continue,
        };
        let mut found = texts
            .into_iter()
            .filter(|text| text.as_str().and_then(Prefix::parse) == Some(old));
        if let Some(text) = found.next() {
            *text = Json::String(new.to_string());
        }
    }
}

fn member_mut<'a>(value: &'a mut Json, name: &str) -> Option<&'a mut Json> {
    let members = value.as_object_mut()?;
    let found = members.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}
