//! The hierarchical form: subscription, region, resource group, type, resource.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::describe::Described;
use super::files::Block;
use super::outline::{At, Outline};

/// What lies outside of resource groups.
const NO_GROUP: &str = "Outside of resource groups";

type Types<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Described>>;

/// The groups of a region, by label: the group itself, and what is described of it there.
type Groups<'a> = BTreeMap<&'a str, (Option<At>, Types<'a>)>;

/// One subscription (`None`: what lies outside of them) as blocks.
pub(super) fn blocks(subscription: Option<At>, described: Vec<Described>, outline: &Outline) -> Vec<Block> {
    let mut regions: BTreeMap<&str, Groups<'_>> = BTreeMap::new();
    for at in subscription
        .and_then(|at| outline.subscriptions.get(at))
        .iter()
        .flat_map(|it| &it.groups)
    {
        // A group without a resource is worth its heading too.
        if let Some(group) = outline.groups.get(*at).filter(|group| group.evidence.resources == 0) {
            let groups = regions.entry(&group.region).or_default();
            groups.entry(&group.label).or_default().0 = Some(*at);
        }
    }
    for resource in described {
        let Some(entry) = outline.entries.get(resource.at) else {
            continue;
        };
        let label = entry
            .group
            .and_then(|at| outline.groups.get(at))
            .map_or(NO_GROUP, |group| &group.label);
        let groups = regions.entry(&entry.region).or_default();
        let (group, types) = groups.entry(label).or_default();
        *group = entry.group;
        types.entry(&entry.type_).or_default().insert(&entry.label, resource);
    }
    let mut heading = subscription_heading(subscription, outline, regions.len());
    let mut blocks = Vec::new();
    for (region, groups) in regions {
        let _ = writeln!(
            heading,
            "### Region: {region}\n\n- **Resource Groups:** {}\n",
            groups.len()
        );
        for (label, (group, types)) in groups {
            group_heading(&mut heading, label, group, &types, outline);
            if types.is_empty() {
                blocks.push(Block(std::mem::take(&mut heading)));
            }
            for (type_, resources) in types {
                let _ = writeln!(heading, "##### {type_} ({})\n", resources.len());
                for (label, resource) in resources {
                    let _ = writeln!(heading, "###### {label}\n\n{}", resource.text);
                    blocks.push(Block(std::mem::take(&mut heading)));
                }
            }
        }
    }
    if !heading.is_empty() {
        blocks.push(Block(heading));
    }
    blocks
}

fn subscription_heading(subscription: Option<At>, outline: &Outline, regions: usize) -> String {
    let Some(subscription) = subscription.and_then(|at| outline.subscriptions.get(at)) else {
        return "## Outside of subscriptions\n\n".to_owned();
    };
    let evidence = &subscription.evidence;
    format!(
        "## Subscription: {}\n\n**Purpose:** {} *({})*\n\n- **Regions:** {regions}\n- **Resource Groups:** {}\n- **Resources:** {}\n\n",
        subscription.label,
        evidence.purpose(),
        evidence.because(),
        subscription.groups.len(),
        evidence.resources
    )
}

fn group_heading(text: &mut String, label: &str, group: Option<At>, types: &Types<'_>, outline: &Outline) {
    let Some(group) = group.and_then(|at| outline.groups.get(at)) else {
        let _ = writeln!(text, "#### {label}\n");
        return;
    };
    let _ = writeln!(text, "#### Resource Group: {label}\n");
    let because = group.evidence.because();
    let because = if because.is_empty() {
        because
    } else {
        format!(" *({because})*")
    };
    let _ = writeln!(text, "**Purpose:** {}{because}\n", group.evidence.purpose());
    if types.is_empty() {
        return;
    }
    text.push_str("| Type | Resources |\n|---|---:|\n");
    for (type_, resources) in types {
        let _ = writeln!(text, "| {type_} | {} |", resources.len());
    }
    text.push('\n');
}
