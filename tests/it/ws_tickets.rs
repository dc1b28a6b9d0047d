//! `POST /api/v1/ws-tickets`.

use atg_tests::{Setup, World};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ws_progress::connect;

async fn ticket(world: &World, job: atg_models::JobId) -> String {
    let response = world.post("/api/v1/ws-tickets", &json!({"job_id": job})).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = response.json().await.unwrap();
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'), "{body}");
    body["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let path = format!("/ws/progress/{job}?ticket={}&after=0", ticket(&world, job).await);
    assert!(connect(&world, &path, false).await.is_ok());
    let (status, body) = connect(&world, &path, false).await.unwrap_err();
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (401, Some("AUTHENTICATION_FAILED"))
    );
    // The header comes first; a ticket comes before a key in the address.
    assert!(connect(&world, &path, true).await.is_ok());
    let with_key = format!("{path}&api_key={}", atg_tests::KEY);
    assert_eq!(connect(&world, &with_key, false).await.unwrap_err().0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_for_its_job() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let other = world.start_scan().await;
    let ticket = ticket(&world, job).await;
    for wrong in [other, job] {
        let path = format!("/ws/progress/{wrong}?ticket={ticket}");
        assert_eq!(connect(&world, &path, false).await.unwrap_err().0, 401, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_uses_at_once_succeed_once() {
    /// Two uses seldom meet within the few lines that use a ticket up.
    const TICKETS: usize = 4;
    // One worker would take one after the other.
    let setup = Setup::new(7, 150).setting("ATG_SERVER_WORKERS", "4");
    let world = setup.start().await;
    let (job, _) = world.scan().await;
    for _ in 0..TICKETS {
        let path = format!("/ws/progress/{job}?ticket={}", ticket(&world, job).await);
        let uses = (0..1_000).map(|_| {
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

#[tokio::test(flavor = "multi_thread")]
async fn only_for_a_job_that_can_be_seen() {
    let world = World::small().await;
    let unknown = json!({"job_id": "scan-01890a5d-ac96-774b-bcce-b302099a8057"});
    assert_eq!(world.post("/api/v1/ws-tickets", &unknown).await.status(), 404);
    for body in [json!({}), json!({"job_id": "nonsense"}), json!({"job_id": 5})] {
        assert_eq!(world.post("/api/v1/ws-tickets", &body).await.status(), 400, "{body}");
    }
}
