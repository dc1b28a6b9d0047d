//! The neutral form of a resource between reading and writing: attributes, nested blocks, and values that may
//! still name other resources.

use std::collections::BTreeMap;

use atg_models::secrets::MARKER;
use serde_json::Number;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    /// Nothing: the attribute is not written.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as read.
    Number(Number),
    /// A text; a whole ARM id or object id becomes a reference later.
    Text(String),
    /// A list or set.
    List(Vec<Self>),
    /// A map or object.
    Map(BTreeMap<String, Self>),
    /// JSON text of a value.
    Json(Box<Self>),
    /// A secret, which becomes a sensitive variable.
    Secret,
    /// A value that the body does not hold, which becomes a variable of this type.
    Ask(String),
    /// Attribute `attr` of the resource `id`; `or` when that resource is not emitted.
    Of {
        /// The ARM id.
        id: String,
        /// The attribute of the target.
        attr: String,
        /// What stands there otherwise.
        or: Box<Self>,
    },
    /// A reference to an attribute of another resource, `azurerm_subnet.web.id`, with fixed text behind it.
    Ref {
        /// `azurerm_subnet.web`
        address: String,
        /// `id`
        attr: String,
        /// Text behind, usually empty.
        rest: String,
    },
    /// A variable, by its key in the list of variables.
    Var(String),
    /// A text with variables in it: texts and variables by turns.
    Template(Vec<Self>),
}

impl Val {
    /// A JSON value, whole. A text that holds a secret's marker is a secret.
    pub(crate) fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(value) => Self::Number(value.clone()),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// A text, or a secret where the text holds the marker of one.
    pub(crate) fn text(text: &str) -> Self {
        if text.contains(MARKER) {
            Self::Secret
        } else {
            Self::Text(text.to_owned())
        }
    }

    /// Whether there is nothing to write: null, the empty text, an empty list or map.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(members) => members.is_empty(),
            Self::Bool(_)
            | Self::Number(_)
            | Self::Json(_)
            | Self::Secret
            | Self::Ask(_)
            | Self::Of { .. }
            | Self::Ref { .. }
            | Self::Var(_)
            | Self::Template(_) => false,
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Json(_)
            | Self::Secret
            | Self::Ask(_)
            | Self::Of { .. }
            | Self::Ref { .. }
            | Self::Var(_)
            | Self::Template(_) => None,
        }
    }
}

/// Attributes and nested blocks of one level.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Block {
    /// By name.
    pub(crate) attrs: BTreeMap<String, Val>,
    /// By name, each in its order.
    pub(crate) blocks: BTreeMap<String, Vec<Block>>,
}

impl Block {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.attrs.is_empty() && self.blocks.is_empty()
    }
}
