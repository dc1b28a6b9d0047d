//! Every server serves every job, whichever runs it.

use std::time::{Duration, Instant};

use atg_models::api::{CompletionStatus, JobStatus};
use atg_tests::{Setup, World, until};
use reqwest::Method;

use super::{another, first, slow, two};
use crate::operations::hex;
use crate::ws_progress::{connect, read_all};

/// How soon after a cancel at one server the work at another has ended.
const CANCELLED_WITHIN: Duration = Duration::from_secs(2);
/// Longer than a running scan waits between its requests.
const QUIET: Duration = Duration::from_millis(500);

fn calls(world: &World) -> u64 {
    world.sim.stats().calls.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn submitted_here_it_is_watched_and_fetched_there() {
    let Some([one, other]) = two(Setup::new(7, 150)).await else {
        return;
    };
    let scan = one.start_scan().await;
    let mut sockets = Vec::new();
    for world in [&one, &other] {
        let path = format!("/ws/progress/{scan}?after=0&detail=1");
        sockets.push(connect(world, &path, true).await.unwrap());
    }
    let mut logs = Vec::new();
    for mut socket in sockets {
        let (frames, code) = read_all(&mut socket).await;
        assert_eq!(code, 1000);
        assert_eq!(frames.last().unwrap()["status"], "completed");
        logs.push(frames);
    }
    assert_eq!(logs[0], logs[1]);
    let results = [
        one.client.result(scan).await.unwrap(),
        other.client.result(scan).await.unwrap(),
    ];
    assert_eq!(results[0].result, results[1].result);

    let generated = other.generate().await;
    let path = format!("/api/v1/operations/{generated}/download");
    let whole = one.get(&path).await;
    let tag = whole.headers()["etag"].clone();
    let whole = whole.bytes().await.unwrap();
    assert_eq!(tag, format!("\"{}\"", hex(&whole)));
    // The begin from one, the rest from the other.
    let half = whole.len() / 2;
    let mut joined = Vec::new();
    for (world, range) in [
        (&one, format!("bytes=0-{}", half - 1)),
        (&other, format!("bytes={half}-")),
    ] {
        let part = world
            .request(Method::GET, &path)
            .header("Range", range)
            .header("If-Range", &tag);
        let part = part.send().await.unwrap();
        assert_eq!(part.status(), 206);
        joined.extend(part.bytes().await.unwrap());
    }
    assert_eq!(hex(&joined), hex(&whole));
    assert_eq!(one.files(generated).await, other.files(generated).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_one_server_runs_is_cancelled_at_another() {
    let Some(one) = first(Setup::new(7, 300)).await else {
        return;
    };
    slow(&one, 120);
    let job = one.start_scan().await;
    until("the first server scans", async || (calls(&one) >= 3).then_some(())).await;
    let other = another(&one).await;
    let begun = Instant::now();
    let answer = other.client.cancel(job).await.unwrap();
    assert_eq!(answer.status, JobStatus::Cancelled);
    assert_eq!(other.completion(job).await.status, CompletionStatus::Cancelled);
    assert!(begun.elapsed() < CANCELLED_WITHIN, "{:?}", begun.elapsed());
    one.sim.mark();
    tokio::time::sleep(QUIET).await;
    assert_eq!(one.sim.stats().calls_after_mark, 0);
    assert_eq!(one.client.operation(job).await.unwrap().status, JobStatus::Cancelled);
}
