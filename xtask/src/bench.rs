//! `cargo xtask bench`: ratios against a bare equivalent in the same run.

use std::fs;

use anyhow::Context as _;

use crate::out::{line, step};
use crate::run::{cargo, output, root};

/// The table of the last figures, kept in the repository.
const TABLE: &str = "docs/benchmarks.md";
/// Each bench is a program that prints rows of the table: package, example, further arguments of cargo, and behind `--` those of
/// the example.
const BENCHES: &[(&str, &str, &[&str])] = &[
    ("atg-db", "ingest_ratio", &["--features", "contract"]),
    ("atg-tests", "scan_floor", &[]),
    ("atg-tests", "status_ratio", &[]),
    ("atg-tests", "reader_scale", &[]),
    ("atg-tests", "replica_readers", &[]),
    ("atg-tests", "reader_cuts", &[]),
    ("atg-tests", "generation_rate", &["--", "terraform"]),
    ("atg-tests", "generation_rate", &["--", "arm"]),
    ("atg-tests", "generation_rate", &["--", "bicep"]),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the figures into docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut rows = String::new();
    let jars = crate::neo4j::jars()?;
    for (package, example, arguments) in BENCHES {
        step(&format!("{package}: {example}"));
        let mut command = cargo([
            "run",
            "--release",
            "--quiet",
            "--package",
            package,
            "--example",
            example,
        ]);
        command.args(*arguments).env(atg_neo4j::JARS, jars.folder());
        let printed = output(&mut command)?;
        for row in printed.lines().filter(|line| line.starts_with('|')) {
            line(row);
            rows.push_str(row);
            rows.push('\n');
        }
    }
    if options.write {
        let head = "# Benchmarks\n\nWritten by `cargo xtask bench --write`. Ratios are taken within one run, so that a slower machine \
                    changes both sides.\n\n| what | figure | bare equivalent | ratio | bar |\n|---|---|---|---|---|\n";
        fs::write(root().join(TABLE), format!("{head}{rows}")).with_context(|| format!("writing {TABLE}"))?;
    }
    Ok(())
}
