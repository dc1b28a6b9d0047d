//! A resource in Markdown: properties, tags and relationships.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use atg_models::graph::{Node, Relation};

use super::body::{self, Words};
use super::evidence::environment;
use super::outline::{At, Outline};
use super::tables::{TAG_KEYS, TAG_VALUES};
use super::value::Values;
use crate::limits::SPEC_RELATIONSHIPS_MAX;

/// A described resource.
pub(super) struct Described {
    /// Where it is in the outline.
    pub(super) at: At,
    /// Its lines, without its heading and without its place.
    pub(super) text: String,
    /// How many relationships it names.
    pub(super) relationships: u64,
}

/// Relationships by where they start.
pub(super) type Relationships = BTreeMap<At, Vec<(Relation, At)>>;

/// Describes a node.
pub(super) fn describe(
    at: At,
    node: &Node,
    relationships: &BTreeSet<(Relation, At)>,
    words: &mut Words,
    values: &mut Values<'_>,
) -> Described {
    let mut text = String::new();
    if let Some(whole) = values.outline.whole(values.names, node) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- **Part of:** {} ({})", whole.label, whole.type_);
    }
    if let Some(body) = &node.body {
        properties(&mut text, body::lines(body, words, values));
    }
    tags(&mut text, &node.tags, values);
    related(&mut text, relationships, values.outline);
    Described {
        at,
        text,
        relationships: u64::try_from(relationships.len()).unwrap_or(u64::MAX),
    }
}

fn properties(text: &mut String, body: body::Lines) {
    let body::Lines { shown, hidden, cut } = body;
    if shown.is_empty() && hidden == 0 && cut == 0 {
        return;
    }
    text.push_str("- **Properties:**\n");
    for line in shown {
        let _ = writeln!(text, "    - {line}");
    }
    if hidden > 0 {
        let _ = writeln!(
            text,
            "    - *{hidden} more not shown: the tenant named or numbered them*"
        );
    }
    if cut > 0 {
        let _ = writeln!(text, "    - *{cut} more not shown: too many*");
    }
}

fn tags(text: &mut String, tags: &BTreeMap<String, String>, values: &mut Values<'_>) {
    if tags.is_empty() {
        return;
    }
    let mut lines: Vec<_> = tags.iter().map(|(key, value)| tag(key, value, values)).collect();
    lines.sort_unstable();
    text.push_str("- **Tags:**\n");
    for line in lines {
        let _ = writeln!(text, "    - {line}");
    }
}

/// A tag: its key and its value each shown when they are common words.
fn tag(key: &str, value: &str, values: &mut Values<'_>) -> String {
    let plain: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .flat_map(char::to_lowercase)
        .collect();
    let known = TAG_KEYS.iter().find(|known| **known == plain && key.is_ascii());
    let key = known.map_or_else(
        || values.names.value("tag", &key.to_lowercase()),
        |key| (*key).to_owned(),
    );
    let lower = value.to_lowercase();
    let common = environment(value).is_some() || TAG_VALUES.contains(&lower.as_str());
    let value = if value.is_empty() {
        "(empty)".to_owned()
    } else if common {
        format!("`{lower}`")
    } else {
        values.names.value("value", value)
    };
    format!("{key}: {value}")
}

fn related(text: &mut String, edges: &BTreeSet<(Relation, At)>, outline: &Outline) {
    if edges.is_empty() {
        return;
    }
    text.push_str("- **Relationships:**\n");
    let mut lines: Vec<_> = edges
        .iter()
        .filter_map(|(relation, target)| line(*relation, *target, outline))
        .collect();
    lines.sort_unstable();
    let more = lines.len().saturating_sub(SPEC_RELATIONSHIPS_MAX);
    for line in lines.iter().take(SPEC_RELATIONSHIPS_MAX) {
        let _ = writeln!(text, "    - {line}");
    }
    if more > 0 {
        let _ = writeln!(text, "    - *{more} more not shown: too many*");
    }
}

fn line(relation: Relation, target: At, outline: &Outline) -> Option<String> {
    let entry = outline.entries.get(target)?;
    let unread = if entry.observed || entry.kind.is_derived() {
        ""
    } else {
        ", not read"
    };
    Some(format!(
        "{} → {} ({}{unread})",
        relation.as_str(),
        entry.label,
        entry.type_
    ))
}
