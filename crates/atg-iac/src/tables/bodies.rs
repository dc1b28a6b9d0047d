//! What a request body of an ARM type may hold. `make/bodies.rs` says how a line is written.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::{Lines, line};
use crate::IacError;

static PACKED: &[u8] = include_bytes!("../../data/tables/arm-bodies.gz");
static LINES: OnceLock<Lines> = OnceLock::new();

/// The body of one ARM type, without `id`, `name`, `type` and `apiVersion`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BodyFacts {
    /// All published api-versions.
    #[serde(rename = "n")]
    pub(crate) versions: Vec<String>,
    /// What it may hold.
    #[serde(rename = "b")]
    pub(crate) body: Node,
    /// Shared nodes by name.
    #[serde(rename = "d", default)]
    pub(crate) defs: BTreeMap<String, Node>,
}

/// What may stand at a place.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A text that is a secret.
    SecretText,
    /// An object that is a secret.
    SecretObject,
    /// A number, whole or not.
    Number,
    /// A truth value.
    Bool,
    /// One of these texts, in this spelling; others are accepted by most types.
    Enum(Vec<String>),
    /// A list of such.
    List(Box<Node>),
    /// Free names, each with such a value.
    Map(Box<Node>),
    /// An object.
    Object(Members),
    /// An object whose further members are decided by one of them.
    Choice {
        /// The deciding member.
        by: String,
        /// Those that all have.
        common: Members,
        /// By the deciding member's value, as published.
        variants: BTreeMap<String, Node>,
    },
    /// A shared node.
    Ref(String),
}

/// The members of an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    /// By lower-cased name.
    pub(crate) by_name: BTreeMap<String, Member>,
    /// What any further member may be; without it there are none.
    pub(crate) extra: Option<Box<Node>>,
}

/// A member.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// As published.
    pub(crate) name: String,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What it may be; `None` when it can only be read.
    pub(crate) node: Option<Node>,
}

/// The body of the type with this lower-cased name.
pub(crate) fn arm_body(lower: &str) -> Result<Option<BodyFacts>, IacError> {
    line(&LINES, "arm-bodies", PACKED, lower)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).ok_or_else(|| D::Error::custom("no node"))
    }
}

impl Node {
    fn read(value: &Value) -> Option<Self> {
        let object = match value {
            Value::String(kind) => {
                return Some(match kind.as_str() {
                    "a" => Self::Any,
                    "s" => Self::Text,
                    "S" => Self::SecretText,
                    "O" => Self::SecretObject,
                    "i" => Self::Number,
                    "b" => Self::Bool,
                    _ => return None,
                });
            }
            Value::Array(values) => {
                let values = values.iter().map(|value| value.as_str().map(str::to_owned));
                return Some(Self::Enum(values.collect::<Option<_>>()?));
            }
            Value::Object(object) => object,
            Value::Null | Value::Bool(_) | Value::Number(_) => return None,
        };
        if let Some(items) = object.get("l") {
            return Some(Self::List(Box::new(Self::read(items)?)));
        }
        if let Some(items) = object.get("m") {
            return Some(Self::Map(Box::new(Self::read(items)?)));
        }
        if let Some(name) = object.get("r") {
            return Some(Self::Ref(name.as_str()?.to_owned()));
        }
        let common = Members {
            by_name: members(object.get("p")?)?,
            extra: match object.get("x") {
                Some(extra) => Some(Box::new(Self::read(extra)?)),
                None => None,
            },
        };
        let Some(by) = object.get("k") else {
            return Some(Self::Object(common));
        };
        let variants = object.get("v")?.as_object()?.iter();
        let variants = variants.map(|(value, variant)| Some((value.clone(), Self::read(variant)?)));
        Some(Self::Choice {
            by: by.as_str()?.to_owned(),
            common,
            variants: variants.collect::<Option<_>>()?,
        })
    }
}

fn members(props: &Value) -> Option<BTreeMap<String, Member>> {
    let props = props.as_object()?.iter().map(|(flagged, prop)| {
        let (name, required, read_only) = match (flagged.strip_prefix('*'), flagged.strip_prefix('-')) {
            (Some(name), _) => (name, true, false),
            (None, Some(name)) => (name, false, true),
            (None, None) => (flagged.as_str(), false, false),
        };
        let member = Member {
            name: name.to_owned(),
            required,
            node: if read_only { None } else { Some(Node::read(prop)?) },
        };
        Some((name.to_lowercase(), member))
    });
    props.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_can_be_written_has_a_body() {
        let lines = Lines::unpack("arm-bodies", PACKED).expect("unpacks");
        assert!(lines.by_name.len() > 2_400, "{}", lines.by_name.len());
        for name in lines.by_name.keys() {
            let facts = arm_body(name).expect("reads").expect("is there");
            let refs = refs(&facts.body).into_iter().chain(facts.defs.values().flat_map(refs));
            for name in refs {
                assert!(facts.defs.contains_key(&name), "{name}");
            }
        }
    }

    fn refs(node: &Node) -> Vec<String> {
        let of = |members: &Members| {
            let nodes = members.by_name.values().filter_map(|member| member.node.as_ref());
            nodes.chain(members.extra.as_deref()).flat_map(refs).collect::<Vec<_>>()
        };
        match node {
            Node::Ref(name) => vec![name.clone()],
            Node::List(items) | Node::Map(items) => refs(items),
            Node::Object(members) => of(members),
            Node::Choice { common, variants, .. } => {
                of(common).into_iter().chain(variants.values().flat_map(refs)).collect()
            }
            Node::Any
            | Node::Text
            | Node::SecretText
            | Node::SecretObject
            | Node::Number
            | Node::Bool
            | Node::Enum(_) => Vec::new(),
        }
    }
}
