//! The flat form: resources by category and type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::describe::Described;
use super::files::Block;
use super::outline::{Entry, Outline};

/// Categories in the order of the document, with what their types start with.
const CATEGORIES: &[(&str, &[&str])] = &[
    (
        "Compute",
        &[
            "microsoft.compute/",
            "microsoft.batch/",
            "microsoft.desktopvirtualization/",
        ],
    ),
    (
        "Containers",
        &[
            "microsoft.app/",
            "microsoft.containerservice/",
            "microsoft.containerregistry/",
            "microsoft.containerinstance/",
        ],
    ),
    ("Networking", &["microsoft.network/", "microsoft.cdn/"]),
    (
        "Storage",
        &["microsoft.storage/", "microsoft.netapp/", "microsoft.storagesync/"],
    ),
    (
        "Databases",
        &[
            "microsoft.sql",
            "microsoft.dbfor",
            "microsoft.documentdb/",
            "microsoft.cache/",
        ],
    ),
    (
        "Web",
        &[
            "microsoft.web/",
            "microsoft.apimanagement/",
            "microsoft.signalrservice/",
        ],
    ),
    (
        "Integration",
        &[
            "microsoft.eventgrid/",
            "microsoft.eventhub/",
            "microsoft.servicebus/",
            "microsoft.logic/",
            "microsoft.relay/",
            "microsoft.devices/",
        ],
    ),
    (
        "Data and AI",
        &[
            "microsoft.databricks/",
            "microsoft.datafactory/",
            "microsoft.synapse/",
            "microsoft.kusto/",
            "microsoft.machinelearningservices/",
            "microsoft.cognitiveservices/",
            "microsoft.search/",
        ],
    ),
    (
        "Identity and security",
        &[
            "microsoft.keyvault/",
            "microsoft.managedidentity/",
            "microsoft.security",
        ],
    ),
    (
        "Monitoring and operations",
        &[
            "microsoft.insights/",
            "microsoft.operationalinsights/",
            "microsoft.operationsmanagement/",
            "microsoft.alertsmanagement/",
            "microsoft.automation/",
            "microsoft.recoveryservices/",
            "microsoft.dataprotection/",
            "microsoft.maintenance/",
        ],
    ),
];

/// What fits nowhere else.
const OTHER: &str = "Other";

/// The resources as blocks, each with the headings that begin with it.
pub(super) fn blocks(described: Vec<Described>, outline: &Outline) -> Vec<Block> {
    let mut sorted: BTreeMap<(usize, &str, &str), (Described, &Entry)> = BTreeMap::new();
    let mut per_type: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in described {
        let Some(entry) = outline.entries.get(resource.at) else {
            continue;
        };
        *per_type.entry(&entry.type_).or_default() += 1;
        sorted.insert((category(&entry.type_), &entry.type_, &entry.label), (resource, entry));
    }
    let mut blocks = Vec::with_capacity(sorted.len());
    let mut last = None;
    for ((category, type_, label), (resource, entry)) in sorted {
        let mut heading = String::new();
        if last.is_none_or(|(before, _)| before != category) {
            let name = CATEGORIES.get(category).map_or(OTHER, |(name, _)| *name);
            // Writing to a String cannot fail.
            let _ = writeln!(heading, "## {name}\n");
        }
        if last != Some((category, type_)) {
            let count = per_type.get(type_).copied().unwrap_or_default();
            let _ = writeln!(heading, "### {type_} ({count})\n");
        }
        last = Some((category, type_));
        let place = place(entry, outline);
        blocks.push(Block(format!("{heading}#### {label}\n\n{place}{}\n", resource.text)));
    }
    blocks
}

fn category(type_: &str) -> usize {
    let lower = type_.to_lowercase();
    let fits = |(_, starts): &(&str, &[&str])| starts.iter().any(|start| lower.starts_with(start));
    CATEGORIES.iter().position(fits).unwrap_or(CATEGORIES.len())
}

fn place(entry: &Entry, outline: &Outline) -> String {
    let mut text = format!("- **Location:** {}\n", entry.region);
    if let Some(group) = entry.group.and_then(|at| outline.groups.get(at)) {
        let _ = writeln!(text, "- **Resource Group:** {}", group.label);
    }
    if let Some(subscription) = entry.subscription.and_then(|at| outline.subscriptions.get(at)) {
        let _ = writeln!(text, "- **Subscription:** {}", subscription.label);
    }
    text
}
