//! `cargo xtask bench`: ratios against a bare equivalent in the same run.

use std::fs;

use anyhow::{Context as _, bail};
use atg_neo4j::{Access, JARS};

use crate::neo4j::Neo4j;
use crate::out::{line, notice, step};
use crate::run::{cargo, output, root};

/// The table of the last figures, kept in the repository.
const TABLE: &str = "docs/benchmarks.md";

/// A program that prints rows of the table.
struct Bench {
    package: &'static str,
    example: &'static str,
    /// Further arguments of cargo, and behind `--` those of the example.
    arguments: &'static [&'static str],
    when: When,
}

/// When a bench is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Always.
    Always,
    /// Where a Neo4j can be had.
    WithNeo4j,
    /// Where a Neo4j can be had, and it is named or the table is written: it takes minutes.
    LongWithNeo4j,
}

const fn bench(package: &'static str, example: &'static str, arguments: &'static [&'static str], when: When) -> Bench {
    Bench {
        package,
        example,
        arguments,
        when,
    }
}

const CONTRACT: &[&str] = &["--features", "contract"];
const BENCHES: &[Bench] = &[
    bench("atg-db", "ingest_ratio", CONTRACT, When::Always),
    bench("atg-db", "neo4j_ingest", CONTRACT, When::WithNeo4j),
    bench("atg-tests", "scan_floor", &[], When::Always),
    bench("atg-tests", "large_tenant", &["--", "sqlite"], When::LongWithNeo4j),
    bench("atg-tests", "large_tenant", &["--", "neo4j"], When::LongWithNeo4j),
    bench("atg-tests", "status_ratio", &[], When::Always),
    bench("atg-tests", "reader_scale", &[], When::Always),
    bench("atg-tests", "replica_readers", &[], When::WithNeo4j),
    bench("atg-tests", "reader_cuts", &[], When::Always),
    bench("atg-tests", "generation_rate", &["--", "terraform"], When::Always),
    bench("atg-tests", "generation_rate", &["--", "arm"], When::Always),
    bench("atg-tests", "generation_rate", &["--", "bicep"], When::Always),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the benches whose name holds this; those that take minutes are run only by name, or for the table
    name: Option<String>,
    /// Write the figures of all benches into docs/benchmarks.md
    #[arg(long, conflicts_with = "name")]
    write: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let chosen = |bench: &&Bench| match &options.name {
        Some(name) => bench.example.contains(name.as_str()),
        None => options.write || bench.when != When::LongWithNeo4j,
    };
    let chosen: Vec<&Bench> = BENCHES.iter().filter(chosen).collect();
    if chosen.is_empty() {
        bail!("no bench has such a name");
    }
    let neo4j = chosen.iter().any(|bench| bench.when != When::Always);
    let neo4j = if neo4j { neo4j_environment()? } else { None };
    let mut rows = String::new();
    for bench in chosen {
        let title = format!("{}: {} {}", bench.package, bench.example, bench.arguments.join(" "));
        if bench.when != When::Always && neo4j.is_none() {
            notice(&format!("left out: {title} (no Neo4j)"));
            continue;
        }
        step(&title);
        let mut command = cargo([
            "run",
            "--release",
            "--quiet",
            "--package",
            bench.package,
            "--example",
            bench.example,
        ]);
        command.envs(neo4j.clone());
        let printed = output(command.args(bench.arguments))?;
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

/// How the benches find a Neo4j: by the server that the caller has named, or by the jars. `None` where there is none.
fn neo4j_environment() -> anyhow::Result<Option<(&'static str, String)>> {
    if let Some(access) = Access::from_environment() {
        line(&format!(
            "  Neo4j at {}, as the environment says, is emptied",
            access.uri
        ));
        return Ok(Some((atg_neo4j::URI, access.uri)));
    }
    let jars = Neo4j::prepare()?.into_jars();
    Ok(jars.map(|jars| (JARS, jars.folder().to_string_lossy().into_owned())))
}
