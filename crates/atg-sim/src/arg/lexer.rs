//! Cuts a query into tokens.

/// Why a query is refused; `at` counts characters from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

/// A word, a literal or a sign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Text(String),
    Number(i64),
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 21] = [
    "=~", "!~", "==", "!=", "<=", ">=", "<", ">", "=", "|", "(", ")", "[", "]", ",", ".", "%", "+", "-", "*", "/",
];

/// The tokens of a query with their positions.
pub(crate) fn tokens(query: &str) -> Result<Vec<(usize, Token)>, Refusal> {
    let chars: Vec<char> = query.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let start = at;
        if char.is_whitespace() {
            at += 1;
        } else if char == '/' && chars.get(at + 1) == Some(&'/') {
            at += run(&chars, at, |char| char != '\n');
        } else if char == '\'' || char == '"' {
            let (text, next) = quoted(&chars, at, char)?;
            out.push((start, Token::Text(text)));
            at = next;
        } else if char == '@' && matches!(chars.get(at + 1), Some('\'' | '"')) {
            return Err(Refusal::new(at, "verbatim string literals are not supported"));
        } else if char.is_ascii_digit() {
            at += run(&chars, at, |char| char.is_ascii_digit());
            let digits: String = chars.iter().skip(start).take(at - start).collect();
            let number = digits.parse().map_err(|_| Refusal::new(start, "number out of range"))?;
            out.push((start, Token::Number(number)));
        } else if char.is_alphabetic() || char == '_' || char == '$' {
            at += run(&chars, at, |char| char.is_alphanumeric() || char == '_' || char == '$');
            // `in~` and `!in~` carry the tilde in the word.
            let mut word: String = chars.iter().skip(start).take(at - start).collect();
            if word == "in" && chars.get(at) == Some(&'~') {
                word.push('~');
                at += 1;
            }
            out.push((start, Token::Word(word)));
        } else if char == '!' && chars.get(at + 1).is_some_and(|next| next.is_alphabetic()) {
            at += 1 + run(&chars, at + 1, char::is_alphanumeric);
            let mut word: String = chars.iter().skip(start).take(at - start).collect();
            if word == "!in" && chars.get(at) == Some(&'~') {
                word.push('~');
                at += 1;
            }
            out.push((start, Token::Word(word)));
        } else {
            let rest: String = chars.iter().skip(at).take(2).collect();
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| Refusal::new(at, format!("unexpected character '{char}'")))?;
            out.push((start, Token::Sign(sign)));
            at += sign.len();
        }
    }
    Ok(out)
}

fn run(chars: &[char], from: usize, accept: impl Fn(char) -> bool) -> usize {
    chars.iter().skip(from).take_while(|&&char| accept(char)).count()
}

fn quoted(chars: &[char], start: usize, quote: char) -> Result<(String, usize), Refusal> {
    let mut text = String::new();
    let mut at = start + 1;
    while let Some(&char) = chars.get(at) {
        at += 1;
        if char == quote {
            return Ok((text, at));
        }
        if char == '\\' {
            let escaped = chars.get(at).copied();
            at += 1;
            match escaped {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other @ ('\\' | '\'' | '"')) => text.push(other),
                _ => return Err(Refusal::new(at, "unknown escape in a string literal")),
            }
        } else {
            text.push(char);
        }
    }
    Err(Refusal::new(start, "a string literal is not closed"))
}
