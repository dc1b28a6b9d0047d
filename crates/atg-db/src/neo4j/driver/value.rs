//! Statements and their parameters, rows and their columns.

use neo4rs::{BoltBytes, BoltList, BoltMap, BoltNull, BoltString, BoltType};
use serde::Deserialize;
use time::OffsetDateTime;

use super::trouble::{Outcome, Trouble};

/// A statement of fixed text, and what it is about.
#[derive(Clone)]
pub(crate) struct Statement(neo4rs::Query);

impl Statement {
    /// Of a text that no value is part of.
    pub(crate) fn new(text: &'static str) -> Self {
        Self(neo4rs::Query::new(text.to_owned()))
    }

    /// Sets a parameter.
    #[must_use]
    pub(crate) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        Self(self.0.param(name, value.into()))
    }

    pub(super) fn query(self) -> neo4rs::Query {
        self.0
    }
}

/// A parameter's value: what both sides keep without loss.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
}

impl Value {
    /// Rows for an `UNWIND`.
    pub(crate) fn rows(rows: impl IntoIterator<Item = Vec<(&'static str, Value)>>) -> Self {
        Self::List(rows.into_iter().map(Self::Map).collect())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

/// Counts and sequences: what does not fit is far beyond every bound here.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// Times are kept as nanoseconds since 1970, which lasts until 2262.
impl From<OffsetDateTime> for Value {
    fn from(at: OffsetDateTime) -> Self {
        Self::Int(nanos(at))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Value> for BoltType {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null(BoltNull),
            Value::Flag(flag) => flag.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(text) => Self::String(BoltString::from(text)),
            Value::Bytes(bytes) => Self::Bytes(BoltBytes::new(bytes.into())),
            Value::List(values) => Self::List(BoltList::from(values.into_iter().map(Self::from).collect::<Vec<_>>())),
            Value::Map(members) => Self::Map(
                members
                    .into_iter()
                    .map(|(name, value)| (BoltString::from(name), Self::from(value)))
                    .collect::<BoltMap>(),
            ),
        }
    }
}

/// A row of an answer.
pub(crate) struct Row(neo4rs::Row);

impl Row {
    pub(super) const fn new(row: neo4rs::Row) -> Self {
        Self(row)
    }

    /// A column's value; `None` when it is null.
    pub(crate) fn maybe<T: for<'r> Deserialize<'r>>(&self, column: &str) -> Outcome<Option<T>> {
        self.0
            .get::<Option<T>>(column)
            .map_err(|error| Trouble::Unreadable(format!("column {column}: {error}")))
    }

    /// A column's value, which must be there.
    pub(crate) fn get<T: for<'r> Deserialize<'r>>(&self, column: &str) -> Outcome<T> {
        self.maybe(column)?
            .ok_or_else(|| Trouble::Unreadable(format!("column {column} is null")))
    }

    /// A text.
    pub(crate) fn text(&self, column: &str) -> Outcome<String> {
        self.get(column)
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &str) -> Outcome<u64> {
        Ok(u64::try_from(self.get::<i64>(column)?).unwrap_or_default())
    }

    /// A moment, see [`Value`]'s.
    pub(crate) fn moment(&self, column: &str) -> Outcome<OffsetDateTime> {
        moment(self.get(column)?)
    }

    /// A moment that may be missing.
    pub(crate) fn maybe_moment(&self, column: &str) -> Outcome<Option<OffsetDateTime>> {
        self.maybe::<i64>(column)?.map(moment).transpose()
    }

    /// Reads back what this program printed.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, column: &str) -> Outcome<T> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|_| Trouble::Unreadable(format!("column {column} holds {text:?}")))
    }

    /// Reads back what this program wrote as JSON.
    pub(crate) fn json<T: for<'r> Deserialize<'r>>(&self, column: &str) -> Outcome<T> {
        Ok(serde_json::from_str(&self.text(column)?)?)
    }
}

/// A moment as it is kept, see [`Value`]'s.
pub(crate) fn nanos(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos()).unwrap_or(i64::MAX)
}

/// The counterpart of [`nanos`].
pub(crate) fn moment(nanos: i64) -> Outcome<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)).map_err(|error| Trouble::Unreadable(error.to_string()))
}
