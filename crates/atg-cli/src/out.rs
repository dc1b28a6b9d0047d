//! What the program prints: results on stdout, everything else on stderr.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's terminal output"
)]

use std::io::IsTerminal as _;

use serde::Serialize;

/// A line of the result.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A JSON document as the result.
pub(crate) fn json<T: Serialize>(value: &T) {
    // Wire types always serialise; a failure would print nothing, and the exit code stays right.
    if let Ok(text) = serde_json::to_string_pretty(value) {
        println!("{text}");
    }
}

/// A remark beside the result.
pub(crate) fn remark(text: &str) {
    eprintln!("{text}");
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("\x1b[1;31merror:\x1b[0m {text}");
    } else {
        eprintln!("error: {text}");
    }
}

/// What may help.
pub(crate) fn hint(text: &str) {
    eprintln!("hint: {text}");
}

/// Whether a person watches.
pub(crate) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
