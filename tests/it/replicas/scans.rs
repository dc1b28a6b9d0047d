//! A tenant is written by one scan at a time, whichever servers were asked.

use atg_models::api::CompletionStatus;
use atg_tests::Setup;
use futures_util::future::join_all;

use super::two;
use crate::ws_progress::{connect, read_all};

#[tokio::test(flavor = "multi_thread")]
async fn scans_of_one_tenant_at_two_servers_come_one_after_the_other() {
    let Some([one, other]) = two(Setup::new(7, 150)).await else {
        return;
    };
    super::slow(&one, 20);
    let jobs = join_all([&one, &other, &one, &other].map(atg_tests::World::start_scan)).await;
    let mut ran = Vec::new();
    for job in &jobs {
        assert_eq!(one.completion(*job).await.status, CompletionStatus::Completed);
        let status = other.client.operation(*job).await.unwrap();
        assert_eq!(status.attempt, 1);
        ran.push((status.started_at.unwrap(), status.completed_at.unwrap(), *job));
    }
    ran.sort();
    for pair in ran.windows(2) {
        assert!(pair[1].0 >= pair[0].1, "two at once: {pair:?}");
    }
    // Whoever waited says for which one.
    let (.., last) = ran.last().unwrap();
    let mut socket = connect(&one, &format!("/ws/progress/{last}?after=0"), true)
        .await
        .unwrap();
    let (frames, _) = read_all(&mut socket).await;
    let waits = |frame: &serde_json::Value| {
        frame["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("waits for scan-"))
    };
    assert!(frames.iter().any(waits), "{frames:?}");
}
