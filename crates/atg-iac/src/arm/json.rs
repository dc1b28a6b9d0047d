//! JSON in a fixed order and layout, so that the same templates give the same bytes.

/// A JSON value that knows the order of its members.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// A number, truth value, text or null, as it is written.
    Written(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Written(quoted(text))
    }

    /// An object of these members.
    pub(crate) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Prints it, indented by `depth` steps after the first line.
    pub(crate) fn print(&self, depth: usize, out: &mut String) {
        match self {
            Self::Written(text) => out.push_str(text),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    line(at, depth + 1, out);
                    item.print(depth + 1, out);
                }
                close(items.is_empty(), ']', depth, out);
            }
            Self::Map(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    line(at, depth + 1, out);
                    out.push_str(&quoted(name));
                    out.push_str(": ");
                    value.print(depth + 1, out);
                }
                close(members.is_empty(), '}', depth, out);
            }
        }
    }
}

fn line(at: usize, depth: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn close(empty: bool, end: char, depth: usize, out: &mut String) {
    if !empty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
    out.push(end);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
