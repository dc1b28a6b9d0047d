//! Puts a document together: its head, its chapters, its files.

use std::collections::BTreeMap;

use atg_iac::OutputFile;
use atg_models::graph::BasedOn;

use super::describe::Described;
use super::draft::Draft;
use super::files::{self, Block, Chapter};
use super::head::{self, Head};
use super::outline::{At, Outline};
use super::{flat, tree};

/// What is in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) resources: u64,
    pub(super) described: u64,
    pub(super) subscriptions: u64,
    pub(super) resource_groups: u64,
    pub(super) relationships: u64,
}

/// The title of what lies outside of subscriptions.
const TENANT_WIDE: &str = "tenant-wide";

/// The title of who may do what.
const ACCESS: &str = "role-assignments";

/// The files of the specification.
pub(super) fn write(draft: Draft, based_on: &BasedOn, hierarchical: bool) -> (Counts, Vec<OutputFile>) {
    let Draft {
        mut names,
        outline,
        access,
        described,
        domain,
        ..
    } = draft;
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let counts = Counts {
        resources: outline.evidence.resources,
        described: outline.described,
        subscriptions: size(outline.subscriptions.len()),
        resource_groups: size(outline.groups.len()),
        relationships: described.iter().map(|resource| resource.relationships).sum(),
    };
    let head = Head {
        based_on,
        outline: &outline,
        domain: domain.as_deref(),
        relationships: counts.relationships,
        hierarchical,
    };
    let head = head::write(&head, &mut names);
    let mut chapters = chapters(described, &outline, head.len(), hierarchical);
    chapters.push(Chapter {
        label: ACCESS.to_owned(),
        blocks: access.blocks(),
    });
    (counts, files::files(head, chapters))
}

fn chapters(described: Vec<Described>, outline: &Outline, head_bytes: usize, hierarchical: bool) -> Vec<Chapter> {
    let bytes: usize = described.iter().map(|resource| resource.text.len()).sum();
    if !hierarchical && files::fits(head_bytes + bytes) {
        // By type over the whole tenant. The headings that come on top may still make it two files.
        return vec![Chapter {
            label: "resources".to_owned(),
            blocks: flat::blocks(described, outline),
        }];
    }
    let mut by_subscription: BTreeMap<Option<At>, Vec<Described>> = BTreeMap::new();
    if hierarchical {
        let all = 0..outline.subscriptions.len();
        by_subscription.extend(all.map(|at| (Some(at), Vec::new())));
    }
    for resource in described {
        let subscription = outline.entries.get(resource.at).and_then(|entry| entry.subscription);
        by_subscription.entry(subscription).or_default().push(resource);
    }
    let chapter = |(subscription, described): (Option<At>, Vec<Described>)| {
        let known = subscription.and_then(|at| outline.subscriptions.get(at));
        let blocks: Vec<Block> = if hierarchical {
            tree::blocks(subscription, described, outline)
        } else {
            flat::blocks(described, outline)
        };
        Chapter {
            label: known.map_or_else(|| TENANT_WIDE.to_owned(), |subscription| subscription.label.clone()),
            blocks,
        }
    };
    let mut chapters: Vec<_> = by_subscription.into_iter().map(chapter).collect();
    chapters.sort_by(|one, other| one.label.cmp(&other.label));
    chapters
}
