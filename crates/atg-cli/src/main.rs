//! The command line `atg`: talks to an atg server, never to a database or to Azure.

mod arguments;
mod bar;
mod commands;
mod exit;
mod extract;
mod out;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::exit::Failure;

fn main() -> ExitCode {
    // Two cryptography providers end up in the program: rustls panics unless one is chosen.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return Failure::other("another cryptography provider is installed already").report(false);
    }
    let arguments = Arguments::parse();
    let json = arguments.json;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::other(&format!("the program cannot start: {error}")).report(json),
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}
