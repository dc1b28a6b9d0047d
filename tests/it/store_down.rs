//! A store that does not answer: every route that needs it says so, and the server stays.

use std::time::{Duration, Instant};

use atg_models::api::JobStatus;
use atg_sim::{Fault, FaultKind};
use atg_tests::{Described, Document, Setup, Stoppable, World, until};
use reqwest::Method;
use serde_json::{Value, json};

async fn world(switch: &Stoppable) -> World {
    Setup::new(7, 50).observer(switch.clone()).start().await
}

/// Without the store, and with what it would be asked.
fn without_the_store(operation: &Described) -> u16 {
    match operation.path.as_str() {
        "/health" | "/api/v1/health" | "/livez" | "/metrics" => 200,
        _ => 503,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_needs_it_says_so() {
    let switch = Stoppable::default();
    let world = world(&switch).await;
    world.scan().await;
    let job = world.generate().await;
    let document = Document::of_code();
    switch.stop();
    for operation in document.operations() {
        let path = operation.path.replace("{job_id}", &job.to_string());
        let path = path.replace("{path}", "REPORT.md");
        let path = path.replace("{tenant_id}", &world.tenant.to_string());
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
        let mut request = world.request(method.clone(), &path);
        if method == Method::POST {
            let body = if path.ends_with("ws-tickets") {
                json!({"job_id": job})
            } else {
                json!({"tenant_id": world.tenant})
            };
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(status, without_the_store(&operation), "{method} {path}");
        assert_eq!(
            response.headers().contains_key("retry-after"),
            status == 503,
            "{method} {path}"
        );
        let body = response.bytes().await.unwrap();
        assert_eq!(
            document.problem(&operation.method, &operation.path, status, &body),
            None
        );
        if status == 503 {
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["error"]["code"], "DATABASE_UNAVAILABLE", "{method} {path}");
            assert!(
                body["error"]["message"].as_str().unwrap().contains("database"),
                "{body}"
            );
        }
    }
    switch.start();
    assert_eq!(world.client.operation(job).await.unwrap().status, JobStatus::Completed);
    world.generate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_answers_within_a_second_and_says_what_is() {
    let switch = Stoppable::default();
    let world = world(&switch).await;
    for (word, ready) in [("connected", 200), ("disconnected", 503), ("connected", 200)] {
        if word == "disconnected" {
            switch.stop();
        } else {
            switch.start();
        }
        let started = Instant::now();
        let response = world.anonymous(Method::GET, "/api/v1/health").send().await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["neo4j_status"], word);
        let readyz = world.anonymous(Method::GET, "/readyz").send().await.unwrap();
        assert_eq!(readyz.status(), ready);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_scan_goes_on_when_it_is_back() {
    let switch = Stoppable::default();
    let world = world(&switch).await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(30),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let asked = || world.sim.stats().calls.values().sum::<u64>();
    until("the scan asks", async || (asked() > 5).then_some(())).await;
    switch.stop();
    let status = world.get(&format!("/api/v1/operations/{job}")).await;
    assert_eq!(status.status(), 503);
    switch.start();
    let result = world.result(job).await;
    assert_eq!(result.status, JobStatus::Completed, "{result:?}");
}
