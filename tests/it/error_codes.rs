//! Every error code that the table has for HTTP answers is given by some request.

use std::collections::BTreeSet;

use atg_models::ErrorCode;
use atg_sim::{Fault, FaultKind};
use atg_tests::{Setup, Stoppable, World};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::methods::answer_to_half_a_body;

/// The codes that were seen, each with the status that its row has.
#[derive(Default)]
struct Seen(BTreeSet<ErrorCode>);

impl Seen {
    async fn in_answer_to(&mut self, request: RequestBuilder) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        let code: ErrorCode = serde_json::from_value(body["error"]["code"].clone()).unwrap();
        assert_eq!(code.http_status(), Some(status), "{body}");
        assert!(self.0.insert(code), "{code:?} was meant to be another one: {body}");
    }
}

/// Of a request's own form.
async fn of_requests(seen: &mut Seen) {
    let half = answer_to_half_a_body().await;
    assert!(
        half.starts_with("HTTP/1.1 408") && half.contains("REQUEST_TIMEOUT"),
        "{half}"
    );
    assert!(seen.0.insert(ErrorCode::RequestTimeout));
    let world = World::small().await;
    let scan = || world.request(Method::POST, "/api/v1/scan");
    seen.in_answer_to(world.anonymous(Method::GET, "/api/v1/tenants")).await;
    seen.in_answer_to(world.request(Method::GET, "/nothing")).await;
    seen.in_answer_to(world.request(Method::PUT, "/api/v1/scan")).await;
    seen.in_answer_to(scan().json(&json!({}))).await;
    seen.in_answer_to(scan().body("{}")).await;
    let as_json = || scan().header("Content-Type", "application/json");
    seen.in_answer_to(as_json().body("{")).await;
    seen.in_answer_to(as_json().body("x".repeat(1024 * 1024 + 1))).await;
}

/// Of jobs, their artifacts and sockets.
async fn of_jobs(seen: &mut Seen) {
    let world = World::small().await;
    world.scan().await;
    let job = world.generate().await;
    let operation = format!("/api/v1/operations/{job}");
    let download = || world.request(Method::GET, &format!("{operation}/download"));
    seen.in_answer_to(world.request(Method::DELETE, &operation)).await;
    seen.in_answer_to(world.request(Method::GET, &format!("/ws/progress/{job}")))
        .await;
    seen.in_answer_to(download().header("Range", "bytes=999999999-")).await;
    let zip = world.zip(job);
    std::fs::write(&zip, "damaged").unwrap();
    seen.in_answer_to(download()).await;
    std::fs::remove_file(zip).unwrap();
    seen.in_answer_to(download()).await;

    let keyed = |retries: u8| {
        let request = world
            .request(Method::POST, "/api/v1/scan")
            .header("Idempotency-Key", "k");
        request.json(&json!({"tenant_id": world.tenant, "max_retries": retries}))
    };
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(30_000),
        ..Fault::new(FaultKind::Slow)
    });
    let taken: Value = keyed(1).send().await.unwrap().json().await.unwrap();
    seen.in_answer_to(keyed(2)).await;
    let running = taken["job_id"].as_str().unwrap();
    seen.in_answer_to(world.request(Method::GET, &format!("/api/v1/operations/{running}/result")))
        .await;
    world.client.cancel(running.parse().unwrap()).await.unwrap();
}

/// Of the server's limits and state.
async fn of_the_server(seen: &mut Seen) {
    let switch = Stoppable::default();
    let world = Setup::new(7, 50)
        .observer(switch.clone())
        .setting("ATG_TARGET_TENANT_ID", "11111111-2222-3333-4444-555555555555")
        .setting("ATG_RATE_LIMIT_PER_MINUTE", "2")
        .start()
        .await;
    let scan = || {
        let request = world.request(Method::POST, "/api/v1/scan");
        request.json(&json!({"tenant_id": world.tenant}))
    };
    seen.in_answer_to(scan()).await;
    switch.stop();
    seen.in_answer_to(scan()).await;
    seen.in_answer_to(scan()).await;
    world.drain();
    seen.in_answer_to(scan()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_of_the_table_is_seen() {
    let mut seen = Seen::default();
    of_requests(&mut seen).await;
    of_jobs(&mut seen).await;
    of_the_server(&mut seen).await;
    let table = ErrorCode::ALL.iter().copied();
    let table: BTreeSet<ErrorCode> = table.filter(|code| code.http_status().is_some()).collect();
    assert_eq!(seen.0, table);
}
