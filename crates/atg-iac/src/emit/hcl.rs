//! Prints HCL as `terraform fmt` leaves it: two blanks a level, and the `=` of neighbouring one-line
//! attributes aligned.

use std::collections::BTreeMap;

use crate::value::{Block, Val};

/// A list of scalars up to this length stays on one line.
const ONE_LINE_CHARS: usize = 100;

/// Attributes that stand first, in this order; all others follow by name.
const FIRST: &[&str] = &["name", "parent_id", "resource_group_name", "location"];
/// Attributes that stand last.
const LAST: &[&str] = &["tags"];

/// Prints values: knows the names of the variables.
pub(crate) struct Printer<'a> {
    /// Name by key.
    pub(crate) variables: &'a BTreeMap<String, String>,
}

impl Printer<'_> {
    /// The lines of a block's content, indented by `level` levels.
    pub(crate) fn block(&self, block: &Block, level: usize, out: &mut Vec<String>) {
        self.block_with(None, block, level, out);
    }

    /// The same, with a line of its own in front.
    pub(crate) fn block_with(
        &self,
        first: Option<(String, Vec<String>)>,
        block: &Block,
        level: usize,
        out: &mut Vec<String>,
    ) {
        let mut attrs: Vec<_> = block.attrs.iter().collect();
        attrs.sort_by_key(|(name, _)| {
            let last = LAST.contains(&name.as_str());
            let first = FIRST.iter().position(|first| *first == name.as_str());
            // The type of a generic resource says what it is.
            let generic = *name == "type" && block.attrs.contains_key("parent_id");
            (last, !generic, first.unwrap_or(FIRST.len()), (*name).clone())
        });
        let attrs = attrs.into_iter().map(|(name, value)| (name.clone(), self.value(value)));
        members(first.into_iter().chain(attrs).collect(), level, out);
        for (name, inner) in &block.blocks {
            for inner in inner {
                if out.last().is_some_and(|line| !line.ends_with('{')) {
                    out.push(String::new());
                }
                let pad = indent(level);
                if inner.is_empty() {
                    out.push(format!("{pad}{name} {{"));
                    out.push(format!("{pad}}}"));
                    continue;
                }
                out.push(format!("{pad}{name} {{"));
                self.block(inner, level + 1, out);
                out.push(format!("{pad}}}"));
            }
        }
    }

    /// The lines of a value; the first has no indent, the others are relative to it.
    pub(crate) fn value(&self, value: &Val) -> Vec<String> {
        match value {
            Val::Null | Val::Secret | Val::Ask(_) | Val::Of { .. } => vec!["null".to_owned()],
            Val::Bool(value) => vec![value.to_string()],
            Val::Number(value) => vec![value.to_string()],
            Val::Text(text) => vec![quote(text)],
            Val::Ref { address, attr, rest } if rest.is_empty() => vec![format!("{address}.{attr}")],
            Val::Ref { address, attr, rest } => vec![format!("\"${{{address}.{attr}}}{}\"", escape(rest))],
            Val::Var(key) => {
                let name = self.variables.get(key).map_or("missing", String::as_str);
                vec![format!("var.{name}")]
            }
            Val::Template(parts) => vec![format!("\"{}\"", self.template(parts))],
            Val::List(items) => self.list(items),
            Val::Map(map) if map.is_empty() => vec!["{}".to_owned()],
            Val::Map(map) => {
                let rows = map.iter().map(|(name, value)| (object_key(name), self.value(value)));
                let mut lines = vec!["{".to_owned()];
                members(rows.collect(), 1, &mut lines);
                lines.push("}".to_owned());
                lines
            }
            Val::Json(inner) => {
                let mut lines = self.value(inner);
                if let Some(first) = lines.first_mut() {
                    first.insert_str(0, "jsonencode(");
                }
                if let Some(last) = lines.last_mut() {
                    last.push(')');
                }
                lines
            }
        }
    }

    fn template(&self, parts: &[Val]) -> String {
        let mut out = String::new();
        for part in parts {
            let Some(text) = part.as_text() else {
                out.push_str("${");
                out.push_str(&self.value(part).concat());
                out.push('}');
                continue;
            };
            out.push_str(&escape(text));
            // In front of a variable it would make the sign of an escape.
            if let Some(sign @ ('$' | '%')) = text.chars().last() {
                out.pop();
                out.push_str(if sign == '$' { "\\u0024" } else { "\\u0025" });
            }
        }
        out
    }

    fn list(&self, items: &[Val]) -> Vec<String> {
        let rendered: Vec<Vec<String>> = items.iter().map(|item| self.value(item)).collect();
        let single: Option<Vec<&str>> = rendered
            .iter()
            .map(|lines| match lines.as_slice() {
                [one] => Some(one.as_str()),
                _ => None,
            })
            .collect();
        if let Some(single) = single {
            let line = format!("[{}]", single.join(", "));
            if line.chars().count() <= ONE_LINE_CHARS || single.len() < 2 {
                return vec![line];
            }
        }
        let mut lines = vec!["[".to_owned()];
        for item in rendered {
            let last = item.len().saturating_sub(1);
            for (at, line) in item.into_iter().enumerate() {
                let comma = if at == last { "," } else { "" };
                lines.push(format!("{}{line}{comma}", indent(1)));
            }
        }
        lines.push("]".to_owned());
        lines
    }
}

/// `name = value` lines, aligned in runs of one-line values.
pub(crate) fn members(rows: Vec<(String, Vec<String>)>, level: usize, out: &mut Vec<String>) {
    let pad = indent(level);
    let mut run: Vec<(String, String)> = Vec::new();
    for (name, mut lines) in rows {
        if lines.len() == 1 {
            run.push((name, lines.pop().unwrap_or_default()));
            continue;
        }
        flush(&mut run, &pad, out);
        let mut lines = lines.into_iter();
        out.push(format!("{pad}{name} = {}", lines.next().unwrap_or_default()));
        out.extend(lines.map(|line| if line.is_empty() { line } else { format!("{pad}{line}") }));
    }
    flush(&mut run, &pad, out);
}

fn flush(run: &mut Vec<(String, String)>, pad: &str, out: &mut Vec<String>) {
    let width = run
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    for (name, value) in run.drain(..) {
        let blanks = " ".repeat(width - name.chars().count());
        out.push(format!("{pad}{name}{blanks} = {value}"));
    }
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

/// The key of an object: bare where it is an identifier.
fn object_key(name: &str) -> String {
    let mut chars = name.chars();
    let first_ok = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest_ok = chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    // Bare words with a meaning of their own would be read as that.
    let reserved = matches!(name, "null" | "true" | "false" | "for" | "if" | "in");
    if first_ok && rest_ok && !reserved {
        name.to_owned()
    } else {
        quote(name)
    }
}

/// A text as a quoted literal.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// The inside of a quoted literal: nothing in it is a template.
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut previous = ' ';
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                if previous == c {
                    // `$${` is itself an escape: behind another sign only the code point is unambiguous.
                    let _infallible = write!(out, "\\u{:04x}", u32::from(c));
                } else {
                    out.push(c);
                    out.push(c);
                }
            }
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
        previous = c;
    }
    out
}
