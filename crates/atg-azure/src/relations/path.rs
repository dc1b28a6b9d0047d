//! The path language of the catalogue.
//!
//! `[*]` any item, `[0]` one item, `.*` any member, `['x:*']` members whose name starts so, `~` at
//! the end the member's name instead of its value. Names are compared without regard to case.

use serde_json::Value;

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a path: {text}")]
pub(crate) struct PathError {
    text: String,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of this name, lower case.
    Name(String),
    /// Members whose name starts so, lower case.
    Prefix(String),
    /// Any member.
    AnyName,
    /// One item.
    Item(usize),
    /// Any item.
    AnyItem,
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// As it was written.
    pub(crate) text: String,
    /// The way down.
    pub(crate) steps: Vec<Step>,
    /// Whether the last member's name is meant, not its value.
    pub(crate) of_name: bool,
}

impl Path {
    /// Parses `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let error = || PathError { text: text.to_owned() };
        let (mut rest, of_name) = match text.strip_suffix('~') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = next_step(rest, steps.is_empty()).ok_or_else(error)?;
            steps.push(step);
            rest = after;
        }
        let names = matches!(steps.last(), Some(Step::Name(_) | Step::Prefix(_) | Step::AnyName));
        if steps.is_empty() || (of_name && !names) {
            return Err(error());
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
            of_name,
        })
    }

    /// The strings at this path.
    pub(crate) fn strings<'v>(&self, root: &'v Value) -> Vec<&'v str> {
        let mut found = Vec::new();
        collect(&self.steps, root, &mut found);
        found
    }
}

/// The string member of `value` with this name, whatever its case.
pub(crate) fn text_member<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    member(value, name)?.as_str()
}

/// The member of `value` with this name, whatever its case. An exact match wins.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| {
        let mut same = members.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        same.next().map(|(_, value)| value)
    })
}

fn next_step(rest: &str, first: bool) -> Option<(Step, &str)> {
    if let Some(rest) = rest.strip_prefix("['") {
        let (name, rest) = rest.split_once("']")?;
        let step = match name.strip_suffix('*') {
            Some(prefix) => Step::Prefix(prefix.to_lowercase()),
            None => Step::Name(name.to_lowercase()),
        };
        return Some((step, rest));
    }
    if let Some(rest) = rest.strip_prefix('[') {
        let (item, rest) = rest.split_once(']')?;
        let step = match item {
            "*" => Step::AnyItem,
            number => Step::Item(number.parse().ok()?),
        };
        return Some((step, rest));
    }
    let rest = if first { rest } else { rest.strip_prefix('.')? };
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(end)?;
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-' | '@');
    match name {
        "*" => Some((Step::AnyName, rest)),
        name if !name.is_empty() && name.chars().all(sound) => Some((Step::Name(name.to_lowercase()), rest)),
        _ => None,
    }
}

fn collect<'v>(steps: &[Step], value: &'v Value, found: &mut Vec<&'v str>) {
    let Some((step, rest)) = steps.split_first() else {
        found.extend(value.as_str());
        return;
    };
    match step {
        Step::Name(name) => {
            if let Some(value) = member(value, name) {
                collect(rest, value, found);
            }
        }
        Step::Prefix(prefix) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                if name.to_lowercase().starts_with(prefix.as_str()) {
                    collect(rest, value, found);
                }
            }
        }
        Step::AnyName => {
            for value in value.as_object().into_iter().flat_map(|members| members.values()) {
                collect(rest, value, found);
            }
        }
        Step::Item(at) => {
            if let Some(value) = value.as_array().and_then(|items| items.get(*at)) {
                collect(rest, value, found);
            }
        }
        Step::AnyItem => {
            for value in value.as_array().into_iter().flatten() {
                collect(rest, value, found);
            }
        }
    }
}
