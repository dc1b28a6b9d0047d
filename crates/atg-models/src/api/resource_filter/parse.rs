//! The grammar:
//!
//! ```text
//! filter    = entry *( "," entry )                  any of them
//! entry     = condition *( "&" condition )          all of them
//! condition = [ "!" ] ( type | field operator value | "tag:" name [ operator value ] )
//! operator  = "=" | "!=" | "=~"                     "=~": a regular expression, quoted
//! value     = bare text | "'" text "'" | '"' text '"'
//! ```

use super::pattern::Pattern;
use super::{Condition, ResourceFilterError, Subject};
use crate::api::filter::{ResourceGroupName, TypeFilter};
use crate::limits::{FILTER_ENTRIES_MAX, FILTER_REGEXES_MAX};

const FIELDS: &str = "type, name, id, resource_group, subscription, location or tag:NAME";

/// The entries of a filter.
pub(super) fn entries(text: &str) -> Result<Vec<Vec<Condition>>, ResourceFilterError> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        conditions: 0,
        regexes: 0,
    };
    let mut entries = vec![vec![parser.condition()?]];
    loop {
        parser.blanks();
        let here = parser.at;
        match parser.next() {
            None => return Ok(entries),
            Some(',') => entries.push(vec![parser.condition()?]),
            Some('&') => {
                let condition = parser.condition()?;
                if let Some(entry) = entries.last_mut() {
                    entry.push(condition);
                }
            }
            Some(_) => return Err(error(here, "expected ',' (or) or '&' (and) here")),
        }
    }
}

enum Operator {
    Is,
    IsNot,
    Matches,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    conditions: usize,
    regexes: usize,
}

impl Parser {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at.saturating_add(ahead)).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0);
        self.at = self.at.saturating_add(usize::from(next.is_some()));
        next
    }

    fn blanks(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn condition(&mut self) -> Result<Condition, ResourceFilterError> {
        self.blanks();
        self.conditions = self.conditions.saturating_add(1);
        if self.conditions > FILTER_ENTRIES_MAX {
            let problem = format!("there must not be more than {FILTER_ENTRIES_MAX} conditions");
            return Err(error(self.at, problem));
        }
        let mut negated = false;
        if self.peek(0) == Some('!') && self.peek(1) != Some('=') {
            negated = true;
            self.at = self.at.saturating_add(1);
            self.blanks();
        }
        let start = self.at;
        let word = self.word()?;
        if word.is_empty() {
            return Err(error(
                start,
                format!("a condition is missing: write a resource type, or {FIELDS} with a value"),
            ));
        }
        let operator = self.operator()?;
        let subject = subject(&word, operator.is_some(), start)?;
        let Some(operator) = operator else {
            let is_type = subject == Subject::Type;
            let pattern = is_type.then(|| glob(&subject, &word, start)).transpose()?;
            return Ok(Condition {
                negated,
                subject,
                pattern,
            });
        };
        self.blanks();
        let value_at = self.at;
        let (value, quoted) = self.value()?;
        let pattern = if matches!(operator, Operator::Matches) {
            self.regex(&value, quoted, value_at)?
        } else {
            if value.is_empty() && !(quoted && matches!(subject, Subject::Tag(_))) {
                let fix = "a value is missing; an empty tag is written tag:NAME=''";
                return Err(error(value_at, fix));
            }
            glob(&subject, &value, value_at)?
        };
        Ok(Condition {
            negated: negated != matches!(operator, Operator::IsNot),
            subject,
            pattern: Some(pattern),
        })
    }

    /// The text before an operator. Quotes hold a tag's name together.
    fn word(&mut self) -> Result<String, ResourceFilterError> {
        let mut word = String::new();
        while let Some(c) = self.peek(0) {
            let ends = matches!(c, ',' | '&' | '=') || (c == '!' && self.peek(1) == Some('='));
            if ends {
                break;
            }
            if matches!(c, '\'' | '"') {
                word.push_str(&self.quoted(c)?);
            } else {
                word.push(c);
                self.at = self.at.saturating_add(1);
            }
        }
        Ok(word.trim().to_owned())
    }

    fn operator(&mut self) -> Result<Option<Operator>, ResourceFilterError> {
        let (operator, length) = match (self.peek(0), self.peek(1)) {
            (Some('='), Some('~')) => (Operator::Matches, 2),
            (Some('='), Some('=')) => return Err(error(self.at, "write one '='")),
            (Some('='), _) => (Operator::Is, 1),
            (Some('!'), Some('=')) => (Operator::IsNot, 2),
            _ => return Ok(None),
        };
        self.at = self.at.saturating_add(length);
        Ok(Some(operator))
    }

    /// A value, and whether it was quoted.
    fn value(&mut self) -> Result<(String, bool), ResourceFilterError> {
        if let Some(quote @ ('\'' | '"')) = self.peek(0) {
            return Ok((self.quoted(quote)?, true));
        }
        let mut value = String::new();
        while let Some(c) = self.peek(0) {
            if matches!(c, ',' | '&') {
                break;
            }
            if c == '=' {
                return Err(error(self.at, "put a value that holds '=' into quotes"));
            }
            value.push(c);
            self.at = self.at.saturating_add(1);
        }
        Ok((value.trim().to_owned(), false))
    }

    /// What stands between two quotes; a doubled one is one.
    fn quoted(&mut self, quote: char) -> Result<String, ResourceFilterError> {
        let start = self.at;
        self.at = self.at.saturating_add(1);
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c != quote {
                text.push(c);
            } else if self.peek(0) == Some(quote) {
                text.push(quote);
                self.at = self.at.saturating_add(1);
            } else {
                return Ok(text);
            }
        }
        Err(error(
            start,
            format!("the quote that opens here is never closed: add {quote}"),
        ))
    }

    fn regex(&mut self, value: &str, quoted: bool, at: usize) -> Result<Pattern, ResourceFilterError> {
        if !quoted || value.is_empty() {
            return Err(error(at, "put the regular expression into quotes: =~'(?i)web.*'"));
        }
        self.regexes = self.regexes.saturating_add(1);
        if self.regexes > FILTER_REGEXES_MAX {
            let problem = format!("there must not be more than {FILTER_REGEXES_MAX} regular expressions");
            return Err(error(at, problem));
        }
        Pattern::regex(value).map_err(|problem| error(at, problem))
    }
}

fn subject(word: &str, has_operator: bool, at: usize) -> Result<Subject, ResourceFilterError> {
    let lower = word.to_lowercase();
    if let Some(name) = lower.strip_prefix("tag:") {
        let name = name.trim();
        if name.is_empty() {
            return Err(error(at, "the tag has no name: write tag:NAME or tag:NAME=VALUE"));
        }
        return Ok(Subject::Tag(name.to_owned()));
    }
    if !has_operator {
        return Ok(Subject::Type);
    }
    Ok(match lower.replace(['_', '-'], "").as_str() {
        "type" | "resourcetype" => Subject::Type,
        "name" => Subject::Name,
        "id" | "resourceid" => Subject::Id,
        "resourcegroup" | "rg" => Subject::ResourceGroup,
        "subscription" | "subscriptionid" => Subject::Subscription,
        "location" | "region" => Subject::Location,
        _ => {
            let known = format!("there is no field {word:?}; use {FIELDS}");
            return Err(error(at, known));
        }
    })
}

/// The pattern of a value, which has to make sense for its field.
fn glob(subject: &Subject, value: &str, at: usize) -> Result<Pattern, ResourceFilterError> {
    let stars = value.contains('*');
    match subject {
        Subject::Type => {
            let valid = if stars {
                is_type_pattern(value)
            } else {
                value.parse::<TypeFilter>().is_ok()
            };
            if !valid {
                return Err(error(
                    at,
                    format!(
                        "{value:?} must be a resource type such as Microsoft.Network/virtualNetworks, \
                         or a pattern such as Microsoft.Network/*; other fields are written FIELD=VALUE"
                    ),
                ));
            }
            let type_ = value.parse::<TypeFilter>().ok();
            let type_ = type_.map(|filter| filter.arm_type().as_str().to_owned());
            Ok(Pattern::glob(type_.as_deref().unwrap_or(value), false))
        }
        Subject::ResourceGroup if !stars && value.parse::<ResourceGroupName>().is_err() => {
            Err(error(at, format!("{value:?} is no resource group's name")))
        }
        Subject::Location => Ok(Pattern::glob(&value.replace(' ', ""), false)),
        Subject::Tag(_) => Ok(Pattern::glob(value, true)),
        Subject::Name | Subject::Id | Subject::ResourceGroup | Subject::Subscription => Ok(Pattern::glob(value, false)),
    }
}

/// A part of a type with stars. `*` alone, which would be everything, is none.
fn is_type_pattern(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/*".contains(&b))
}

fn error(at: usize, problem: impl Into<String>) -> ResourceFilterError {
    ResourceFilterError {
        position: at.saturating_add(1),
        problem: problem.into(),
    }
}
