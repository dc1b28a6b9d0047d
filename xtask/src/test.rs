//! `cargo xtask test`: what the README promises.

use crate::neo4j::{Neo4j, Started};
use crate::out::{line, notice, step};
use crate::run::{build_programs, cargo, env, succeed};
use crate::{secrecy, tools};

/// What the names of the tests hold that a second release of Neo4j may answer otherwise.
const ON_NEO4J: &str = "neo4j";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only tests whose name holds this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let chromium = tools::chromium()?;
    let neo4j = Neo4j::prepare()?;
    if env("ATG_TEST_DATA").is_none() {
        notice("ATG_TEST_DATA is not set: the tests that read the large public data sets are left out");
    }
    step("building the programs that the tests start");
    build_programs()?;
    let recorded = secrecy::Run::begin()?;
    let tests = |filter: Option<&str>, server: &Started| {
        let mut command = cargo(["test", "--workspace", "--quiet", "--no-fail-fast"]);
        command.args(filter).envs(server.environment.iter().cloned());
        if let Some((browser, driver)) = &chromium {
            command
                .env("ATG_TEST_CHROMIUM", browser)
                .env("ATG_TEST_CHROMEDRIVER", driver);
        }
        recorded.recorded(&mut command);
        succeed(&mut command)
    };
    let all = || {
        // A server ends at the end of its block, and before its failure is reported.
        {
            let server = neo4j.start()?;
            step("tests");
            tests(options.filter.as_deref(), &server)?;
        }
        let newest = options.filter.is_none().then(|| neo4j.start_newest());
        if let Some(server) = newest.transpose()?.flatten() {
            step("the tests on Neo4j again, on its newest release");
            tests(Some(ON_NEO4J), &server)?;
        }
        anyhow::Ok(())
    };
    let passed = all();
    // Of a run that fails too: a leak may be what it is about.
    let searched = recorded.end(options.filter.is_none());
    passed?;
    searched?;
    line("");
    line("All tests passed.");
    if chromium.is_none() {
        notice("left out: the tests of the pages (no Chromium)");
    }
    if env("ATG_TEST_DATA").is_none() {
        notice("left out: the tests on the public data sets (ATG_TEST_DATA is not set)");
    }
    if options.filter.is_some() && neo4j.has_newest() {
        notice("left out: the newest release of Neo4j (only for a run of all tests)");
    }
    for what in neo4j.left_out() {
        notice(&format!("left out: {what}"));
    }
    Ok(())
}
