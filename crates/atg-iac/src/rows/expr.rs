//! The small language of the rows: where a value comes from and how it is changed on its way.
//!
//! `data/README.md` describes it. An expression is parsed once; it never fails on a body, it gives nothing.

/// `alternative || alternative if condition`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    /// The first one that gives something counts.
    pub(crate) alternatives: Vec<Pipe>,
    /// When it does not hold, the expression gives nothing.
    pub(crate) condition: Option<Cond>,
}

/// `atom | function | function(argument, …)`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipe {
    /// Where the value comes from.
    pub(crate) atom: Atom,
    /// What is done with it, in order.
    pub(crate) calls: Vec<Call>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Atom {
    /// A constant.
    Constant(serde_json::Value),
    /// A value that is not in the body: `@name`, `@parent.id`.
    Special(String),
    /// A path in the body.
    Path(Path),
}

/// A path: from where, and the steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    /// From the body's root and not from the current element.
    pub(crate) from_root: bool,
    /// So many elements further out.
    pub(crate) up: usize,
    /// The steps.
    pub(crate) steps: Vec<Step>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A member, by name.
    Member(String),
    /// An item.
    Item(usize),
    /// Every item of an array from this one on.
    From(usize),
    /// Every item of an array, every value of a map.
    Each,
}

/// A function with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// Its arguments as written.
    pub(crate) args: Vec<String>,
}

/// Groups of tests: it holds when all tests of one group do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cond {
    /// The groups.
    pub(crate) any: Vec<Vec<Test>>,
}

/// One test: the value of an expression against a list of texts (case does not count), or its presence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    /// What is looked at.
    pub(crate) pipe: Pipe,
    /// `None`: whether it is there and neither false nor empty.
    pub(crate) values: Option<Vec<String>>,
    /// How the texts are compared.
    pub(crate) contains: bool,
    /// Whether the test is turned round.
    pub(crate) negated: bool,
}

impl Expr {
    /// Parses an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (value, condition) = match split_outside(text, " if ").as_slice() {
            [value] => (*value, None),
            [value, condition] => (*value, Some(Cond::parse(condition)?)),
            _ => return Err(format!("more than one `if` in {text:?}")),
        };
        let alternatives = split_outside(value, "||").into_iter().map(Pipe::parse);
        Ok(Self {
            alternatives: alternatives.collect::<Result<_, _>>()?,
            condition,
        })
    }

    /// A constant.
    pub(crate) fn constant(value: serde_json::Value) -> Self {
        Self {
            alternatives: vec![Pipe {
                atom: Atom::Constant(value),
                calls: Vec::new(),
            }],
            condition: None,
        }
    }
}

impl Cond {
    /// Parses `test and test or test`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let group = |text| split_outside(text, " and ").into_iter().map(Test::parse).collect();
        let any = split_outside(text, " or ").into_iter().map(group);
        Ok(Self {
            any: any.collect::<Result<_, _>>()?,
        })
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        for (operator, negated, contains) in [
            ("!=", true, false),
            ("!~", true, true),
            ("~", false, true),
            ("=", false, false),
        ] {
            if let [left, right] = split_outside(text, operator).as_slice() {
                return Ok(Self {
                    pipe: Pipe::parse(left)?,
                    values: Some(right.split(',').map(|value| value.trim().to_lowercase()).collect()),
                    contains,
                    negated,
                });
            }
        }
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        Ok(Self {
            pipe: Pipe::parse(text)?,
            values: None,
            contains: false,
            negated,
        })
    }
}

impl Pipe {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = split_outside(text, "|").into_iter();
        let atom = Atom::parse(parts.next().unwrap_or_default().trim())?;
        let calls = parts.map(Call::parse).collect::<Result<_, _>>()?;
        Ok(Self { atom, calls })
    }
}

impl Atom {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(quoted) = text.strip_prefix('\'') {
            let inner = quoted
                .strip_suffix('\'')
                .ok_or_else(|| format!("no closing quote in {text:?}"))?;
            return Ok(Self::Constant(serde_json::Value::from(inner)));
        }
        if let Some(name) = text.strip_prefix('@') {
            return Ok(Self::Special(name.to_owned()));
        }
        if text == "true" || text == "false" {
            return Ok(Self::Constant(serde_json::Value::from(text == "true")));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Self::Constant(serde_json::Value::from(number)));
        }
        Path::parse(text).map(Self::Path)
    }
}

impl Path {
    /// Parses `a.b[*].c`, `/a.b`, `^a`, `.`
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (from_root, text) = text.strip_prefix('/').map_or((false, text), |rest| (true, rest));
        let trimmed = text.trim_start_matches('^');
        let up = text.len() - trimmed.len();
        let mut steps = Vec::new();
        if trimmed.is_empty() && !from_root && up == 0 {
            return Err("an empty path".to_owned());
        }
        if trimmed != "." && !trimmed.is_empty() {
            for segment in members(trimmed) {
                let mut pieces = segment.split('[');
                let name = pieces.next().unwrap_or_default();
                if name.chars().any(|c| c.is_whitespace() || c == '\'' || c == '(') || name.is_empty() {
                    return Err(format!("not a path: {text:?}"));
                }
                steps.push(Step::Member(name.to_owned()));
                for piece in pieces {
                    let index = piece.strip_suffix(']').ok_or_else(|| format!("no ] in {text:?}"))?;
                    let number = |text: &str| text.parse().map_err(|_error| format!("no index: {text:?}"));
                    steps.push(match (index, index.strip_suffix("..")) {
                        ("*", _) => Step::Each,
                        (_, Some(first)) => Step::From(number(first)?),
                        (only, None) => Step::Item(number(only)?),
                    });
                }
            }
        }
        Ok(Self { from_root, up, steps })
    }
}

impl Call {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            return Ok(Self {
                name: text.to_owned(),
                args: Vec::new(),
            });
        };
        let inner = rest.strip_suffix(')').ok_or_else(|| format!("no ) in {text:?}"))?;
        let name = name.trim().to_owned();
        // The argument of these two is a separator, and often a comma.
        let args = if name == "split" || name == "join" {
            vec![inner.to_owned()]
        } else {
            inner.split(',').map(|arg| arg.trim().to_owned()).collect()
        };
        Ok(Self { name, args })
    }
}

/// Splits a path at its dots; those of `[1..]` do not count.
fn members(path: &str) -> Vec<&str> {
    let mut open = false;
    let split = path.split(move |c| {
        open = (open || c == '[') && c != ']';
        c == '.' && !open
    });
    split.collect()
}

/// Splits at `separator` outside quotes and parentheses. `|` does not match within `||`.
fn split_outside<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut skip_to) = (0, 0);
    let (mut quoted, mut depth) = (false, 0_usize);
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let here = text.get(at..).unwrap_or_default();
        if quoted || depth > 0 || !here.starts_with(separator) {
            continue;
        }
        parts.push(text.get(start..at).unwrap_or_default());
        start = at + separator.len();
        skip_to = start;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_pipes_and_conditions_are_told_apart() {
        let expr =
            Expr::parse("a.b[*] | join(,) || 'x if | y' if /sku.name=Basic,Standard and !zones").expect("parses");
        assert_eq!(expr.alternatives.len(), 2);
        assert_eq!(expr.alternatives[0].calls[0].name, "join");
        assert_eq!(
            expr.alternatives[1].atom,
            Atom::Constant(serde_json::Value::from("x if | y"))
        );
        let tests = expr.condition.expect("a condition").any.remove(0);
        assert_eq!(tests[0].values, Some(vec!["basic".to_owned(), "standard".to_owned()]));
        assert!(tests[1].negated);
    }

    #[test]
    fn a_broken_expression_is_refused() {
        for text in ["", "'open", "a b", "a[x]", "a | f(x", "a if b if c"] {
            assert!(Expr::parse(text).is_err(), "{text}");
        }
    }
}
