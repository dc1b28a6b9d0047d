//! Stored keys count, and count no longer, at every server within the time that is promised.

use std::time::Instant;

use atg_models::limits::REVOKED_CLOSE_WITHIN;
use atg_tests::{Setup, World, open_socket, read_to_close, until};
use reqwest::Method;
use time::OffsetDateTime;

use super::{slow, two};
use crate::keys::put;

async fn status(world: &World, key: &str) -> u16 {
    let request = world.anonymous(Method::GET, "/api/v1/operations").bearer_auth(key);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn made_and_revoked_at_one_they_count_at_all() {
    let Some([one, other]) = two(Setup::new(7, 50)).await else {
        return;
    };
    slow(&one, 2_000);
    let job = one.start_scan().await;
    // As a command beside one of the servers does.
    let key = put(&one, "ci", 1, |_| {}).await;
    let made = Instant::now();
    for world in [&one, &other] {
        until("it counts", async || {
            (status(world, key.expose()).await == 200).then_some(())
        })
        .await;
    }
    assert!(made.elapsed() < REVOKED_CLOSE_WITHIN, "{:?}", made.elapsed());
    let path = format!("/ws/progress/{job}");
    let mut sockets = Vec::new();
    for world in [&one, &other, &other] {
        sockets.push(open_socket(world.url(), &path, Some(key.expose())).await.unwrap());
    }
    let revoked = one.keys().await.revoke("ci", OffsetDateTime::now_utc()).await;
    let revoked_at = Instant::now();
    assert_eq!(revoked.unwrap(), 1);
    for socket in &mut sockets {
        assert_eq!(read_to_close(socket).await.1, 1008);
    }
    assert!(
        revoked_at.elapsed() < REVOKED_CLOSE_WITHIN,
        "{:?}",
        revoked_at.elapsed()
    );
    for world in [&one, &other] {
        assert_eq!(status(world, key.expose()).await, 401);
    }
    other.client.cancel(job).await.unwrap();
}
