//! The neutral form of a body: values that may refer to other resources, to ids and to parameters.

use atg_models::ArmId;
use serde_json::Number;

/// A value of a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as read.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object, in the order in which it is written.
    Map(Vec<(Key, Self)>),
    /// Something that is known when it is deployed.
    Expr(Expr),
}

/// A member's name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    /// Fixed.
    Text(String),
    /// The id of a resource: user-assigned identities stand so.
    Expr(Expr),
}

/// What is known when it is deployed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// The id of a thing.
    Id(Target),
    /// An attribute of a resource of the output, by its place, and its value as read.
    Attr(usize, Attr, String),
    /// A parameter, by its key.
    Param(String),
    /// A text in which parameters stand.
    Joined(Vec<Piece>),
}

/// A piece of such a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// As it is.
    Text(String),
    /// A parameter, by its key.
    Param(String),
}

/// What an id names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// The id, spelled as published.
    pub(crate) id: ArmId,
    /// The resource of the output that it names or is a part of, by its place; none for the same id everywhere.
    pub(crate) of: Option<usize>,
    /// Whether it is waited for: not where that would close a cycle, nor for a part of the resource itself.
    pub(crate) waits: bool,
}

/// What a resource says about itself once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attr {
    /// Object id of a user-assigned identity.
    Principal,
    /// Client id of a user-assigned identity.
    Client,
    /// Object id of a resource's own identity.
    OwnIdentity,
}

impl Attr {
    /// From the name that the selection gives it.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "principal_id" => Self::Principal,
            "client_id" => Self::Client,
            _ => Self::OwnIdentity,
        }
    }
}

impl Value {
    /// Whether it is an object without members.
    pub(crate) fn is_empty_map(&self) -> bool {
        matches!(self, Self::Map(members) if members.is_empty())
    }
}

/// A parameter of the templates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Param {
    /// The wanted name.
    pub(crate) name: String,
    /// In words.
    pub(crate) description: String,
    /// What it stands for.
    pub(crate) kind: ParamKind,
}

impl Param {
    /// Bytes of its own texts, written at most twice as long.
    pub(crate) fn texts_bytes(&self) -> usize {
        let default = match &self.kind {
            ParamKind::Outside(value) => value.len(),
            ParamKind::SecretText | ParamKind::SecretObject | ParamKind::Missing(_) => 0,
        };
        2 * (self.name.len() * 3 + self.description.len() + default)
    }
}

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ParamKind {
    /// A secret text: without a default.
    SecretText,
    /// A secret object: without a default.
    SecretObject,
    /// Something required that is not known, with its type: without a default.
    Missing(&'static str),
    /// The id of something outside, which is its default.
    Outside(String),
}

impl ParamKind {
    /// Whether somebody has to give a value.
    pub(crate) fn is_asked(&self) -> bool {
        !matches!(self, Self::Outside(_))
    }
}
