//! `Prefer: wait=N` on the POSTs that start a job.

use std::time::Instant;

use atg_sim::{Fault, FaultKind};
use atg_tests::{Document, Setup, World, until};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

fn scan(world: &World, prefer: &str) -> RequestBuilder {
    let request = world.request(Method::POST, "/api/v1/scan").header("Prefer", prefer);
    request.json(&json!({"tenant_id": world.tenant}))
}

async fn slow_world() -> World {
    let world = Setup::new(7, 50).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(30_000),
        ..Fault::new(FaultKind::Slow)
    });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_what_comes_of_it() {
    let world = World::small().await;
    let answer = scan(&world, "respond-async, wait=50").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["preference-applied"], "wait=50");
    let location = answer.headers()["operation-location"].to_str().unwrap().to_owned();
    let body = answer.bytes().await.unwrap();
    assert_eq!(Document::of_code().problem("post", "/api/v1/scan", 200, &body), None);
    let result: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&result["status"], &result["result"]["verdict"]),
        (&json!("completed"), &json!("complete"))
    );
    let stored: Value = world.get(&format!("{location}/result")).await.json().await.unwrap();
    assert_eq!(stored, result);

    // A job that fails has an outcome too.
    let request = world
        .request(Method::POST, "/api/v1/generate-iac")
        .header("Prefer", "wait=50");
    let answer = request.json(&json!({"tenant_id": "nobody"})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let result: Value = answer.json().await.unwrap();
    assert_eq!(result["error"]["code"], "TENANT_NOT_FOUND", "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_time_is_up_the_job_goes_on() {
    let world = slow_world().await;
    let started = Instant::now();
    let answer = scan(&world, "wait=1").send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert!(!answer.headers().contains_key("preference-applied"));
    assert!(
        (1.0..20.0).contains(&started.elapsed().as_secs_f64()),
        "{:?}",
        started.elapsed()
    );
    let taken: Value = answer.json().await.unwrap();
    world
        .client
        .cancel(taken["job_id"].as_str().unwrap().parse().unwrap())
        .await
        .unwrap();

    // What is no time to wait is ignored.
    for prefer in ["wait=soon", "wait=-1", "wait=", "wait=1.5", "handling=lenient"] {
        let answer = scan(&world, prefer).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{prefer}");
        let taken: Value = answer.json().await.unwrap();
        world
            .client
            .cancel(taken["job_id"].as_str().unwrap().parse().unwrap())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_answers_those_who_wait() {
    let mut world = slow_world().await;
    let waiting = tokio::spawn(scan(&world, "wait=3600").send());
    until("the request waits", || async {
        (world.held().streams == 1).then_some(())
    })
    .await;
    let started = Instant::now();
    let (answer, ()) = tokio::join!(waiting, world.stop_server());
    let answer = answer.unwrap().unwrap();
    assert_eq!(answer.status(), 202);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let taken: Value = answer.json().await.unwrap();
    world.sim.clear_faults();
    world.restart().await;
    let completion = world
        .completion(taken["job_id"].as_str().unwrap().parse().unwrap())
        .await;
    assert_eq!(completion.status, atg_models::api::CompletionStatus::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_is_not_waited_for() {
    let world = slow_world().await;
    let waiting = tokio::spawn(scan(&world, "wait=3600").send());
    until("the request waits", || async {
        (world.held().streams == 1).then_some(())
    })
    .await;
    waiting.abort();
    until("the request is gone", || async {
        (world.held().streams == 0).then_some(())
    })
    .await;
}
