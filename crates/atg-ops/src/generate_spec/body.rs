//! A body as lines of Markdown: its properties by path, each value shown or replaced.
//!
//! Names of members are shown when Microsoft publishes them. What stands below any other name is
//! counted and left out, because the name is the tenant's.

use std::collections::BTreeMap;
use std::sync::Arc;

use atg_iac::tables::{Word, word};
use serde_json::{Map, Value};

use super::harmless::{self, Place};
use super::value::Values;
use crate::limits::{SPEC_DEPTH_MAX, SPEC_ITEMS_MAX, SPEC_PROPERTIES_MAX};

/// Members at the top that the heading tells, or that tell nothing.
const ENVELOPE: &[&str] = &[
    "apiversion",
    "etag",
    "id",
    "location",
    "managedby",
    "name",
    "resourcegroup",
    "subscriptionid",
    "systemdata",
    "tags",
    "tenantid",
    "type",
];

/// Members that tell nothing anywhere: the thing's own id and name, and what Azure counts with.
const NOISE: &[&str] = &[
    "etag",
    "id",
    "name",
    "primaryendpoints",
    "provisioningstate",
    "resourceguid",
    "secondaryendpoints",
    "uniqueid",
];

/// Words that were looked up already.
#[derive(Default)]
pub(super) struct Words(BTreeMap<String, Option<Arc<Word>>>);

impl Words {
    fn get(&mut self, lower: &str) -> Option<Arc<Word>> {
        if let Some(known) = self.0.get(lower) {
            return known.clone();
        }
        let found = word(lower).ok().flatten().map(Arc::new);
        self.0.insert(lower.to_owned(), found.clone());
        found
    }
}

/// What became of a body.
#[derive(Default)]
pub(super) struct Lines {
    /// `path: value`.
    pub(super) shown: Vec<String>,
    /// Values below names that are not published.
    pub(super) hidden: u64,
    /// Values beyond the bounds.
    pub(super) cut: u64,
}

/// The lines of a body.
pub(super) fn lines(body: &Value, words: &mut Words, values: &mut Values<'_>) -> Lines {
    let mut walk = Walk {
        words,
        values,
        out: Lines::default(),
    };
    if let Some(members) = body.as_object() {
        walk.members(members, &Here::default());
    }
    walk.out
}

/// Where the walk is: as it is shown, and by lower-cased names.
#[derive(Default)]
struct Here {
    path: String,
    name: String,
    depth: usize,
}

struct Walk<'a, 'v> {
    words: &'a mut Words,
    values: &'a mut Values<'v>,
    out: Lines,
}

impl Walk<'_, '_> {
    fn members(&mut self, members: &Map<String, Value>, here: &Here) {
        for (name, value) in members {
            let lower = name.to_lowercase();
            let skipped = if here.depth == 0 { ENVELOPE } else { NOISE };
            if skipped.contains(&lower.as_str()) && !is_published(self.words, here, &lower, value) {
                continue;
            }
            if is_empty(value) || self.tells_nothing(&lower, value) {
                continue;
            }
            match self.words.get(&lower) {
                Some(word) => self.member(value, here, &lower, &word),
                None => self.foreign(name, value, here),
            }
        }
    }

    /// Moments, ids of nothing that the document knows, types of parts that are no things.
    fn tells_nothing(&mut self, lower: &str, value: &Value) -> bool {
        let Some(text) = value.as_str() else {
            return false;
        };
        let part = lower == "type" && text.contains('/') && harmless::type_name(text).is_none();
        part || harmless::is_moment(text) || self.values.is_bare_id(text)
    }

    fn member(&mut self, value: &Value, here: &Here, lower: &str, word: &Word) {
        // `properties` is in every path, so it says nothing there.
        let path = match (here.path.as_str(), lower) {
            (path, "properties") => path.to_owned(),
            ("", _) => word.spelling.clone(),
            (path, _) => format!("{path}.{}", word.spelling),
        };
        let below = Here {
            path,
            name: lower.to_owned(),
            depth: here.depth + 1,
        };
        let place = Place {
            parent: &here.name,
            name: lower,
        };
        self.value(value, &below, place, word);
    }

    /// A member whose name is the tenant's: an id is a thing, anything else is left out.
    fn foreign(&mut self, name: &str, value: &Value, here: &Here) {
        if let Some(id) = atg_azure::relations::arm_id(name) {
            let label = self.values.reference(&id);
            self.push(&here.path, &label);
        }
        self.out.hidden += leaves(value);
    }

    fn value(&mut self, value: &Value, here: &Here, place: Place<'_>, word: &Word) {
        if here.depth > SPEC_DEPTH_MAX || self.out.shown.len() >= SPEC_PROPERTIES_MAX {
            self.out.cut += leaves(value);
            return;
        }
        match value {
            Value::Object(members) => match self.thing(members) {
                Some(label) => self.push(&here.path, &label),
                None => self.members(members, here),
            },
            Value::Array(items) if items.iter().all(is_scalar) => self.list(items, here, place, word),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let item_at = Here {
                        path: format!("{}[{at}]", here.path),
                        name: here.name.clone(),
                        depth: here.depth + 1,
                    };
                    self.value(item, &item_at, place, word);
                }
            }
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => match self.scalar(value, place, word) {
                Some(text) => self.push(&here.path, &text),
                None => self.out.hidden += 1,
            },
        }
    }

    /// A list of plain values, in one line.
    fn list(&mut self, items: &[Value], here: &Here, place: Place<'_>, word: &Word) {
        let mut texts = Vec::new();
        for item in items.iter().take(SPEC_ITEMS_MAX).filter(|item| !is_empty(item)) {
            match self.scalar(item, place, word) {
                Some(text) => texts.push(text),
                None => self.out.hidden += 1,
            }
        }
        let more = items.len().saturating_sub(SPEC_ITEMS_MAX);
        if more > 0 {
            texts.push(format!("… {more} more"));
        }
        if !texts.is_empty() {
            self.push(&here.path, &texts.join(", "));
        }
    }

    fn scalar(&mut self, value: &Value, place: Place<'_>, word: &Word) -> Option<String> {
        match value {
            Value::Bool(value) => Some(format!("`{value}`")),
            Value::Number(number) => is_quantity(place, word).then(|| format!("`{number}`")),
            Value::String(text) => Some(self.values.text(place, Some(word), text)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// An object that stands for a thing of the document: it is described there, not here.
    fn thing(&mut self, members: &Map<String, Value>) -> Option<String> {
        let (_, id) = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("id"))?;
        let id = atg_azure::relations::arm_id(id.as_str()?)?;
        let label = self.values.outline.label(self.values.names, id.node_id().as_str());
        match label {
            Some(label) => Some(label.to_owned()),
            None if members.len() == 1 => Some(self.values.reference(&id)),
            None => None,
        }
    }

    fn push(&mut self, path: &str, value: &str) {
        self.out.shown.push(format!("{path}: {value}"));
    }
}

/// Names such as a SKU's are Azure's own.
fn is_published(words: &mut Words, here: &Here, lower: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    here.depth > 0
        && lower == "name"
        && words
            .get(lower)
            .is_some_and(|word| word.value_in(&here.name, text).is_some() || here.name.ends_with("sku"))
}

/// Whether a number measures something. Numbers of systems, accounts, places and persons identify.
fn is_quantity(place: Place<'_>, word: &Word) -> bool {
    const IDENTIFY: &[&str] = &[
        "asn",
        "number",
        "id",
        "uid",
        "gid",
        "latitude",
        "longitude",
        "pin",
        "phone",
        "serial",
    ];
    word.is_number_in(place.parent) && !IDENTIFY.iter().any(|end| place.name.ends_with(end))
}

fn is_scalar(value: &Value) -> bool {
    !(value.is_object() || value.is_array())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// How many plain values are in a value.
fn leaves(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
    }
}
