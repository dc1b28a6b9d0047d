//! `cargo xtask oracle openapi`: the document by its specification, the server by the document.

use std::process::Command;

use super::served;
use crate::demo::DEMO_KEY;
use crate::out::step;
use crate::run::{root, succeed};
use crate::tools;

const PACKAGES: [&str; 2] = ["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"];
/// The document that clients get.
pub(super) const DOCUMENT: &str = "openapi/atg-v1.json";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many requests in all
    #[arg(long, default_value_t = 2000)]
    cases: u32,
    /// Which requests
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let programs = tools::python("openapi", &PACKAGES)?;
    step("openapi-spec-validator");
    succeed(
        Command::new(programs.join("openapi-spec-validator"))
            .arg(DOCUMENT)
            .current_dir(root()),
    )?;
    let served = served::start("oracle-openapi")?;
    step("schemathesis");
    succeed(
        Command::new(programs.join("python"))
            .arg("xtask/oracles/contract.py")
            .args(["--document", DOCUMENT, "--url", &served.url, "--tenant", &served.tenant])
            .args([
                "--cases",
                &options.cases.to_string(),
                "--seed",
                &options.seed.to_string(),
            ])
            .env("ATG_API_KEY", DEMO_KEY)
            .current_dir(root()),
    )
}
