//! The first part of the document: what it rests on and what is in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use atg_models::graph::{BasedOn, Gap, NodeKind, NotPlanned, Verdict};

use super::names::Names;
use super::outline::Outline;
use crate::limits::SPEC_ROWS_MAX;

/// What the head tells beside the outline.
pub(super) struct Head<'a> {
    pub(super) based_on: &'a BasedOn,
    pub(super) outline: &'a Outline,
    pub(super) domain: Option<&'a str>,
    pub(super) relationships: u64,
    pub(super) hierarchical: bool,
}

/// Sources, permissions and reasons are words of this product or of Azure; anything else is not repeated.
const REASONS: &[&str] = &["limit", "it was not read to its end"];

/// Permissions that a gap may name.
const PERMISSIONS: &[&str] = &[
    "Reader",
    "Directory.Read.All",
    "Microsoft.Authorization/denyAssignments/read",
    "Microsoft.Authorization/roleAssignments/read",
];

/// The head, from the title on.
pub(super) fn write(head: &Head<'_>, names: &mut Names) -> String {
    let mut text = String::from("# Azure Tenant Infrastructure Specification");
    text.push_str(if head.hierarchical {
        " (Hierarchical View)\n\n"
    } else {
        "\n\n"
    });
    text.push_str(
        "Names, ids, addresses, texts and secrets of the tenant are replaced by placeholders. The same thing has the\n\
         same placeholder throughout, in every specification of this tenant by this server, so that references can be followed.\n\
         Moments, and ids of things that are not in the document, are left out.\n\n",
    );
    basis(&mut text, head, names);
    summary(&mut text, head);
    directory(&mut text, head.outline);
    text
}

fn basis(text: &mut String, head: &Head<'_>, names: &mut Names) {
    let outline = head.outline;
    text.push_str("## Basis\n\n");
    let _ = writeln!(text, "- **Tenant:** {}", outline.tenant);
    if let Some(domain) = head.domain {
        let _ = writeln!(text, "- **Domain:** {domain}");
    }
    let verdict = match head.based_on.verdict {
        Verdict::Complete => "complete: everything that was planned was read",
        Verdict::Partial => "**partial: not everything could be read, so this specification lacks what the gaps name**",
    };
    let _ = writeln!(text, "- **Verdict of the scan:** {verdict}");
    let _ = writeln!(text, "- **Graph digest:** `{}`", head.based_on.graph_digest);
    let all = outline.evidence.resources;
    if outline.described < all {
        let _ = writeln!(
            text,
            "- **Resources described:** {} of {all}: **the limit that was asked for leaves {} out**; the summary counts all",
            outline.described,
            all - outline.described
        );
    } else {
        let _ = writeln!(text, "- **Resources described:** all {all}");
    }
    text.push('\n');
    gaps(text, &head.based_on.gaps, names);
    not_planned(text, &head.based_on.not_planned);
}

fn gaps(text: &mut String, gaps: &[Gap], names: &mut Names) {
    if gaps.is_empty() {
        return;
    }
    let _ = writeln!(text, "### Gaps: what could not be read ({})\n", gaps.len());
    text.push_str("| Collection | Of | State | Reason |\n|---|---|---|---|\n");
    for gap in gaps.iter().take(SPEC_ROWS_MAX) {
        let scope = match gap.collection.scope() {
            "" | "tenant" => "the tenant".to_owned(),
            scope if scope.starts_with('/') => names.thing("scope", scope),
            scope => names.thing("sub", &format!("/subscriptions/{scope}")),
        };
        let source = words_only(gap.collection.source()).unwrap_or("other");
        let state = words_only(&gap.state).unwrap_or("failed");
        let _ = writeln!(text, "| {source} | {scope} | {state} | {} |", reason(&gap.reason));
    }
    more(text, gaps.len());
    text.push('\n');
}

/// A reason names a permission of Azure's, or is one of a few words; else the job tells it.
fn reason(reason: &str) -> String {
    if let Some(known) = REASONS.iter().find(|known| **known == reason) {
        return (*known).to_owned();
    }
    let permission = reason.strip_prefix("missing permission: ").unwrap_or_default();
    let permission = permission.split(" on ").next().unwrap_or_default();
    match PERMISSIONS.iter().find(|known| **known == permission) {
        Some(known) => format!("missing permission: {known}"),
        None => "told by the result of the scan's job".to_owned(),
    }
}

fn not_planned(text: &mut String, left_out: &[NotPlanned]) {
    if left_out.is_empty() {
        return;
    }
    text.push_str("### Not read, on request or by this version\n\n| What | Count |\n|---|---:|\n");
    for left_out in left_out.iter().take(SPEC_ROWS_MAX) {
        let what = words_only(&left_out.what).unwrap_or("other");
        let count = left_out.count.map_or_else(String::new, |count| count.to_string());
        let _ = writeln!(text, "| {what} | {count} |");
    }
    more(text, left_out.len());
    text.push('\n');
}

/// A word of this product's own: letters with dots or underlines between them.
fn words_only(text: &str) -> Option<&str> {
    let sound = |b: u8| b.is_ascii_lowercase() || matches!(b, b'.' | b'_');
    (!text.is_empty() && text.bytes().all(sound)).then_some(text)
}

fn more(text: &mut String, rows: usize) {
    let more = rows.saturating_sub(SPEC_ROWS_MAX);
    if more > 0 {
        let _ = writeln!(text, "\n*{more} more not shown: too many.*");
    }
}

fn summary(text: &mut String, head: &Head<'_>) {
    let outline = head.outline;
    let all = &outline.evidence;
    text.push_str("## Summary\n\n");
    let _ = writeln!(text, "**Purpose:** {} *({})*\n", all.purpose(), all.because());
    text.push_str("| | Count |\n|---|---:|\n");
    for (what, count) in [
        ("Subscriptions", size(outline.subscriptions.len())),
        ("Resource groups", size(outline.groups.len())),
        ("Regions", size(all.by_region.len())),
        ("Types of resources", size(all.by_type.len())),
        ("Resources", all.resources),
        ("Relationships of the resources described", head.relationships),
    ] {
        let _ = writeln!(text, "| {what} | {count} |");
    }
    text.push_str(
        "\n### Subscriptions\n\n| Subscription | Purpose | Resource groups | Resources |\n|---|---|---:|---:|\n",
    );
    let mut subscriptions: Vec<_> = outline.subscriptions.iter().collect();
    subscriptions.sort_by(|one, other| one.label.cmp(&other.label));
    for subscription in subscriptions.iter().take(SPEC_ROWS_MAX) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            subscription.label,
            subscription.evidence.purpose(),
            subscription.groups.len(),
            subscription.evidence.resources
        );
    }
    more(text, subscriptions.len());
    counts(text, "Regions", "Region", &all.by_region);
    counts(text, "Resources by type", "Type", &all.by_type);
    text.push('\n');
}

/// A table of counts, the largest first.
fn counts(text: &mut String, title: &str, column: &str, counts: &BTreeMap<Arc<str>, u64>) {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    let _ = writeln!(text, "\n### {title}\n\n| {column} | Resources |\n|---|---:|");
    for (name, count) in rows.iter().take(SPEC_ROWS_MAX) {
        let _ = writeln!(text, "| {name} | {count} |");
    }
    more(text, rows.len());
}

/// Kinds of the directory and of access, as people call them.
const KINDS: &[(NodeKind, &str)] = &[
    (NodeKind::ManagementGroup, "Management groups"),
    (NodeKind::User, "Users"),
    (NodeKind::Group, "Groups"),
    (NodeKind::ServicePrincipal, "Service principals"),
    (NodeKind::Application, "App registrations"),
    (NodeKind::DirectoryRole, "Directory roles"),
    (NodeKind::AdministrativeUnit, "Administrative units"),
    (NodeKind::Device, "Devices"),
    (NodeKind::RoleAssignment, "Role assignments"),
    (NodeKind::DenyAssignment, "Deny assignments"),
    (NodeKind::PolicyAssignment, "Policy assignments"),
    (NodeKind::PolicyDefinition, "Policy definitions"),
    (NodeKind::Lock, "Locks"),
];

fn directory(text: &mut String, outline: &Outline) {
    let rows: Vec<_> = KINDS
        .iter()
        .filter_map(|(kind, name)| outline.kinds.get(kind).map(|count| (name, count)))
        .collect();
    if rows.is_empty() {
        return;
    }
    text.push_str("## Directory and governance\n\n| | Count |\n|---|---:|\n");
    for (name, count) in rows {
        let _ = writeln!(text, "| {name} | {count} |");
    }
    text.push('\n');
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_repeated_only_when_every_word_of_it_is_known() {
        for (given, told) in [
            ("limit", "limit"),
            (
                "missing permission: Reader on /subscriptions/contoso",
                "missing permission: Reader",
            ),
            ("missing permission: Contoso", "told by the result of the scan's job"),
            ("503 from https://contoso", "told by the result of the scan's job"),
        ] {
            assert_eq!(reason(given), told);
        }
    }
}
