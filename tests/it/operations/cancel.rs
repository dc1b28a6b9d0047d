//! `DELETE /api/v1/operations/{job_id}`.

use std::time::{Duration, Instant};

use atg_models::api::JobStatus;
use atg_sim::{Fault, FaultKind};
use atg_tests::{Setup, World, until};
use reqwest::Method;
use serde_json::Value;

/// A running scan of this test sends requests at least this often: twice the time of an answer.
const PACE: Duration = Duration::from_millis(240);

fn slow(ms: u64) -> Fault {
    Fault {
        count: u64::MAX,
        value: Some(ms),
        ..Fault::new(FaultKind::Slow)
    }
}

fn calls(world: &World) -> u64 {
    world.sim.stats().calls.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_scans_stop_quickly_and_ask_azure_for_nothing_more() {
    let world = Setup::new(7, 300)
        .setting("ATG_RATE_LIMIT_SCANS_PER_HOUR", "20")
        .start()
        .await;
    world.sim.arm(slow(120));
    let mut times = Vec::new();
    for round in 0_u64..20 {
        let before = calls(&world);
        let job = world.start_scan().await;
        // Another depth of the scan each time.
        let depth = 1 + round % 10;
        until("the scan asks", async || {
            (calls(&world) >= before + depth).then_some(())
        })
        .await;
        let started = Instant::now();
        let response = world
            .request(Method::DELETE, &format!("/api/v1/operations/{job}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        times.push(started.elapsed());
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer, serde_json::json!({"job_id": job, "status": "cancelled"}));
        let status = world.client.operation(job).await.unwrap();
        assert_eq!(status.status, JobStatus::Cancelled);
        assert!(status.cancel_requested);
        // From the answer on nothing may come, for longer than the scan's own pace of requests.
        world.sim.mark();
        tokio::time::sleep(PACE).await;
        assert_eq!(world.sim.stats().calls_after_mark, 0, "round {round}");
    }
    times.sort();
    assert!(times[18] <= Duration::from_secs(1), "p95 of {times:?}");
    assert!(times[19] <= Duration::from_secs(2), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_is_cancelled_at_once() {
    let world = Setup::new(7, 150).setting("ATG_MAX_CONCURRENT_OPS", "1").start().await;
    world.sim.arm(slow(2_000));
    let (running, waiting) = (world.start_scan().await, world.start_scan().await);
    let answer = world.client.cancel(waiting).await.unwrap();
    assert_eq!(answer.status, JobStatus::Cancelled);
    let status = world.client.operation(waiting).await.unwrap();
    assert_eq!((status.attempt, status.started_at), (0, None));
    world.client.cancel(running).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_ended_cannot_be_cancelled() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let response = world
        .request(Method::DELETE, &format!("/api/v1/operations/{job}"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 409);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "JOB_FINISHED");
}
