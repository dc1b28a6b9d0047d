//! `cargo xtask test`: what the README promises.

use crate::out::{line, notice, step};
use crate::run::{build_programs, cargo, env, succeed};
use crate::tools;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only tests whose name holds this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let chromium = tools::chromium()?;
    if env("ATG_TEST_DATA").is_none() {
        notice("ATG_TEST_DATA is not set: the tests that read the large public data sets are left out");
    }
    step("building the programs that the tests start");
    build_programs()?;
    step("tests");
    let mut command = cargo(["test", "--workspace", "--quiet", "--no-fail-fast"]);
    command.args(&options.filter);
    if let Some((browser, driver)) = &chromium {
        command
            .env("ATG_TEST_CHROMIUM", browser)
            .env("ATG_TEST_CHROMEDRIVER", driver);
    }
    succeed(&mut command)?;
    line("");
    line("All tests passed.");
    if chromium.is_none() {
        notice("left out: the tests of the pages (no Chromium)");
    }
    if env("ATG_TEST_DATA").is_none() {
        notice("left out: the tests on the public data sets (ATG_TEST_DATA is not set)");
    }
    notice("left out: Neo4j, whose backend is not part of this version");
    Ok(())
}
