//! Assertions as texts: on the edge that they hold up, and on the node whose body makes them.
//!
//! A text is a JSON array without its last nulls. The node itself, or the end of the edge, stands as a number
//! instead of its id: ids are most of what such a text would hold.

use atg_models::graph::{NodeKind, Relation};
use serde_json::Value;

use super::Id;
use super::edges::{Assertion, EdgeKey, Mark, Said};
use crate::neo4j::driver::{Outcome, Trouble};

/// The body of the edge's source.
const SOURCE: u64 = 0;
/// The body of the edge's target.
const TARGET: u64 = 1;
/// The node whose body it is.
const SELF: u64 = 0;
/// An assertion that rests on an answered look-up.
const LOOKUP: &str = "?";

/// What stands on an edge.
pub(super) fn on_edge(key: &EdgeKey, assertion: &Assertion, said: &Said) -> Outcome<String> {
    let by = match &assertion.by {
        by if *by == key.source => SOURCE.into(),
        by if *by == key.target => TARGET.into(),
        by => Value::from(by.as_ref()),
    };
    let mark = match &assertion.mark {
        Mark::Body => Value::Null,
        Mark::Lookup => LOOKUP.into(),
        Mark::Listing(collection) => collection.as_ref().into(),
    };
    let path = Value::from(assertion.path.as_str());
    print(vec![
        by,
        path,
        mark,
        text(said.props.as_deref()),
        kind(said.source),
        kind(said.target),
    ])
}

/// The counterpart of [`on_edge`].
pub(super) fn read_on_edge(key: &EdgeKey, stored: &str) -> Outcome<(Assertion, Said)> {
    let mut fields = parse(stored)?;
    let by = match fields.next() {
        Some(Value::Number(number)) if number.as_u64() == Some(SOURCE) => key.source.clone(),
        Some(Value::Number(_)) => key.target.clone(),
        by => Id::from(some_text(by, stored)?),
    };
    let path = some_text(fields.next(), stored)?;
    let mark = match maybe_text(fields.next(), stored)? {
        None => Mark::Body,
        Some(mark) if mark == LOOKUP => Mark::Lookup,
        Some(collection) => Mark::Listing(collection.into()),
    };
    let said = read_said(&mut fields, stored)?;
    Ok((Assertion { by, path, mark }, said))
}

/// What stands on the node whose body says so.
pub(super) fn on_node(id: &Id, key: &EdgeKey, path: &str, said: &Said) -> Outcome<String> {
    let end = |end: &Id| {
        if end == id {
            SELF.into()
        } else {
            Value::from(end.as_ref())
        }
    };
    print(vec![
        end(&key.source),
        key.relation.as_str().into(),
        end(&key.target),
        key.qualifier.as_str().into(),
        path.into(),
        text(said.props.as_deref()),
        kind(said.source),
        kind(said.target),
    ])
}

/// The counterpart of [`on_node`].
pub(super) fn read_on_node(id: &Id, stored: &str) -> Outcome<((EdgeKey, String), Said)> {
    let mut fields = parse(stored)?;
    let end = |field| match field {
        Some(Value::Number(_)) => Ok(id.clone()),
        other => some_text(other, stored).map(Id::from),
    };
    let source = end(fields.next())?;
    let relation = relation(&some_text(fields.next(), stored)?)?;
    let target = end(fields.next())?;
    let qualifier = some_text(fields.next(), stored)?;
    let key = EdgeKey {
        source,
        relation,
        target,
        qualifier,
    };
    let path = some_text(fields.next(), stored)?;
    Ok(((key, path), read_said(&mut fields, stored)?))
}

/// The relation with this name.
pub(super) fn relation(name: &str) -> Outcome<Relation> {
    Relation::from_name(name).ok_or_else(|| Trouble::Unreadable(format!("unknown relation {name}")))
}

/// The kind with this name.
pub(super) fn kind_of(name: &str) -> Outcome<NodeKind> {
    NodeKind::from_name(name).ok_or_else(|| Trouble::Unreadable(format!("unknown kind {name}")))
}

fn read_said(fields: &mut impl Iterator<Item = Value>, stored: &str) -> Outcome<Said> {
    let props = maybe_text(fields.next(), stored)?;
    let mut kind = || -> Outcome<Option<NodeKind>> {
        maybe_text(fields.next(), stored)?
            .map(|name| kind_of(&name))
            .transpose()
    };
    Ok(Said {
        props,
        source: kind()?,
        target: kind()?,
    })
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

fn kind(kind: Option<NodeKind>) -> Value {
    text(kind.map(NodeKind::as_str))
}

fn print(mut fields: Vec<Value>) -> Outcome<String> {
    while fields.last().is_some_and(Value::is_null) {
        fields.pop();
    }
    Ok(serde_json::to_string(&fields)?)
}

fn parse(stored: &str) -> Outcome<std::vec::IntoIter<Value>> {
    Ok(serde_json::from_str::<Vec<Value>>(stored)?.into_iter())
}

fn maybe_text(field: Option<Value>, stored: &str) -> Outcome<Option<String>> {
    match field {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Trouble::Unreadable(format!("an assertion reads {stored}")))
        }
    }
}

fn some_text(field: Option<Value>, stored: &str) -> Outcome<String> {
    maybe_text(field, stored)?.ok_or_else(|| Trouble::Unreadable(format!("an assertion reads {stored}")))
}
