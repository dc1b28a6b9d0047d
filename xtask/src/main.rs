//! Automation of the atg repository: `cargo xtask COMMAND`.
//!
//! Thin on purpose: it compiles in seconds, and starts the project's own programs for the rest.

mod azurite;
mod bench;
mod demo;
mod generated;
mod lint;
mod neo4j;
mod oracle;
mod out;
mod run;
mod secrecy;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation of the atg repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The main job: scan a simulated tenant, generate Terraform, download it
    Demo(demo::Options),
    /// Run every test, installing what the tests need
    Test(test::Options),
    /// A Neo4j to develop against, until Ctrl-C
    Neo4j(neo4j::Options),
    /// Formatting, clippy, layering, documentation, generated files
    Lint,
    /// Check the layering of the crates and the sizes of the files
    Tidy,
    /// Write openapi/atg-v1.json from the code
    Openapi(generated::Options),
    /// Write docs/configuration.md from the server's table of settings
    Configuration(generated::Options),
    /// Write docs/metrics.md from the server's table of metrics
    Metrics(generated::Options),
    /// Write the pages of the error codes from their table
    ErrorPages(generated::Options),
    /// Write the embedded type tables from the data that `ATG_TEST_DATA` names
    TypeTables(generated::Options),
    /// Benchmarks, as ratios against a bare equivalent
    Bench(bench::Options),
    /// Judges that take long to install
    #[command(subcommand)]
    Oracle(oracle::Oracle),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Neo4j(options) => neo4j::run(&options),
        Command::Lint => lint::run(),
        Command::Tidy => tidy::run(),
        Command::Openapi(options) => generated::openapi(&options),
        Command::Configuration(options) => generated::configuration(&options),
        Command::Metrics(options) => generated::metrics(&options),
        Command::ErrorPages(options) => generated::error_pages(&options),
        Command::TypeTables(options) => generated::type_tables(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Oracle(oracle) => oracle::run(&oracle),
    }
}
