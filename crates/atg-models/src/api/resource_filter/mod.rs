//! `resource_filters` of a generation: which resources are wanted. `docs/resource-filters.md` describes it to users.
//!
//! Entries are alternatives; the conditions of one entry hold together. Parsed at the edge: what is wrong is refused
//! with its place, because a filter that is half understood would select more than was meant.

mod parse;
mod pattern;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use pattern::Pattern;

/// A parsed filter. It prints as it was given.
#[derive(Debug, Clone)]
pub struct ResourceFilter {
    text: String,
    /// One of these has to hold.
    entries: Vec<Vec<Condition>>,
}

/// Where a filter is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is wrong at character {position}: {problem}")]
pub struct ResourceFilterError {
    /// From 1.
    pub position: usize,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct ResourceFacts<'a> {
    /// Lower-cased ARM type.
    pub type_: &'a str,
    /// The ARM id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The subscription's id.
    pub subscription_id: Option<&'a str>,
    /// The subscription's name, where it is known.
    pub subscription_name: Option<&'a str>,
    /// The resource group's name.
    pub resource_group: Option<&'a str>,
    /// The region.
    pub location: Option<&'a str>,
    /// The tags.
    pub tags: &'a BTreeMap<String, String>,
}

/// One condition.
#[derive(Debug, Clone)]
struct Condition {
    negated: bool,
    subject: Subject,
    /// `None`: the tag is there.
    pattern: Option<Pattern>,
}

/// What a condition is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Type,
    Name,
    Id,
    ResourceGroup,
    Subscription,
    Location,
    /// By its lower-cased name.
    Tag(String),
}

impl ResourceFilter {
    /// Whether a resource is wanted.
    pub fn matches(&self, facts: &ResourceFacts<'_>) -> bool {
        self.entries
            .iter()
            .any(|conditions| conditions.iter().all(|condition| condition.holds(facts)))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Condition {
    fn holds(&self, facts: &ResourceFacts<'_>) -> bool {
        let is = |value: Option<&str>| match (&self.pattern, value) {
            (Some(pattern), Some(value)) => pattern.matches(value),
            (None, value) => value.is_some(),
            (Some(_), None) => false,
        };
        let holds = match &self.subject {
            Subject::Type => is(Some(facts.type_)),
            Subject::Name => is(Some(facts.name)),
            Subject::Id => is(Some(facts.id)),
            Subject::ResourceGroup => is(facts.resource_group),
            Subject::Subscription => is(facts.subscription_id) || is(facts.subscription_name),
            Subject::Location => {
                let location = facts.location.map(|text| text.replace(' ', ""));
                is(location.as_deref())
            }
            Subject::Tag(wanted) => {
                let mut tags = facts.tags.iter().filter(|(name, _)| name.to_lowercase() == *wanted);
                tags.any(|(_, value)| is(Some(value)))
            }
        };
        holds != self.negated
    }
}

impl FromStr for ResourceFilter {
    type Err = ResourceFilterError;

    fn from_str(text: &str) -> Result<Self, ResourceFilterError> {
        Ok(Self {
            text: text.to_owned(),
            entries: parse::entries(text)?,
        })
    }
}

/// The text decides: equal texts select the same.
impl PartialEq for ResourceFilter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ResourceFilter {}

impl fmt::Display for ResourceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ResourceFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ResourceFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
