//! What xtask says on the terminal.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask is a terminal program; this is its one place of output"
)]

use std::io::IsTerminal as _;

/// Announces a step.
pub(crate) fn step(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\x1b[1;36m▸ {text}\x1b[0m");
    } else {
        println!("▸ {text}");
    }
}

/// Says something.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Says what was left out, and why.
pub(crate) fn notice(text: &str) {
    println!("  notice: {text}");
}

/// Says what failed and what that rests on, without a trace: the chain is for the reader.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
