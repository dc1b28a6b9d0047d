//! `atg-server export` and `import` with the real programs: from a folder that is in use, into a store that is killed.

use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use atg_models::api::CompletionStatus;
use atg_neo4j::{Jars, Options, Server};
use atg_tests::{Database, until};

use crate::bench::{Bench, client, completion, config};

/// Resources of the tenant where the environment does not say: `ATG_TEST_EXPORT_NODES`.
const RESOURCES: usize = 300;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn resources() -> usize {
    std::env::var("ATG_TEST_EXPORT_NODES").map_or(RESOURCES, |number| number.parse().unwrap())
}

/// Runs a command to its end, and prints how long it took.
fn measured(command: &mut Command) -> Output {
    let started = Instant::now();
    let output = command.output().unwrap();
    println!("{:?}: {:?}", command.get_args().last(), started.elapsed());
    output
}

/// A server's command on the Neo4j.
fn on_neo4j(bench: &Bench, neo4j: &Server) -> Command {
    let access = neo4j.access();
    let mut command = bench.command();
    command
        .env("ATG_STORE", "neo4j")
        .env("NEO4J_URI", &access.uri)
        .env("NEO4J_USER", &access.user)
        .env("NEO4J_PASSWORD", &access.password)
        .env("ATG_DATA_DIR", bench.folder().join("of-neo4j"));
    command
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_moves_to_neo4j_although_the_import_is_killed() {
    let Some(jars) = Jars::from_environment().unwrap() else {
        println!("left out: NEO4J_TEST_JARS is not set (cargo xtask test fetches the jars of Neo4j)");
        return;
    };
    let neo4j = tokio::task::block_in_place(|| Server::start(Options::functional(jars)).unwrap());
    Box::pin(Database::at(neo4j.access()).prepare()).await;
    let bench = Bench::new(config(resources()));
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    let first = completion(&server, scan).await;
    let code = bench.start_generation(&server).await;
    assert_eq!(completion(&server, code).await.status, CompletionStatus::Completed);
    let hash = bench.zip_hash(&server, code).await;

    let file = bench.folder().join("atg.export");
    let path = file.to_str().unwrap();
    let made = measured(bench.command().args(["export", "--with-artifacts", path]));
    assert!(made.status.success(), "{}", said(&made));
    server.kill();
    let dry = measured(on_neo4j(&bench, &neo4j).args(["import", "--dry-run", path]));
    assert!(dry.status.success(), "{}", said(&dry));

    // Killed as soon as it has marked the store.
    let import = on_neo4j(&bench, &neo4j)
        .args(["import", path])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let uri = neo4j.access();
    until("the store is marked", async || {
        let refused = is_half_imported(&uri).await;
        refused.then_some(())
    })
    .await;
    kill(import);
    let refused = atg_tests::output(&mut on_neo4j(&bench, &neo4j)).unwrap();
    assert!(
        !refused.status.success() && said(&refused).contains("did not end"),
        "{refused:?}"
    );

    let again = measured(on_neo4j(&bench, &neo4j).args(["import", path]));
    assert!(again.status.success(), "{}", said(&again));
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(text.contains("what an import before had left was removed"), "{text}");
    assert!(text.contains("every digest is the same"), "{text}");
    let refused = atg_tests::output(on_neo4j(&bench, &neo4j).args(["import", path])).unwrap();
    assert!(
        !refused.status.success() && said(&refused).contains("is not empty"),
        "{refused:?}"
    );

    // It goes on there: the same jobs, the same result, the same tenant.
    let server = atg_tests::ServerProcess::start(on_neo4j(&bench, &neo4j), bench.folder());
    assert_eq!(bench.zip_hash(&server, code).await, hash);
    assert!(client(&server).operation(scan).await.is_ok());
    let later = bench.start_scan(&server).await;
    let later = completion(&server, later).await;
    assert_eq!(later.status, CompletionStatus::Completed, "{later:?}");
    assert_eq!(later.result["graph_digest"], first.result["graph_digest"]);
    assert!(server.terminate().success());
}

async fn is_half_imported(access: &atg_neo4j::Access) -> bool {
    let config = atg_tests::neo4j_config(access);
    let stores = atg_db::neo4j::Stores::new(&config, atg_db::JobLimits::default()).unwrap();
    matches!(
        Box::pin(stores.prepare()).await,
        Err(atg_db::StoreError::HalfImported { .. })
    )
}

/// Through a pipe, into another folder; and a file that is cut is refused with its line.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_moves_through_a_pipe() {
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    completion(&server, scan).await;
    assert!(server.terminate().success());
    let mut export = bench.command();
    let mut export = export
        .args(["export", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let other = bench.folder().join("other");
    let import = bench
        .command()
        .env("ATG_DATA_DIR", &other)
        .args(["import", "-"])
        .stdin(export.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(export.wait().unwrap().success());
    assert!(import.status.success(), "{}", said(&import));
    let server = {
        let mut command = bench.command();
        command.env("ATG_DATA_DIR", &other);
        atg_tests::ServerProcess::start(command, bench.folder())
    };
    assert!(client(&server).operation(scan).await.is_ok());
    assert!(server.terminate().success());

    let file = bench.folder().join("cut.export");
    let made = atg_tests::output(bench.command().args(["export", file.to_str().unwrap()])).unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let third = bench.folder().join("third");
    let refused = bench
        .command()
        .env("ATG_DATA_DIR", &third)
        .args(["import", file.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(
        !refused.status.success() && said(&refused).contains("is not a whole export"),
        "{refused:?}"
    );
    assert!(
        !third.join("import.unfinished").exists(),
        "it was seen before anything was written"
    );
}
