//! `atg-server migrate`: the schema of the shared database.
#![expect(clippy::print_stdout, reason = "this is the program's terminal output")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use atg_db::neo4j::{self, Migration, Neo4jConfig};
use atg_server::StoreChoice;

use crate::command::{fail, load, refuse};

/// Brings the schema up to this version, or says what that would take.
pub(crate) fn run(config: Option<&Path>, dry_run: bool) -> ExitCode {
    let loaded = match load(config, None) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    let StoreChoice::Neo4j(settings) = loaded.config.store else {
        return fail("the embedded databases are migrated when they are opened; migrate is for ATG_STORE=neo4j");
    };
    match migrated(&settings, dry_run) {
        Ok(steps) => {
            say(&steps, dry_run);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn migrated(settings: &Neo4jConfig, dry_run: bool) -> anyhow::Result<Vec<Migration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let steps = runtime.context("starting the runtime")?.block_on(async {
        if dry_run {
            Box::pin(neo4j::pending_migrations(settings)).await
        } else {
            Box::pin(neo4j::migrate(settings)).await
        }
    });
    steps.with_context(|| format!("migrating the database at {}", settings.uri))
}

fn say(steps: &[Migration], dry_run: bool) {
    if steps.is_empty() {
        println!("the schema is current");
        return;
    }
    for Migration {
        number,
        name,
        statements,
    } in steps
    {
        let verb = if dry_run { "would take" } else { "took" };
        println!("{verb} step {number}, {name}:");
        for statement in *statements {
            println!("  {statement}");
        }
    }
}
