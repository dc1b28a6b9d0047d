//! `atg-server backup` and `restore`: beside a running server, whole or not at all.

use std::path::Path;
use std::process::Output;

use atg_models::api::CompletionStatus;
use atg_tests::until;

use crate::bench::{Bench, client, completion, config, slow};

fn run(bench: &Bench, arguments: &[&str]) -> Output {
    atg_tests::output(bench.command().args(arguments)).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_running_scan_comes_back_as_a_server_that_ends_it() {
    let mut settings = config(100);
    settings.faults = vec![slow(25)];
    let bench = Bench::new(settings);
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    let first = completion(&server, scan).await;
    assert_eq!(first.status, CompletionStatus::Completed);
    let code = bench.start_generation(&server).await;
    assert_eq!(completion(&server, code).await.status, CompletionStatus::Completed);
    let hash = bench.zip_hash(&server, code).await;

    let before = bench.calls();
    let running = bench.start_scan(&server).await;
    until("the scan is on its way", async || {
        (bench.calls() >= before + 20).then_some(())
    })
    .await;
    let file = bench.folder().join("atg.backup");
    let path = file.to_str().unwrap();
    let made = run(&bench, &["backup", path]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(
        String::from_utf8_lossy(&made.stdout).contains("and 1 artifacts"),
        "{made:?}"
    );
    let later = bench.start_generation(&server).await;
    let refused = run(&bench, &["restore", path, "--force"]);
    assert!(
        !refused.status.success() && said(&refused).contains("in use by another server"),
        "{refused:?}"
    );
    server.kill();

    let refused = run(&bench, &["restore", path]);
    assert!(
        !refused.status.success() && said(&refused).contains("--force"),
        "{refused:?}"
    );
    let restored = run(&bench, &["restore", path, "--force"]);
    assert!(restored.status.success(), "{}", said(&restored));
    let server = bench.serve();
    let end = completion(&server, running).await;
    assert_eq!(end.status, CompletionStatus::Completed, "{end:?}");
    assert_eq!(end.result["graph_digest"], first.result["graph_digest"]);
    assert_eq!(bench.zip_hash(&server, code).await, hash);
    assert!(
        client(&server).operation(later).await.is_err(),
        "it came after the backup"
    );
    assert_eq!(bench.start_generation(&server).await.kind(), code.kind());
    assert!(server.terminate().success());
}

/// Every byte of a backup counts: what is cut or changed is refused, and the data stay as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_changes_nothing() {
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let scan = bench.start_scan(&server).await;
    completion(&server, scan).await;
    assert!(server.terminate().success());
    let file = bench.folder().join("atg.backup");
    let made = run(&bench, &["backup", file.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    assert_private(&file);
    let whole = std::fs::read(&file).unwrap();
    let broken = bench.folder().join("broken.backup");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 0xFF;
    for bytes in [
        &whole[..whole.len() - 200],
        &whole[..middle],
        changed.as_slice(),
        b"no backup",
    ] {
        std::fs::write(&broken, bytes).unwrap();
        let refused = run(&bench, &["restore", broken.to_str().unwrap(), "--force"]);
        assert!(!refused.status.success(), "{refused:?}");
        assert!(said(&refused).contains("is not a whole backup"), "{}", said(&refused));
    }
    let names: Vec<String> = std::fs::read_dir(bench.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with("restore")), "{names:?}");
    let server = bench.serve();
    assert!(client(&server).operation(scan).await.is_ok());
    assert!(server.terminate().success());
}

/// A restore that was decided and killed is finished by the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_is_finished_by_the_next_start() {
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let kept = bench.start_scan(&server).await;
    completion(&server, kept).await;
    let file = bench.folder().join("atg.backup");
    assert!(run(&bench, &["backup", file.to_str().unwrap()]).status.success());
    let lost = bench.start_scan(&server).await;
    completion(&server, lost).await;
    server.kill();

    // What a kill leaves right after the decision, and after the first file.
    for moved in [false, true] {
        let ready = bench.folder().join("ready");
        let _ = std::fs::remove_dir_all(&ready);
        let manifest = atg_db::sqlite::restore(&ready, &file, false).unwrap();
        std::fs::remove_file(ready.join("lock")).unwrap();
        std::fs::write(ready.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
        if moved {
            std::fs::rename(ready.join("graph.db"), bench.data().join("graph.db")).unwrap();
        }
        std::fs::rename(&ready, bench.data().join("restore.ready")).unwrap();
        let server = bench.serve();
        assert!(client(&server).operation(kept).await.is_ok());
        assert!(client(&server).operation(lost).await.is_err());
        assert!(!bench.data().join("restore.ready").exists());
        let again = bench.start_generation(&server).await;
        assert_eq!(completion(&server, again).await.status, CompletionStatus::Completed);
        assert!(server.terminate().success());
    }
}

/// A folder into which an import did not end is whole again once a backup was put over it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_the_place_of_half_an_import() {
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let kept = bench.start_scan(&server).await;
    completion(&server, kept).await;
    let file = bench.folder().join("atg.backup");
    let path = file.to_str().unwrap();
    assert!(run(&bench, &["backup", path]).status.success());
    server.kill();

    let mark = bench.data().join("import.unfinished");
    std::fs::write(&mark, "").unwrap();
    let refused = run(&bench, &[]);
    assert!(
        !refused.status.success() && said(&refused).contains("did not end"),
        "{refused:?}"
    );
    let restored = run(&bench, &["restore", path, "--force"]);
    assert!(restored.status.success(), "{}", said(&restored));
    let server = bench.serve();
    assert!(client(&server).operation(kept).await.is_ok());
    assert!(server.terminate().success());
}

#[cfg(unix)]
fn assert_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
