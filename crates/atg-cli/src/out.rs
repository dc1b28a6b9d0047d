//! What the program prints: results on stdout, everything else on stderr.
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

/// A line of the result.
pub(crate) fn line(text: &str) {
    to_stdout(text);
}

/// A JSON document as the result.
pub(crate) fn json<T: Serialize>(value: &T) {
    // Wire types always serialise; a failure would print nothing, and the exit code stays right.
    if let Ok(text) = serde_json::to_string_pretty(value) {
        to_stdout(&text);
    }
}

/// A remark beside the result.
pub(crate) fn remark(text: &str) {
    to_stderr(text);
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    if std::io::stderr().is_terminal() {
        to_stderr(format_args!("\x1b[1;31merror:\x1b[0m {text}"));
    } else {
        to_stderr(format_args!("error: {text}"));
    }
}

/// What may help.
pub(crate) fn hint(text: &str) {
    to_stderr(format_args!("hint: {text}"));
}

/// Whether a person watches.
pub(crate) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person can be asked.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && is_terminal()
}

/// Asks, and gives the line that was typed.
pub(crate) fn ask(question: &str) -> Option<String> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{question}").and_then(|()| stderr.flush()).ok()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer)
}

/// A reader that has gone, such as `head`, wants no more: what cannot be written is left out.
fn to_stdout(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn to_stderr(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
