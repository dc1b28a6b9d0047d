//! Holds a body against what its type may hold: what can only be read falls away, what is not known is left
//! out and listed, what is required and missing becomes a parameter, and so does every secret.

mod asked;
mod scalar;

use std::collections::BTreeMap;

use atg_models::ArmId;
use atg_models::secrets::MARKER;
use serde_json::{Map, Value as Json};

use crate::tables::{Member, Members, Node};
use crate::template::value::{Key, Param, ParamKind, Value};
use scalar::{says_something, scalar};

/// Required members of required members, and so on: deeper ones are asked for as a whole.
const MAX_ASKED_DEPTH: usize = 6;

/// What is known about a body while it is held against its type.
pub(crate) struct Fitting<'a> {
    /// Shared nodes.
    pub(crate) defs: &'a BTreeMap<String, Node>,
    /// The resource's key.
    pub(crate) key: &'a str,
    /// The resource's own name: of some types it decides what else there is.
    pub(crate) name: &'a str,
    /// The resource in a parameter's name.
    pub(crate) label: &'a str,
    /// Parameters that the body needs, by key.
    pub(crate) params: BTreeMap<String, Param>,
    /// Paths with what was done there.
    pub(crate) notes: Vec<(String, String)>,
    /// Paths of what is left out.
    pub(crate) left_out: Vec<String>,
}

static NONE: Members = Members {
    by_name: BTreeMap::new(),
    extra: None,
};

/// The members of an object: those that all have, those of its variant, and where no variant is chosen,
/// the member that would choose and the variants.
struct Known<'a> {
    common: &'a Members,
    variant: &'a Members,
    undecided: Option<(&'a str, &'a BTreeMap<String, Node>)>,
}

impl<'a> Known<'a> {
    /// What any further member may be.
    fn extra(&self) -> Option<&'a Node> {
        self.common.extra.as_deref().or(self.variant.extra.as_deref())
    }
}

impl<'a> Fitting<'a> {
    /// For one resource.
    pub(crate) fn new(key: &'a str, name: &'a str, label: &'a str, defs: &'a BTreeMap<String, Node>) -> Self {
        Self {
            defs,
            key,
            name,
            label,
            params: BTreeMap::new(),
            notes: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The members of a whole body.
    pub(crate) fn body(&mut self, body: &Map<String, Json>, node: &'a Node) -> Vec<(Key, Value)> {
        match self.object(body, self.resolved(node), "", false) {
            Some(Value::Map(members)) => members,
            Some(
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Expr(_),
            )
            | None => Vec::new(),
        }
    }

    /// A value of which nothing is published: as it is, with parameters for secrets.
    pub(crate) fn any(&mut self, value: &Json, path: &str) -> Value {
        match value {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(value) => Value::Number(value.clone()),
            Json::String(text) if text.contains(MARKER) => self.secret(path, ParamKind::SecretText),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                Value::List(
                    items
                        .map(|(at, item)| self.any(item, &format!("{path}[{at}]")))
                        .collect(),
                )
            }
            Json::Object(members) => {
                let members = members.iter().filter_map(|(name, member)| {
                    let at = join(path, name);
                    if name.contains(MARKER) {
                        self.secret_name(path);
                        return None;
                    }
                    Some((Key::Text(name.clone()), self.any(member, &at)))
                });
                Value::Map(members.collect())
            }
        }
    }

    fn resolved(&self, node: &'a Node) -> &'a Node {
        let mut node = node;
        // A chain of names ends: a table that did not would not have been made.
        for _ in 0..MAX_ASKED_DEPTH {
            let Node::Ref(name) = node else {
                break;
            };
            let Some(found) = self.defs.get(name) else {
                break;
            };
            node = found;
        }
        node
    }

    /// What is written for `value`; `None` for nothing.
    fn value(&mut self, value: &Json, node: &'a Node, path: &str, optional: bool) -> Option<Value> {
        let node = self.resolved(node);
        match (value, node) {
            (_, Node::Any | Node::Ref(_)) => Some(self.any(value, path)),
            (Json::Null, _) => None,
            (Json::String(text), Node::Object(_) | Node::Choice { .. } | Node::SecretObject | Node::Map(_))
                if text.contains(MARKER) =>
            {
                Some(self.secret(path, ParamKind::SecretObject))
            }
            (Json::String(text), _) if text.contains(MARKER) => Some(self.secret(path, ParamKind::SecretText)),
            (Json::String(text), Node::SecretText) if !text.is_empty() && text.parse::<ArmId>().is_err() => {
                Some(self.secret(path, ParamKind::SecretText))
            }
            (Json::Object(members), Node::SecretObject) if !members.is_empty() => {
                Some(self.secret(path, ParamKind::SecretObject))
            }
            (Json::Array(items), Node::List(inner)) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(at, item)| self.value(item, inner, &format!("{path}[{at}]"), false));
                Some(Value::List(items.collect()))
            }
            // Base64 text stands where a list of anything is published.
            (Json::String(text), Node::List(inner)) if matches!(self.resolved(inner), Node::Any) => {
                Some(Value::Text(text.clone()))
            }
            (Json::Object(members), Node::Map(inner)) => Some(self.map(members, inner, path)),
            (Json::Object(members), Node::Object(_) | Node::Choice { .. } | Node::SecretObject) => {
                self.object(members, node, path, optional)
            }
            _ => {
                let scalar = scalar(value, node);
                if scalar.is_none() {
                    self.left_out.push(path.to_owned());
                }
                scalar
            }
        }
    }

    fn map(&mut self, members: &Map<String, Json>, inner: &'a Node, path: &str) -> Value {
        let members = members.iter().filter_map(|(name, member)| {
            if name.contains(MARKER) {
                self.secret_name(path);
                return None;
            }
            let value = self.value(member, inner, &join(path, name), false)?;
            Some((Key::Text(name.clone()), value))
        });
        Value::Map(members.collect())
    }

    /// An object; `None` when it is optional and nothing that can be set is in it.
    fn object(&mut self, body: &Map<String, Json>, node: &'a Node, path: &str, optional: bool) -> Option<Value> {
        let known = self.known(body, node, path);
        let (mut written, others) = self.members_of(body, &known, path);
        if optional && !body.is_empty() && written.is_empty() && others.is_empty() {
            return None;
        }
        if let Some((by, _)) = known.undecided.filter(|(by, _)| !(path.is_empty() && *by == "name")) {
            // Another word than the published ones would be refused.
            if has(body, by) {
                self.left_out.push(join(path, by));
            }
            let value = self.missing(&join(path, by), "string");
            written.insert(by, value);
        }
        let required = known.variant.by_name.values().chain(known.common.by_name.values());
        for member in required.filter(|member| member.required) {
            if let Some(node) = &member.node
                && !written.contains_key(member.name.as_str())
            {
                let value = self.asked(node, &join(path, &member.name), 0);
                written.insert(&member.name, value);
            }
        }
        let written = written
            .into_iter()
            .map(|(name, value)| (Key::Text(name.to_owned()), value));
        Some(Value::Map(written.chain(others).collect()))
    }

    /// The members that the type knows, by their published names, and further ones.
    fn members_of(
        &mut self,
        body: &Map<String, Json>,
        known: &Known<'a>,
        path: &str,
    ) -> (BTreeMap<&'a str, Value>, Vec<(Key, Value)>) {
        let mut written: BTreeMap<&str, Value> = BTreeMap::new();
        let mut others = Vec::new();
        for (name, value) in body {
            let member = self.member_named(body, known, &name.to_lowercase());
            let at = join(path, member.map_or(name, |member| &member.name));
            match (member, known.extra()) {
                (
                    Some(Member {
                        name,
                        required,
                        node: Some(node),
                    }),
                    _,
                ) => {
                    if let Some(value) = self.member(value, node, &at, !required)
                        && !written.contains_key(name.as_str())
                    {
                        written.insert(name, value);
                    }
                }
                (Some(Member { node: None, .. }), _) => {}
                (None, _) if name.contains(MARKER) => self.secret_name(path),
                (None, Some(extra)) => {
                    if let Some(value) = self.value(value, extra, &at, true) {
                        others.push((Key::Text(name.clone()), value));
                    }
                }
                (None, None) => {
                    if says_something(value) {
                        self.left_out.push(at);
                    }
                }
            }
        }
        (written, others)
    }

    fn member_named(&self, body: &Map<String, Json>, known: &Known<'a>, lower: &str) -> Option<&'a Member> {
        let own = known.variant.by_name.get(lower);
        own.or_else(|| known.common.by_name.get(lower)).or_else(|| {
            let (_, variants) = known.undecided.filter(|(by, _)| !has(body, by))?;
            self.of_any(variants, lower)
        })
    }

    /// What is known of an object's members, given what is in it.
    fn known(&self, body: &Map<String, Json>, node: &'a Node, path: &str) -> Known<'a> {
        let (common, variant, undecided) = match node {
            Node::Object(members) => (members, &NONE, None),
            Node::Choice { by, common, variants } => match self.variant(body, (path, by), variants) {
                Some(variant) => (common, variant, None),
                None => (common, &NONE, Some((by.as_str(), variants))),
            },
            Node::Any
            | Node::Text
            | Node::SecretText
            | Node::SecretObject
            | Node::Number
            | Node::Bool
            | Node::Enum(_)
            | Node::List(_)
            | Node::Map(_)
            | Node::Ref(_) => (&NONE, &NONE, None),
        };
        Known {
            common,
            variant,
            undecided,
        }
    }

    /// A member's value; an object in which nothing is left is not written where it need not be.
    fn member(&mut self, value: &Json, node: &'a Node, path: &str, optional: bool) -> Option<Value> {
        let was_empty = value.as_object().is_some_and(Map::is_empty);
        let fitted = self.value(value, node, path, optional)?;
        (was_empty
            || !optional
            || !fitted.is_empty_map()
            || matches!(value, Json::Object(_)) && is_map(self.resolved(node)))
        .then_some(fitted)
    }

    fn variant(
        &self,
        body: &Map<String, Json>,
        (path, by): (&str, &str),
        variants: &'a BTreeMap<String, Node>,
    ) -> Option<&'a Members> {
        let value = if path.is_empty() && by == "name" {
            self.name
        } else {
            let found = body.iter().find(|(name, _)| name.eq_ignore_ascii_case(by));
            found.and_then(|(_, value)| value.as_str())?
        };
        let (_, node) = variants.iter().find(|(name, _)| name.eq_ignore_ascii_case(value))?;
        self.members(node)
    }

    /// The member of any variant that has one of this name.
    fn of_any(&self, variants: &'a BTreeMap<String, Node>, lower: &str) -> Option<&'a Member> {
        let mut variants = variants.values();
        variants.find_map(|variant| self.members(variant)?.by_name.get(lower))
    }

    fn members(&self, node: &'a Node) -> Option<&'a Members> {
        match self.resolved(node) {
            Node::Object(members) | Node::Choice { common: members, .. } => Some(members),
            Node::Any
            | Node::Text
            | Node::SecretText
            | Node::SecretObject
            | Node::Number
            | Node::Bool
            | Node::Enum(_)
            | Node::List(_)
            | Node::Map(_)
            | Node::Ref(_) => None,
        }
    }
}

fn has(body: &Map<String, Json>, name: &str) -> bool {
    body.keys().any(|key| key.eq_ignore_ascii_case(name))
}

fn is_map(node: &Node) -> bool {
    matches!(node, Node::Map(_))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
