//! `atg completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::out;

pub(super) fn print(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "atg", &mut script);
    out::line(String::from_utf8_lossy(&script).trim_end());
}
