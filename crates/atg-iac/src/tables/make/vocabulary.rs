//! `data/tables/vocabulary.gz`: the words of Microsoft's own that a body of ARM may hold.
//!
//! What is in it is published, so showing it tells nothing of a tenant. One line a property name, over
//! all types: how it is spelled, below which members it is a number, and the values of its enumerations.
//! One line a type, and one a namespace of types: how that is spelled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{MakeError, pack, source_digest, unpack};

/// Longer ones are sentences.
const VALUE_MAX_BYTES: usize = 64;

/// Types that describe another cloud: many words of no use.
const OTHER_CLOUDS: &[&str] = &["microsoft.awsconnector/"];

#[derive(Default)]
struct Word {
    /// How often it is spelled so.
    spellings: BTreeMap<String, u64>,
    numbers: BTreeSet<String>,
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Word {
    /// The usual spelling; of equally usual ones the first.
    fn spelling(&self) -> Option<&String> {
        let usual = self.spellings.values().max();
        let mut spellings = self.spellings.iter();
        spellings
            .find(|(_, count)| Some(*count) == usual)
            .map(|(spelling, _)| spelling)
    }
}

/// `data/tables/vocabulary.gz` from the published ARM types.
pub fn vocabulary(types_gz: &[u8]) -> Result<Vec<u8>, MakeError> {
    let mut words: BTreeMap<String, Word> = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for line in unpack(types_gz)?.lines() {
        let facts: Value = serde_json::from_str(line)?;
        let type_ = facts
            .get("type")
            .and_then(Value::as_str)
            .ok_or(MakeError::Shape("type"))?;
        let lower = type_.to_lowercase();
        if OTHER_CLOUDS.iter().any(|prefix| lower.starts_with(prefix)) {
            continue;
        }
        if let Some((namespace, _)) = type_.split_once('/') {
            lines.insert(namespace.to_lowercase(), json!({ "p": namespace }));
        }
        lines.insert(lower, json!({ "p": type_ }));
        let empty = Map::new();
        let mut walk = Walk {
            defs: facts.get("defs").and_then(Value::as_object).unwrap_or(&empty),
            seen: BTreeSet::new(),
            words: &mut words,
        };
        walk.node(facts.get("body").ok_or(MakeError::Shape("body"))?, "", "");
    }
    for (name, word) in words {
        let mut row = json!({ "p": word.spelling().unwrap_or(&name) });
        if let Some(row) = row.as_object_mut() {
            if !word.numbers.is_empty() {
                row.insert("n".to_owned(), json!(word.numbers));
            }
            if !word.values.is_empty() {
                row.insert("v".to_owned(), json!(word.values));
            }
        }
        lines.insert(name, row);
    }
    pack(&source_digest(&[types_gz]), &lines)
}

struct Walk<'a> {
    defs: &'a Map<String, Value>,
    /// Definitions by the place they stand at: what is below depends on nothing else.
    seen: BTreeSet<(String, String, String)>,
    words: &'a mut BTreeMap<String, Word>,
}

impl Walk<'_> {
    /// Takes up a node that stands as `name` in `parent`, both lower case.
    fn node(&mut self, node: &Value, parent: &str, name: &str) {
        if let Some(reference) = node.get("ref").and_then(Value::as_str) {
            let place = (reference.to_owned(), parent.to_owned(), name.to_owned());
            if let Some(target) = self.defs.get(reference).filter(|_| self.seen.insert(place)) {
                self.node(target, parent, name);
            }
            return;
        }
        let texts = |key: &str| node.get(key).and_then(Value::as_array).into_iter().flatten();
        match node.get("kind").and_then(Value::as_str) {
            Some("int") => {
                self.word(name).numbers.insert(parent.to_owned());
            }
            Some("enum") => self.values(parent, name, texts("values").filter_map(Value::as_str)),
            Some("map") => {
                if let Some(items) = node.get("items") {
                    self.node(items, name, "*");
                }
                return;
            }
            Some(_) | None => {}
        }
        if let Some(items) = node.get("items") {
            self.node(items, parent, name);
        }
        let members = |key: &str| node.get(key).and_then(Value::as_object).into_iter().flatten();
        for (member, child) in members("props") {
            let lower = member.to_lowercase();
            let word = self.word(&lower);
            *word.spellings.entry(member.clone()).or_default() += 1;
            self.node(child, name, &lower);
        }
        let by = node.get("by").and_then(Value::as_str).map(str::to_lowercase);
        for (variant, child) in members("variants") {
            if let Some(by) = &by {
                self.values(name, by, std::iter::once(variant.as_str()));
            }
            self.node(child, parent, name);
        }
    }

    fn word(&mut self, name: &str) -> &mut Word {
        self.words.entry(name.to_owned()).or_default()
    }

    fn values<'v>(&mut self, parent: &str, name: &str, values: impl Iterator<Item = &'v str>) {
        let fit = |value: &&str| {
            let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'`');
            !value.is_empty() && value.len() <= VALUE_MAX_BYTES && printable
        };
        let values: BTreeSet<_> = values.filter(fit).map(str::to_owned).collect();
        if !values.is_empty() {
            let known = self.word(name).values.entry(parent.to_owned()).or_default();
            known.extend(values);
        }
    }
}
