//! Submissions whose answer is lost.

use std::time::Duration;

use atg_client::Submitted;
use atg_models::api::{JobStatus, ScanRequest};
use atg_tests::{Treatment, World};

use super::behind;

async fn jobs(world: &World) -> usize {
    let listed = world.get("/api/v1/operations").await;
    listed.headers()["x-total-count"].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_second_job() {
    let world = World::small().await;
    let lose = |_: &str, before: usize| match before {
        0..2 => Treatment::CutAfter(0),
        _ => Treatment::Pass,
    };
    let (proxy, client) = behind(&world, lose).await;
    let named = client.with_idempotency_key("one-run");
    let job = named.scan(&ScanRequest::new(world.tenant)).await.unwrap();
    assert_eq!(proxy.heads().len(), 3);
    assert_eq!(jobs(&world).await, 1);
    world.completion(job.job_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_it_is_sent_once() {
    let world = World::small().await;
    let (proxy, client) = behind(&world, |_, _| Treatment::CutAfter(0)).await;
    assert!(client.scan(&ScanRequest::new(world.tenant)).await.is_err());
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_cut_is_asked_for_again() {
    let world = World::small().await;
    let request = ScanRequest::new(world.tenant);
    let wait = Duration::from_secs(50);
    let named = world.client.clone().with_idempotency_key("whole");
    let Submitted::Ended(result) = named.scan_waiting(&request, wait).await.unwrap() else {
        panic!("the answer was not waited for");
    };
    assert_eq!(result.status, JobStatus::Completed);
    let lose = |head: &str, _: usize| {
        if head.contains("\r\nprefer: wait=50") {
            Treatment::CutAfter(0)
        } else {
            Treatment::Pass
        }
    };
    let (_proxy, client) = behind(&world, lose).await;
    let named = client.with_idempotency_key("cut");
    let Submitted::Taken(job) = named.scan_waiting(&request, wait).await.unwrap() else {
        panic!("the second request waits too");
    };
    assert_eq!(jobs(&world).await, 2);
    world.completion(job.job_id).await;
}
