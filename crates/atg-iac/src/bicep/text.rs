//! Bicep's words: strings, names, numbers, calls.

use std::fmt::Write as _;

use serde_json::Number;

use crate::template::ids::Code;

/// Words that mean something where a name of a member could stand.
const RESERVED: &[&str] = &[
    "any",
    "array",
    "as",
    "assert",
    "bool",
    "existing",
    "extension",
    "false",
    "for",
    "from",
    "func",
    "if",
    "import",
    "in",
    "int",
    "metadata",
    "module",
    "null",
    "object",
    "output",
    "param",
    "provider",
    "resource",
    "string",
    "targetScope",
    "test",
    "true",
    "using",
    "var",
    "with",
];

/// A string that is data, whatever is in it.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// The inside of a string. A comment's start at its beginning or behind an escape is taken apart: readers that
/// know less of the language than the compiler does take it for one.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Whether nothing but space stands between here and the last place where a reader looks for a comment.
    let mut fresh = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if next == Some('{') => out.push_str("\\$"),
            '/' if fresh && matches!(next, Some('/' | '*')) => unicode(c, &mut out),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => unicode(c, &mut out),
            c => out.push(c),
        }
        fresh = match c {
            '/' | '\\' | '\'' | '$' | '#' => true,
            c => c.is_control() || (fresh && c.is_whitespace()),
        };
    }
    out
}

fn unicode(c: char, out: &mut String) {
    let _infallible = write!(out, "\\u{{{:x}}}", u32::from(c));
}

/// The name of a member.
pub(crate) fn key(name: &str) -> String {
    let mut chars = name.chars();
    let plain = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        quote(name)
    }
}

/// A number. The language knows whole ones of 64 bits; others are read from JSON.
pub(crate) fn number(number: &Number) -> String {
    match number.as_i64() {
        Some(value) if value != i64::MIN => value.to_string(),
        Some(_) | None => format!("json({})", quote(&number.to_string())),
    }
}

/// A call as it is written.
pub(crate) fn said(code: &Code) -> String {
    match code {
        Code::Text(text) => quote(text),
        Code::Call(name, args) => {
            let args: Vec<String> = args.iter().map(said).collect();
            format!("{name}({})", args.join(", "))
        }
        Code::Member(of, name) => format!("{}.{name}", said(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_data() {
        for (text, expected) in [
            ("it's", r"'it\'s'"),
            ("${x} $y \\", r"'\${x} $y \\'"),
            ("https://a", "'https://a'"),
            ("//a", r"'\u{2f}/a'"),
            ("a\nb\u{7}", r"'a\nb\u{7}'"),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn a_key_is_quoted_where_it_has_to_be() {
        for (name, expected) in [
            ("type", "type"),
            ("for", "'for'"),
            ("a_1", "a_1"),
            ("1a", "'1a'"),
            ("a-b", "'a-b'"),
            ("", "''"),
        ] {
            assert_eq!(key(name), expected);
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for (value, expected) in [
            (Number::from(-5), "-5"),
            (Number::from(u64::MAX), "json('18446744073709551615')"),
            (Number::from_f64(0.5).expect("finite"), "json('0.5')"),
            (Number::from(i64::MIN), "json('-9223372036854775808')"),
        ] {
            assert_eq!(number(&value), expected);
        }
    }
}
