//! `Idempotency-Key` on the POSTs that start a job.

use atg_tests::{DEADLINE, Setup, World};
use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};

async fn post(world: &World, path: &str, key: &str, body: &str) -> Response {
    let request = world.request(Method::POST, path).header("Idempotency-Key", key);
    let request = request.header("Content-Type", "application/json").body(body.to_owned());
    tokio::time::timeout(DEADLINE, request.send()).await.unwrap().unwrap()
}

async fn job_of(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["job_id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_equal_requests_make_one_job() {
    // One worker would take one after the other.
    let setup = Setup::new(7, 150).setting("ATG_SERVER_WORKERS", "4");
    let world = setup.start().await;
    let body = json!({"tenant_id": world.tenant}).to_string();
    let answers = join_all((0..100).map(|_| post(&world, "/api/v1/scan", "k1", &body))).await;
    let mut jobs = Vec::new();
    let mut first = 0;
    for answer in answers {
        assert_eq!(answer.status(), 202);
        match answer.headers().get("idempotent-replayed") {
            Some(value) => assert_eq!(value, "true"),
            None => first += 1,
        }
        jobs.push(job_of(answer).await);
    }
    assert_eq!(first, 1);
    jobs.dedup();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let listed = world.get("/api/v1/operations").await;
    assert_eq!(listed.headers()["x-total-count"], "1");
    world.completion(jobs[0].parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_the_same_is_the_same() {
    let world = World::small().await;
    let plain = format!(r#"{{"tenant_id": "{}"}}"#, world.tenant);
    let spelt_out = format!(
        r#"{{ "max_retries": 3, "tenant_id":"{}", "visualize": null }}"#,
        world.tenant
    );
    let first = job_of(post(&world, "/api/v1/scan", "k", &plain).await).await;
    let again = post(&world, "/api/v1/scan", "k", &spelt_out).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(job_of(again).await, first);

    // Another body, and the same words on another route.
    let other = format!(r#"{{"tenant_id": "{}", "max_retries": 4}}"#, world.tenant);
    for (path, body) in [("/api/v1/scan", &other), ("/api/v1/generate-iac", &plain)] {
        let refused = post(&world, path, "k", body).await;
        assert_eq!(refused.status(), 409, "{path}");
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["error"]["code"], "IDEMPOTENCY_MISMATCH");
    }
    let fresh = post(&world, "/api/v1/scan", "k2", &other).await;
    assert!(!fresh.headers().contains_key("idempotent-replayed"));
    assert_ne!(job_of(fresh).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_waits_gets_the_result() {
    let world = World::small().await;
    let send = || {
        let request = world.request(Method::POST, "/api/v1/scan");
        let request = request.header("Idempotency-Key", "k").header("Prefer", "wait=50");
        request.json(&json!({"tenant_id": world.tenant})).send()
    };
    let first = send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let again = send().await.unwrap();
    assert_eq!(again.status(), 200);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.headers()["preference-applied"], "wait=50");
    let [first, again]: [Value; 2] = [first.json().await.unwrap(), again.json().await.unwrap()];
    assert_eq!(first, again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_is_refused() {
    let world = World::small().await;
    let body = json!({"tenant_id": world.tenant}).to_string();
    let long = "k".repeat(256);
    for key in ["", "a b", long.as_str()] {
        let refused = post(&world, "/api/v1/scan", key, &body).await;
        assert_eq!(refused.status(), 400, "{key:?}");
        let body: Value = refused.json().await.unwrap();
        assert_eq!(
            body["error"]["details"]["fields"][0]["field"], "Idempotency-Key",
            "{body}"
        );
    }
    assert_eq!(
        post(&world, "/api/v1/scan", &"k".repeat(255), &body).await.status(),
        202
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_and_a_replay_cost_no_scan() {
    let world = Setup::new(7, 50)
        .setting("ATG_RATE_LIMIT_SCANS_PER_HOUR", "2")
        .start()
        .await;
    let good = json!({"tenant_id": world.tenant}).to_string();
    let bad = json!({"tenant_id": world.tenant, "colour": "red"}).to_string();
    for key in ["a", "b"] {
        assert_eq!(post(&world, "/api/v1/scan", key, &bad).await.status(), 400);
        assert_eq!(post(&world, "/api/v1/scan", key, &good).await.status(), 202);
        assert_eq!(post(&world, "/api/v1/scan", key, &good).await.status(), 202);
    }
    // Both are used up: a new one is refused, what was made is answered.
    assert_eq!(post(&world, "/api/v1/scan", "c", &good).await.status(), 429);
    let again = post(&world, "/api/v1/scan", "a", &good).await;
    assert_eq!(
        (again.status().as_u16(), &again.headers()["x-ratelimit-remaining"]),
        (202, &"0".parse().unwrap())
    );
}
