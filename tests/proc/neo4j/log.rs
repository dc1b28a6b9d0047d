//! What is left of a job after a fault: its end, its result, its log.

use std::time::{Duration, Instant};

use atg_models::JobId;
use atg_models::api::JobStatus;
use atg_tests::World;
use serde_json::Value;

/// How long a job may take whose database was away for a minute.
const ENDS_WITHIN: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(200);

/// Waits for a job's success, through whatever the database does, and answers its result.
pub(crate) async fn completed(world: &World, job: JobId) -> Value {
    let started = Instant::now();
    let path = format!("/api/v1/operations/{job}");
    loop {
        let answer = world.get(&path).await;
        if answer.status() == 200 {
            let status: Value = answer.json().await.unwrap();
            if status["completed_at"].is_string() {
                assert_eq!(status["status"], "completed", "{status}");
                println!(
                    "{job} ended after {:?}, attempt {}",
                    started.elapsed(),
                    status["attempt"]
                );
                break;
            }
        }
        assert!(started.elapsed() < ENDS_WITHIN, "{job} does not end");
        tokio::time::sleep(LOOK).await;
    }
    log_is_whole(world, job).await;
    let result = world.client.result(job).await.unwrap();
    assert_eq!(result.status, JobStatus::Completed);
    result.result.unwrap()
}

/// A scan's result is that of an undisturbed one.
pub(crate) fn is_that_of(digest: &str, result: &Value) {
    assert_eq!(result["verdict"], "complete", "{result}");
    assert_eq!(result["graph_digest"], digest, "{result}");
}

/// Every sequence from the first to the last, once and in order, and one end.
async fn log_is_whole(world: &World, job: JobId) {
    let mut after = 0;
    let mut ends = 0;
    loop {
        let path = format!("/api/v1/operations/{job}/events?after={after}&limit=1000");
        let page: Value = world.get(&path).await.json().await.unwrap();
        assert!(page["gap"].is_null(), "{page}");
        for event in page["events"].as_array().unwrap() {
            after += 1;
            assert_eq!(event["seq"], after, "{event}");
            assert_eq!(ends, 0, "{event} comes behind the end");
            ends += u32::from(event["type"] == "completion");
        }
        if page["complete"] == true {
            break;
        }
    }
    assert_eq!(ends, 1, "{after} events");
}

/// As many jobs as were started.
pub(crate) async fn are_all(world: &World, jobs: &[JobId]) {
    let mut known: Vec<String> = Vec::new();
    let listed: Value = world.get("/api/v1/operations?limit=200").await.json().await.unwrap();
    for job in listed.as_array().unwrap() {
        known.push(job["job_id"].as_str().unwrap().to_owned());
    }
    known.sort();
    let mut started: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    started.sort();
    assert_eq!(known, started);
}
