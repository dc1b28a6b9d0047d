//! A disk that stops, a folder that cannot be written, a file that is damaged: clear words, and nothing
//! worse once it is mended.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use atg_models::api::{CompletionStatus, JobStatus};
use atg_tests::{KEY, ServerProcess, until};
use serde_json::{Value, json};

use crate::bench::{Bench, client, completion, config, slow};

/// What health promises whatever the disk does.
const HEALTH_WITHIN: Duration = Duration::from_secs(1);

/// The store's word, which must come in time.
async fn health(server: &ServerProcess) -> String {
    let began = Instant::now();
    let response = reqwest::get(format!("{}/health", server.url)).await.unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert!(began.elapsed() < HEALTH_WITHIN, "{:?}", began.elapsed());
    body["neo4j_status"].as_str().unwrap().to_owned()
}

async fn is(server: &ServerProcess, word: &str) {
    until(word, async || (health(server).await == word).then_some(())).await;
}

/// Lets no file of a process grow any more, or lets them again: what a quota does. `false` where the tool is missing.
fn stop_disk(server: &ServerProcess, stopped: bool) -> bool {
    let limit = if stopped { "--fsize=0:" } else { "--fsize=unlimited:" };
    Command::new("prlimit")
        .args(["--pid", &server.id().to_string(), limit])
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stops_is_waited_for() {
    let mut settings = config(200);
    settings.faults = vec![slow(25)];
    let bench = Bench::new(settings);
    let server = bench.serve();
    let job = bench.start_scan(&server).await;
    until("the scan is on its way", async || (bench.calls() >= 20).then_some(())).await;
    if !stop_disk(&server, true) {
        println!("NOTICE: left out: a disk that stops (no prlimit, which util-linux brings)");
        return;
    }
    is(&server, "disconnected").await;
    let http = reqwest::Client::new();
    let ready = http.get(format!("{}/readyz", server.url)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let submit = http
        .post(format!("{}/api/v1/scan", server.url))
        .bearer_auth(KEY)
        .json(&json!({"tenant_id": bench.tenant()}));
    let refused = submit.send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "DATABASE_UNAVAILABLE", "{body}");
    assert_eq!(client(&server).operation(job).await.unwrap().status, JobStatus::Running);

    assert!(stop_disk(&server, false));
    is(&server, "connected").await;
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Completed, "{end:?}");
    assert_eq!(end.result["verdict"], "complete");
    assert_eq!(client(&server).operation(job).await.unwrap().attempt, 1);
    let again = bench.start_scan(&server).await;
    let again = completion(&server, again).await;
    assert_eq!(again.result["graph_digest"], end.result["graph_digest"]);
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_waits_for_the_disk() {
    let bench = Bench::new(config(100));
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    completion(&server, scan).await;
    let undisturbed = bench.start_generation(&server).await;
    completion(&server, undisturbed).await;
    let hash = bench.zip_hash(&server, undisturbed).await;
    let job = bench.start_generation(&server).await;
    if !stop_disk(&server, true) {
        println!("NOTICE: left out: a disk that stops (no prlimit, which util-linux brings)");
        return;
    }
    let stopped = Instant::now();
    until("a while has passed", async || {
        health(&server).await;
        (stopped.elapsed() > Duration::from_secs(2)).then_some(())
    })
    .await;
    assert!(stop_disk(&server, false));
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Completed, "{end:?}");
    assert_eq!(bench.zip_hash(&server, job).await, hash);
    let zip = atg_tests::zip_of(&bench.data(), job);
    let names = std::fs::read_dir(zip.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let staged = names.filter(|name| name.to_string_lossy().contains('#')).count();
    assert_eq!(staged, 0, "uploads that failed leave nothing");
    assert!(server.terminate().success());
}

/// What the server says when it does not start.
fn refusal(mut command: Command) -> String {
    let output = atg_tests::output(&mut command).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let bench = Bench::new(config(20));
    let in_the_way = bench.folder().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let mut folders = vec![in_the_way.join("data")];
    if cfg!(target_os = "linux") {
        // Not even root may write there.
        folders.push("/proc/atg-data".into());
    }
    for folder in folders {
        let mut command = bench.command();
        command.env("ATG_DATA_DIR", &folder);
        let said = refusal(command);
        assert!(
            said.contains(folder.to_str().unwrap()) && said.contains("must be writable"),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_folder_is_named_and_of_use_again_when_it_is_writable() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65_534;
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let job = bench.start_scan(&server).await;
    let end = completion(&server, job).await;
    assert!(server.terminate().success());
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&bench.data(), 0o555);
    let mut command = bench.command();
    if std::fs::metadata(bench.folder()).unwrap().uid() == 0 {
        // Permissions do not bind root, so the server is somebody else.
        mode(bench.folder(), 0o755);
        command.uid(NOBODY).gid(NOBODY);
    }
    match atg_tests::output(&mut command) {
        Ok(output) => {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{said}");
            assert!(
                said.contains(bench.data().to_str().unwrap()) && said.contains("must be writable"),
                "{said}"
            );
        }
        Err(error) => {
            println!("NOTICE: left out: a read-only folder (the program is out of another user's reach: {error})");
        }
    }
    mode(&bench.data(), 0o700);
    let server = bench.serve();
    assert_eq!(
        client(&server).operation(job).await.unwrap().status,
        JobStatus::Completed
    );
    let again = bench.start_scan(&server).await;
    assert_eq!(
        completion(&server, again).await.result["graph_digest"],
        end.result["graph_digest"]
    );
    assert!(server.terminate().success());
}

/// Overwrites the middle of a file, which opening it does not read.
fn damage(path: &Path) {
    const PAGE: u64 = 4096;
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let pages = file.metadata().unwrap().len() / PAGE;
    let (from, to) = (pages / 4, pages * 3 / 4);
    file.seek(SeekFrom::Start(from * PAGE)).unwrap();
    file.write_all(&vec![0xA5; usize::try_from((to - from) * PAGE).unwrap()])
        .unwrap();
    file.sync_all().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_that_is_damaged_is_named_at_start_and_takes_no_job_with_it() {
    let bench = Bench::new(config(100));
    let server = bench.serve();
    let job = bench.start_scan(&server).await;
    let end = completion(&server, job).await;
    assert!(server.terminate().success());
    bench.serve().kill();
    damage(&bench.data().join("graph.db"));

    let said = refusal(bench.command());
    assert!(
        said.contains("graph.db") && said.contains("restore") && said.contains("reset-graph"),
        "{said}"
    );
    let checked = atg_tests::output(bench.command().arg("check-data")).unwrap();
    let listed = String::from_utf8(checked.stdout).unwrap();
    assert!(!checked.status.success(), "{listed}");
    assert!(
        listed.contains("graph.db: damaged") && listed.contains("jobs.db: whole"),
        "{listed}"
    );
    let backup = bench.folder().join("atg.backup");
    let refused = refusal_of_backup(&bench, &backup);
    assert!(refused.contains("graph.db is damaged") && !backup.exists(), "{refused}");

    assert!(bench.command().arg("reset-graph").status().unwrap().success());
    let server = bench.serve();
    assert_eq!(
        client(&server).operation(job).await.unwrap().status,
        JobStatus::Completed
    );
    let again = bench.start_scan(&server).await;
    assert_eq!(
        completion(&server, again).await.result["graph_digest"],
        end.result["graph_digest"]
    );
    assert!(server.terminate().success());
    let checked = atg_tests::output(bench.command().arg("check-data")).unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

fn refusal_of_backup(bench: &Bench, file: &Path) -> String {
    let mut command = bench.command();
    command.arg("backup").arg(file);
    refusal(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_is_found_while_running_fails_the_job_and_is_named_by_the_next_start() {
    let bench = Bench::new(config(100));
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    completion(&server, scan).await;
    // Folds the log into the file.
    assert!(server.terminate().success());
    let server = bench.serve();
    damage(&bench.data().join("graph.db"));
    let job = bench.start_generation(&server).await;
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Failed, "{end:?}");
    is(&server, "disconnected").await;
    assert_eq!(
        client(&server).operation(scan).await.unwrap().status,
        JobStatus::Completed
    );
    let error = client(&server).operation(job).await.unwrap().error.unwrap();
    assert_eq!(error.code.as_str(), "INTERNAL", "{error:?}");
    // A clean stop does not hide it.
    assert!(server.terminate().success());
    let said = refusal(bench.command());
    assert!(said.contains("graph.db"), "{said}");
}
