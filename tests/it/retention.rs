//! What is past its time goes: results after `ATG_ARTIFACT_TTL`, jobs after `ATG_JOB_TTL`.

use atg_tests::{Setup, ShiftedClock, until};
use serde_json::Value;
use time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn results_and_jobs_are_kept_for_their_time() {
    let clock = ShiftedClock::default();
    let world = Setup::new(7, 50)
        .clock(clock.clone())
        .setting("ATG_ARTIFACT_TTL", "12h")
        .setting("ATG_JOB_TTL", "3d")
        .start()
        .await;
    world.scan().await;
    let job = world.generate().await;
    let download = format!("/api/v1/operations/{job}/download");
    let file = world.client.result(job).await.unwrap().files[0].download_url.clone();
    let zip = world.zip(job);

    clock.advance(Duration::hours(12) - Duration::minutes(2));
    for path in [&download, &file] {
        assert_eq!(world.get(path).await.status(), 200, "{path}");
    }
    // Past its time, and not swept yet.
    clock.advance(Duration::minutes(4));
    for path in [&download, &file] {
        let gone = world.get(path).await;
        assert_eq!(gone.status(), 410, "{path}");
        let body: Value = gone.json().await.unwrap();
        assert_eq!(body["error"]["code"], "ARTIFACT_EXPIRED");
    }
    assert!(zip.exists());
    clock.advance(Duration::minutes(10));
    until("the zip is swept", async || (!zip.exists()).then_some(())).await;
    assert_eq!(world.get(&download).await.status(), 410);
    assert_eq!(world.client.result(job).await.unwrap().job_id, job);

    clock.advance(Duration::days(3));
    let status = format!("/api/v1/operations/{job}");
    until("the job is gone", async || {
        (world.get(&status).await.status() == 404).then_some(())
    })
    .await;
    assert_eq!(world.get(&download).await.status(), 404);
    // The graph is not a result: it stays.
    assert_eq!(world.client.tenants().await.unwrap().len(), 1);
}
