//! What a value is compared with: text with `*` for anything, or a regular expression.

use regex::{Regex, RegexBuilder};

use crate::limits::FILTER_REGEX_MAX_BYTES;

/// A pattern for a whole value.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// The pieces between the stars.
    Glob {
        pieces: Vec<String>,
        /// Whether `A` and `a` differ: values of tags, as in Azure.
        by_case: bool,
    },
    /// Matches whole values only.
    Regex(Regex),
}

impl Pattern {
    /// Text with `*` for any characters; `\*` is a star.
    pub(super) fn glob(text: &str, by_case: bool) -> Self {
        let text = if by_case { text.to_owned() } else { text.to_lowercase() };
        let mut pieces = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = c == '\\' && chars.peek() == Some(&'*');
            match (c, pieces.last_mut()) {
                ('*', _) => pieces.push(String::new()),
                (_, Some(last)) if escaped => last.extend(chars.next()),
                (_, Some(last)) => last.push(c),
                (_, None) => {}
            }
        }
        Self::Glob { pieces, by_case }
    }

    /// A regular expression for whole values, as the earlier system took it.
    pub(super) fn regex(text: &str) -> Result<Self, String> {
        RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(FILTER_REGEX_MAX_BYTES)
            .build()
            .map(Self::Regex)
            .map_err(|error| {
                if matches!(error, regex::Error::CompiledTooBig(_)) {
                    return "this regular expression is too large".to_owned();
                }
                format!("this is no regular expression ({})", last_line(&error.to_string()))
            })
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(value),
            Self::Glob { pieces, by_case: true } => glob(pieces, value),
            Self::Glob { pieces, by_case: false } => glob(pieces, &value.to_lowercase()),
        }
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim()
}

/// The first piece stands at the start, the last at the end, the others in between, each as early as possible.
fn glob(pieces: &[String], value: &str) -> bool {
    let (Some((first, rest)), Some((last, _))) = (pieces.split_first(), pieces.split_last()) else {
        return false;
    };
    let Some(mut value) = value.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some((_, middle)) = rest.split_last() else {
        return value.is_empty();
    };
    for piece in middle {
        let Some((_, behind)) = value.split_once(piece.as_str()) else {
            return false;
        };
        value = behind;
    }
    value.ends_with(last.as_str())
}
