//! The program `atg-server`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod allocator;
mod command;
mod data;
mod keys_command;
mod migrate;
mod moving;

/// Reads Azure tenants into a graph and generates infrastructure code from it.
///
/// Settings come from the environment, from .env and from --config; see `atg-server configuration`.
#[derive(Parser)]
#[command(name = "atg-server", version)]
struct Arguments {
    /// TOML file with settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Port to listen on, over `ATG_SERVER_PORT`; 0 takes a free one and prints it
    #[arg(long, global = true)]
    port: Option<u16>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// Make, list, revoke and rotate stored API keys, beside a running server or without one
    Keys {
        #[command(subcommand)]
        command: keys_command::KeysCommand,
    },
    /// Bring the schema of Neo4j up to this version; a server does so at its start too
    Migrate {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the effective configuration, secrets as stars, and where each value came from
    CheckConfig,
    /// Print the OpenAPI document
    Openapi,
    /// Print the reference of all settings
    Configuration,
    /// Print the reference of all metrics
    Metrics,
    /// Write all data into one file, also beside a running server
    Backup {
        /// The file to write; one that is there is replaced when the new one is whole
        file: std::path::PathBuf,
    },
    /// Put a backup into the data folder; the server must not run
    Restore {
        /// The file to read
        file: std::path::PathBuf,
        /// Replace the data that are there
        #[arg(long)]
        force: bool,
    },
    /// Write all that is kept into one file that a store of any sort takes in, also beside running servers
    Export {
        /// The file to write, readable for its owner only; - is standard output
        file: std::path::PathBuf,
        /// Put the results of jobs into the file, too
        #[arg(long)]
        with_artifacts: bool,
    },
    /// Read an export into an empty store, and compare every digest; no server may run on it
    Import {
        /// The file to read; - is standard input
        file: std::path::PathBuf,
        /// Check the file to its end, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Read every database of the data folder through and say what is damaged
    CheckData,
    /// Set graph.db aside, so that the next start makes a new one; jobs and results stay
    ResetGraph,
}

fn main() -> ExitCode {
    // Two cryptography providers end up in the program: rustls panics unless one is chosen.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return command::fail("another cryptography provider is installed already");
    }
    let arguments = Arguments::parse();
    match arguments.command {
        None | Some(Command::Serve) => {
            allocator::share_one_arena();
            command::serve(arguments.config.as_deref(), arguments.port)
        }
        Some(Command::Keys { command }) => command::keys(arguments.config.as_deref(), &command),
        Some(Command::Migrate { dry_run }) => migrate::run(arguments.config.as_deref(), dry_run),
        Some(Command::CheckConfig) => command::check_config(arguments.config.as_deref(), arguments.port),
        Some(Command::Openapi) => command::openapi(),
        Some(Command::Configuration) => command::configuration(),
        Some(Command::Metrics) => command::metrics(),
        Some(Command::Backup { file }) => data::backup(arguments.config.as_deref(), &file),
        Some(Command::Restore { file, force }) => data::restore(arguments.config.as_deref(), &file, force),
        Some(Command::Export { file, with_artifacts }) => {
            moving::export(arguments.config.as_deref(), &file, with_artifacts)
        }
        Some(Command::Import { file, dry_run }) => moving::import(arguments.config.as_deref(), &file, dry_run),
        Some(Command::CheckData) => data::check(arguments.config.as_deref()),
        Some(Command::ResetGraph) => data::reset_graph(arguments.config.as_deref()),
    }
}
