//! Holds bodies of templates against the published types, read from their source and not from our table.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::corpus::unpacked;
use super::read::ReadBack;

/// The published types by lower-cased name.
pub(super) struct Types(BTreeMap<String, Value>);

/// What does not fit: the type, and where and how.
pub(super) type Violation = (String, String);

impl Types {
    /// `None` without the data.
    pub(super) fn open() -> Option<Self> {
        let text = unpacked("arm-types.jsonl.gz")?;
        let types = text.lines().map(|line| {
            let facts: Value = serde_json::from_str(line).expect("JSON");
            (facts["type"].as_str().expect("a type").to_lowercase(), facts)
        });
        Some(Self(types.collect()))
    }

    /// By id, what does not fit.
    pub(super) fn judge(&self, read: &ReadBack) -> BTreeMap<String, Vec<Violation>> {
        let mut out = BTreeMap::new();
        for (id, resource) in &read.resources {
            let Some(facts) = self.0.get(&resource.type_.to_lowercase()) else {
                continue;
            };
            let mut check = Check {
                defs: &facts["defs"],
                name: id.rsplit('/').next().unwrap_or_default(),
                wrong: Vec::new(),
            };
            check.value(&resource.body, &facts["body"], "");
            if facts["type"] != resource.type_.as_str() {
                check.wrong.push(format!("spelled {}", resource.type_));
            }
            if !check.wrong.is_empty() {
                let wrong = check.wrong.into_iter().map(|wrong| (resource.type_.clone(), wrong));
                out.insert(id.clone(), wrong.collect());
            }
        }
        out
    }
}

struct Check<'a> {
    defs: &'a Value,
    name: &'a str,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, value: &Value, node: &Value, path: &str) {
        // Known only when it is deployed.
        if value.as_str().is_some_and(|text| text.starts_with('«')) {
            return;
        }
        let kind = node["kind"].as_str().expect("a kind");
        let fits = match kind {
            "any" => return,
            "ref" => return self.value(value, &self.defs[node["ref"].as_str().expect("a name")], path),
            "string" | "enum" => value.is_string(),
            "int" => value.is_number(),
            "bool" => value.is_boolean(),
            "array" => value.is_array() || (value.is_string() && node["items"]["kind"] == "any"),
            _ => value.is_object(),
        };
        if !fits {
            self.wrong.push(format!("{path}: no {kind}"));
            return;
        }
        match kind {
            "array" => {
                for item in value.as_array().into_iter().flatten() {
                    self.value(item, &node["items"], &format!("{path}[*]"));
                }
            }
            "map" => {
                for item in value.as_object().into_iter().flat_map(|map| map.values()) {
                    self.value(item, &node["items"], &format!("{path}.*"));
                }
            }
            "object" | "discriminated" => self.object(value, node, path),
            _ => {}
        }
    }

    fn object(&mut self, value: &Value, node: &Value, path: &str) {
        let members = value.as_object().expect("an object");
        let mut sources = vec![node];
        if let Some(by) = node["by"].as_str() {
            let is_name = path.is_empty() && by == "name";
            let chosen = members.get(by).and_then(Value::as_str).unwrap_or_default();
            let chosen = if is_name { self.name } else { chosen };
            let mut variants = node["variants"].as_object().expect("variants").iter();
            let variant = variants.find(|(name, _)| *name == chosen || (is_name && name.eq_ignore_ascii_case(chosen)));
            // What a variant says of a member counts before what all say.
            match variant.map(|(_, variant)| variant) {
                Some(variant) if variant["kind"] == "ref" => {
                    sources.insert(0, &self.defs[variant["ref"].as_str().expect("a name")]);
                }
                Some(variant) => sources.insert(0, variant),
                // What is known only when it is deployed says nothing about the rest.
                // Nor does a name that nobody gave: examples are named by their test.
                None if chosen.starts_with('«') || is_name => return,
                None => self.wrong.push(format!("{path}.{by}: unknown discriminator")),
            }
        }
        let common = |name: &str| path.is_empty() && ["id", "name", "type", "apiVersion"].contains(&name);
        for (name, member) in members {
            let at = format!("{path}.{name}");
            let found = sources.iter().find_map(|source| source["props"].get(name));
            let extra = sources.iter().find_map(|source| source.get("extra"));
            match (found, extra) {
                (Some(prop), _) if prop["flags"].as_str().is_some_and(|flags| flags.contains('o')) => {
                    self.wrong.push(format!("{at}: read-only"));
                }
                (Some(node), _) | (None, Some(node)) => self.value(member, node, &at),
                (None, None) => self.wrong.push(format!("{at}: unknown")),
            }
        }
        for (name, prop) in sources
            .iter()
            .flat_map(|source| source["props"].as_object().into_iter().flatten())
        {
            let flags = prop["flags"].as_str().unwrap_or_default();
            if flags.contains('r') && !flags.contains('o') && !members.contains_key(name) && !common(name) {
                self.wrong.push(format!("{path}.{name}: required and missing"));
            }
        }
    }
}
