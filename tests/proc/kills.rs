//! A server that is killed goes on where it was, and comes to the same end.

use std::path::Path;
use std::time::{Duration, Instant};

use atg_models::api::{CompletionStatus, JobStatus};
use atg_models::{JobId, Seq};
use atg_tests::{ServerProcess, until};

use crate::bench::{Bench, client, completion, config, slow};

/// How soon after it is ready a server shows that an interrupted job goes on.
const GOES_ON: Duration = Duration::from_secs(5);

/// The last sequence of a job's log, as a reader sees it who has come this far.
async fn seen(server: &ServerProcess, job: JobId) -> Seq {
    let mut watch = client(server).watch(job);
    let mut last = Seq::ZERO;
    while let Ok(Ok(Some(_))) = tokio::time::timeout(Duration::from_millis(20), watch.next()).await {
        last = watch.cursor();
    }
    last
}

/// After a restart: ready, then a new event within [`GOES_ON`].
async fn goes_on(server: &ServerProcess, job: JobId, after: Seq) {
    let http = reqwest::Client::new();
    until("the server is ready", async || {
        let ready = http.get(format!("{}/readyz", server.url)).send().await.ok()?;
        ready.status().is_success().then_some(())
    })
    .await;
    let started = Instant::now();
    let mut watch = client(server).watch(job).after(after);
    let next = tokio::time::timeout(GOES_ON, watch.next()).await;
    assert!(
        matches!(next, Ok(Ok(Some(_)))),
        "{job} does not go on: {next:?} after {:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_survive_kills_at_every_depth() {
    const KILLS: u64 = 12;
    let mut settings = config(200);
    settings.faults = vec![slow(25)];
    let plain = Bench::new(settings.clone());
    let server = plain.serve();
    let job = plain.start_scan(&server).await;
    let whole = completion(&server, job).await;
    assert_eq!(whole.status, CompletionStatus::Completed);
    let calls = plain.calls();
    server.terminate();

    let mut killed_running = 0;
    for kill in 0..KILLS {
        let bench = Bench::new(settings.clone());
        let server = bench.serve();
        let job = bench.start_scan(&server).await;
        // From the first call to the last but a few: containers, resources, access, directory.
        let depth = 1 + calls * kill / KILLS;
        until("the scan is so far", async || (bench.calls() >= depth).then_some(())).await;
        server.kill();
        let server = bench.serve();
        goes_on(&server, job, Seq::ZERO).await;
        let end = completion(&server, job).await;
        let status = client(&server).operation(job).await.unwrap();
        assert_eq!(
            end.status,
            CompletionStatus::Completed,
            "kill {kill}: {end:?} {status:?}"
        );
        assert_eq!(end.result["verdict"], "complete", "kill {kill}: {end:?}");
        assert_eq!(end.result["graph_digest"], whole.result["graph_digest"], "kill {kill}");
        assert_eq!(
            end.result["resources_discovered"], whole.result["resources_discovered"],
            "kill {kill}"
        );
        killed_running += u64::from(status.attempt > 1);
        assert!(server.terminate().success());
    }
    assert!(killed_running >= KILLS - 1, "{killed_running} of {KILLS} were running");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_survive_kills_at_every_depth() {
    const KILLS: u32 = 8;
    let plain = Bench::new(config(1_000));
    let server = plain.serve();
    let scan = plain.start_scan(&server).await;
    completion(&server, scan).await;
    assert!(server.terminate().success());
    let scanned = atg_tests::folder();
    copy(&plain.data(), scanned.path());

    let server = plain.serve();
    let job = plain.start_generation(&server).await;
    until("it runs", async || running(&server, job).await).await;
    let started = Instant::now();
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Completed);
    let took = started.elapsed();
    let hash = plain.zip_hash(&server, job).await;
    assert_eq!(plain.published_hash(job).as_ref(), Some(&hash));
    server.terminate();

    let mut killed_running = 0;
    for kill in 0..KILLS {
        std::fs::remove_dir_all(plain.data()).unwrap();
        copy(scanned.path(), &plain.data());
        let server = plain.serve();
        let job = plain.start_generation(&server).await;
        until("it runs", async || running(&server, job).await).await;
        // A point of its time: there is no other sign of how far a generation is inside a phase.
        tokio::time::sleep(took * kill / (KILLS + 2)).await;
        server.kill();
        if let Some(published) = plain.published_hash(job) {
            assert_eq!(published, hash, "kill {kill} left a part of a zip");
        }
        let server = plain.serve();
        goes_on(&server, job, Seq::ZERO).await;
        let end = completion(&server, job).await;
        assert_eq!(end.status, CompletionStatus::Completed, "kill {kill}: {end:?}");
        killed_running += u32::from(client(&server).operation(job).await.unwrap().attempt > 1);
        assert_eq!(plain.zip_hash(&server, job).await, hash, "kill {kill}");
        assert!(server.terminate().success());
    }
    assert!(
        killed_running >= KILLS - 1,
        "{killed_running} of {KILLS} were running, which takes {took:?}"
    );
}

async fn running(server: &ServerProcess, job: JobId) -> Option<()> {
    let status = client(server).operation(job).await.unwrap().status;
    assert!(
        matches!(status, JobStatus::Queued | JobStatus::Running),
        "it has ended already"
    );
    (status == JobStatus::Running).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_gives_the_running_job_back_and_the_next_start_takes_it_up() {
    let mut settings = config(200);
    settings.faults = vec![slow(40)];
    let bench = Bench::new(settings);
    let server = bench.serve();
    let job = bench.start_scan(&server).await;
    until("the scan is on its way", async || (bench.calls() >= 10).then_some(())).await;
    let last = seen(&server, job).await;
    let started = Instant::now();
    let status = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let calls = bench.calls();
    let server = bench.serve();
    goes_on(&server, job, last).await;
    let end = completion(&server, job).await;
    assert_eq!(end.status, CompletionStatus::Completed);
    assert_eq!(end.result["verdict"], "complete");
    assert!(bench.calls() > calls);
    assert_eq!(server.terminate().code(), Some(0));
}
