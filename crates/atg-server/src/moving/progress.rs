//! How far a command is: one line that changes on a terminal, a line now and then elsewhere.
#![expect(clippy::print_stderr, reason = "this is the program's terminal output")]

use std::io::IsTerminal as _;

use atg_db::moving::Part;

/// Records between two looks of a line that changes.
const ON_A_TERMINAL: u64 = 1_000;
/// Records between two lines.
const ELSEWHERE: u64 = 50_000;

/// What was said last.
#[derive(Default)]
pub(super) struct Progress {
    is_open: bool,
    next: u64,
    last: Option<(&'static str, Part)>,
}

impl Progress {
    pub(super) fn say(&mut self, doing: &'static str, part: Part, count: u64) {
        let is_terminal = std::io::stderr().is_terminal();
        if self.last != Some((doing, part)) {
            self.end();
            self.last = Some((doing, part));
            self.next = 0;
        }
        if count < self.next {
            return;
        }
        let step = if is_terminal { ON_A_TERMINAL } else { ELSEWHERE };
        let is_first = self.next == 0;
        self.next = count + step;
        if is_terminal {
            eprint!("\r{doing} {part}: {count} records");
            self.is_open = true;
        } else if is_first {
            eprintln!("{doing} {part}");
        } else {
            eprintln!("{doing} {part}: {count} records");
        }
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_open) {
            eprintln!();
        }
    }
}
