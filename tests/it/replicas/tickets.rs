//! A ticket of one server opens a socket of any, once.

use atg_models::JobId;
use atg_tests::{Setup, World, issued};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::two;
use crate::ws_progress::connect;

async fn ticket(world: &World, job: JobId) -> String {
    let made = world.post("/api/v1/ws-tickets", &json!({"job_id": job})).await;
    assert_eq!(made.status(), 201);
    let body: Value = made.json().await.unwrap();
    let ticket = body["ticket"].as_str().unwrap();
    issued(ticket);
    ticket.to_owned()
}

fn path(job: JobId, ticket: &str) -> String {
    format!("/ws/progress/{job}?ticket={ticket}&after=0")
}

#[tokio::test(flavor = "multi_thread")]
async fn good_at_the_other_server_once() {
    let Some([one, other]) = two(Setup::new(7, 50)).await else {
        return;
    };
    let (job, _) = one.scan().await;
    for (maker, taker) in [(&one, &other), (&other, &one), (&one, &one)] {
        let path = path(job, &ticket(maker, job).await);
        assert!(connect(taker, &path, false).await.is_ok());
        for world in [&one, &other] {
            assert_eq!(connect(world, &path, false).await.unwrap_err().0, 401);
        }
    }
    // Brought to another job, it is used up everywhere.
    let second = other.start_scan().await;
    let made = ticket(&one, job).await;
    assert_eq!(connect(&other, &path(second, &made), false).await.unwrap_err().0, 401);
    assert_eq!(connect(&one, &path(job, &made), false).await.unwrap_err().0, 401);
    one.completion(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_uses_at_both_servers_one_succeeds() {
    const TICKETS: usize = 5;
    const USES: usize = 40;
    let Some([one, other]) = two(Setup::new(7, 50)).await else {
        return;
    };
    let (job, _) = one.scan().await;
    for _ in 0..TICKETS {
        let path = path(job, &ticket(&one, job).await);
        let uses = (0..USES).map(|number| {
            let world = if number % 2 == 0 { &one } else { &other };
            let request = world.anonymous(Method::GET, &path);
            let request = request.header("Connection", "Upgrade").header("Upgrade", "websocket");
            let request = request.header("Sec-WebSocket-Version", "13");
            tokio::spawn(request.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").send())
        });
        let mut opened = 0;
        for answer in join_all(uses).await {
            match answer.unwrap().unwrap().status().as_u16() {
                101 => opened += 1,
                status => assert_eq!(status, 401),
            }
        }
        assert_eq!(opened, 1);
    }
}
