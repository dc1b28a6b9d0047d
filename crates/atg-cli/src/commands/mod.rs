//! The commands, one file each, named as they are called.

mod cancel;
mod completions;
mod download;
mod follow;
mod generate_iac;
mod generate_spec;
mod health;
mod list;
mod scan;
mod start;
mod status;
mod tenants;
mod watch;

use crate::arguments::{Arguments, Command, KEYS};
use crate::exit::Failure;
use crate::{out, settings};

/// Runs what the command line asks for.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // These need no server.
    if let Command::Keys = arguments.command {
        out::line(KEYS);
        return Ok(());
    }
    if let Command::Completions { shell } = arguments.command {
        completions::print(shell);
        return Ok(());
    }
    let client = settings::client(&arguments)?;
    let json = arguments.json;
    match arguments.command {
        Command::Scan(scan) => scan::run(&client, scan, json).await,
        Command::GenerateIac(generate) => generate_iac::run(&client, generate, json).await,
        Command::GenerateSpec(generate) => generate_spec::run(&client, generate, json).await,
        Command::Status(job) => status::run(&client, job.job, json).await,
        Command::List(list) => list::run(&client, &list, json).await,
        Command::Watch(watch) => watch::run(&client, &watch, json).await,
        Command::Cancel(job) => cancel::run(&client, job.job, json).await,
        Command::Download(download) => download::run(&client, &download, json).await,
        Command::Tenants { action } => tenants::run(&client, action, json).await,
        Command::Health => health::run(&client, json).await,
        Command::Keys | Command::Completions { .. } => Ok(()),
    }
}
