//! `cargo xtask test`: what the README promises.

use crate::azurite::Azurite;
use crate::neo4j::{Neo4j, Started};
use crate::out::{line, notice, step};
use crate::run::{build_programs, cargo, env, succeed, timed};
use crate::{azurite, secrecy, tools};

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
    let azurite = Azurite::prepare()?;
    if env("ATG_TEST_DATA").is_none() {
        notice("ATG_TEST_DATA is not set: the tests that read the large public data sets are left out");
    }
    step("building the programs that the tests start");
    build_programs()?;
    let recorded = secrecy::Run::begin()?;
    let blobs = azurite.start()?;
    let tests = |filter: Option<&str>, server: &Started| {
        let mut command = cargo(["test", "--workspace", "--quiet", "--no-fail-fast"]);
        command.args(filter).envs(server.environment.iter().cloned());
        command.envs(blobs.environment.iter().cloned());
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
            if server.is_there() {
                on_neo4j(options.filter.as_deref(), &neo4j, (&server, &blobs), &recorded)?;
            }
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
    for what in neo4j.left_out().iter().map(String::as_str).chain(azurite.left_out()) {
        notice(&format!("left out: {what}"));
    }
    Ok(())
}

/// The integration suite again, with Neo4j in the place of the embedded store.
fn on_neo4j(
    filter: Option<&str>,
    neo4j: &Neo4j,
    (server, blobs): (&Started, &azurite::Started),
    recorded: &secrecy::Run,
) -> anyhow::Result<()> {
    // Two tests run at a time on two cores, each with a database of its own. A choice of tests waits for one.
    let second = if filter.is_none() { neo4j.start_second()? } else { None };
    step("the integration suite again, on Neo4j");
    let mut command = cargo(["test", "--workspace", "--quiet", "--no-fail-fast", "--test", "it"]);
    command.args(filter).env("ATG_TEST_STORE", "neo4j");
    command.envs(server.environment.iter().cloned());
    command.envs(blobs.environment.iter().cloned());
    command.envs(second.iter().flat_map(|second| second.environment.iter().cloned()));
    recorded.recorded(&mut command);
    let (passed, took) = timed(|| succeed(&mut command));
    passed?;
    line(&format!("  passed in {:.0} s", took.as_secs_f64()));
    Ok(())
}
