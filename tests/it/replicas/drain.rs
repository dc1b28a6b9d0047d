//! A server that leaves says so, gives its work to the others, and loses nothing of it.

use atg_models::api::CompletionStatus;
use atg_tests::{Setup, World, until};
use reqwest::Method;

use super::{another, first, slow};
use crate::ws_progress::{connect, read_all};

async fn ready(world: &World) -> u16 {
    let asked = world.anonymous(Method::GET, "/readyz").send().await;
    asked.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leaves_and_the_other_goes_on() {
    let Some(mut one) = first(Setup::new(7, 300)).await else {
        return;
    };
    slow(&one, 100);
    let job = one.start_scan().await;
    let mut socket = connect(&one, &format!("/ws/progress/{job}?after=0"), true)
        .await
        .unwrap();
    let calls = || one.sim.stats().calls.values().sum::<u64>();
    until("the first server scans", async || (calls() >= 5).then_some(())).await;
    let other = another(&one).await;
    assert_eq!([ready(&one).await, ready(&other).await], [200, 200]);

    one.drain();
    assert_eq!([ready(&one).await, ready(&other).await], [503, 200]);
    let (before, code) = read_all(&mut socket).await;
    assert_eq!(code, 1001);
    one.stop_server().await;
    assert_eq!(ready(&other).await, 200);

    // The reader comes back with its cursor, to the server that is left.
    let last = before.last().map_or(0, |frame| frame["seq"].as_u64().unwrap());
    let mut socket = connect(&other, &format!("/ws/progress/{job}?after={last}"), true)
        .await
        .unwrap();
    let (behind, code) = read_all(&mut socket).await;
    assert_eq!(code, 1000);
    let seqs = before.iter().chain(&behind).map(|frame| frame["seq"].as_u64().unwrap());
    let count = u64::try_from(before.len() + behind.len()).unwrap();
    assert!(seqs.eq(1..=count), "an event is missing or came twice");
    assert_eq!(other.completion(job).await.status, CompletionStatus::Completed);
    // A scan that was given back is no attempt that failed.
    assert_eq!(other.client.operation(job).await.unwrap().attempt, 1);
}
