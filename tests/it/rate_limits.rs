//! Limits per key, on a clock that the tests move.

use atg_jobs::testing::TestClock;
use atg_models::Clock as _;
use atg_tests::{Setup, World, until};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

async fn refused(response: Response, what: &str) -> (i64, String) {
    assert_eq!(response.status(), 429, "{what}");
    let wait = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "RATE_LIMITED");
    let message = body["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("rate limit"), "{message}");
    (wait, message)
}

fn header(response: &Response, name: &str) -> i64 {
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

async fn scan(world: &World) -> Response {
    world.post("/api/v1/scan", &json!({"tenant_id": world.tenant})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_passes() {
    const PER_MINUTE: u32 = 40;
    let clock = TestClock::at(datetime!(2026-01-01 00:00 UTC));
    let world = Setup::new(7, 50)
        .clock(clock.clone())
        .setting("ATG_RATE_LIMIT_PER_MINUTE", &PER_MINUTE.to_string())
        .setting("ATG_MAX_JOBS_PER_KEY", "1000")
        .setting("ATG_JOB_TTL", "2h")
        .start()
        .await;
    let named = || async {
        let request = world
            .request(Method::POST, "/api/v1/generate-iac")
            .header("Idempotency-Key", "daily");
        request.json(&json!({"tenant_id": "nobody"})).send().await.unwrap()
    };
    let first: Value = named().await.json().await.unwrap();
    let job = first["job_id"].as_str().unwrap().to_owned();
    clock.advance(Duration::minutes(1));
    for hour in 0..24 {
        let begun = clock.now();
        // Ten scans an hour, not one more.
        for number in 0..10 {
            let taken = scan(&world).await;
            assert_eq!(taken.status(), 202, "hour {hour}, scan {number}");
            assert_eq!(header(&taken, "x-ratelimit-limit"), 10);
            assert_eq!(header(&taken, "x-ratelimit-remaining"), 9 - number);
            assert_eq!(header(&taken, "x-ratelimit-reset"), 3_600);
        }
        assert_eq!(refused(scan(&world).await, "an eleventh scan").await.0, 3_600);
        // Forty requests a minute, not one more.
        clock.advance(Duration::minutes(1));
        for number in 0..PER_MINUTE {
            assert_eq!(
                world.get("/api/v1/tenants").await.status(),
                200,
                "hour {hour}, request {number}"
            );
        }
        for (later, wait) in [(0, 60), (59_000, 1), (999, 1)] {
            clock.advance(Duration::milliseconds(later));
            assert_eq!(refused(world.get("/api/v1/tenants").await, "one more").await.0, wait);
        }
        clock.advance(Duration::MILLISECOND);
        let ticket = world.post("/api/v1/ws-tickets", &json!({"job_id": job})).await;
        assert!([201, 404].contains(&ticket.status().as_u16()), "{}", ticket.status());
        // A millisecond before the hour is over there is still no scan.
        clock.advance(begun + Duration::HOUR - Duration::MILLISECOND - clock.now());
        assert_eq!(refused(scan(&world).await, "too early").await.0, 1);
        clock.advance(Duration::MILLISECOND);
        let held = world.held();
        assert!(held.keys <= 1 && held.streams == 0 && held.tickets <= 1, "{held:?}");
    }
    // The day is over, and so is the first job: its time to live has passed, and its name is free again.
    until("the old job is removed", || async {
        clock.advance(Duration::minutes(1));
        (world.get(&format!("/api/v1/operations/{job}")).await.status() == 404).then_some(())
    })
    .await;
    let again = named().await;
    assert!(!again.headers().contains_key("idempotent-replayed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_is_checked_before_the_body_and_after_the_key() {
    let world = Setup::new(7, 50)
        .setting("ATG_RATE_LIMIT_PER_MINUTE", "2")
        .start()
        .await;
    for _ in 0..2 {
        assert_eq!(world.get("/api/v1/tenants").await.status(), 200);
    }
    // Neither a media type nor JSON.
    let request = world.request(Method::POST, "/api/v1/scan").body("{");
    let (wait, _) = refused(request.send().await.unwrap(), "a third request").await;
    assert!((1..=60).contains(&wait), "{wait}");
    let nobody = world.anonymous(Method::POST, "/api/v1/scan").send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert_eq!(world.get("/api/v1/health").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_beyond_the_limit_are_refused_before_their_body() {
    let world = Setup::new(7, 50)
        .setting("ATG_RATE_LIMIT_SCANS_PER_HOUR", "1")
        .start()
        .await;
    assert_eq!(scan(&world).await.status(), 202);
    let request = world.request(Method::POST, "/api/v1/scan").body("{");
    let refusal = request.send().await.unwrap();
    assert_eq!(header(&refusal, "x-ratelimit-remaining"), 0);
    let (wait, message) = refused(refusal, "a second scan").await;
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    assert!(message.contains("scans an hour"), "{message}");
    // Generating is no scan.
    let other = world
        .post("/api/v1/generate-iac", &json!({"tenant_id": "nobody"}))
        .await;
    assert_eq!(other.status(), 202);
    assert_eq!(header(&other, "x-ratelimit-limit"), 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_gives_no_scan_back() {
    let mut world = Setup::new(7, 50)
        .setting("ATG_RATE_LIMIT_SCANS_PER_HOUR", "1")
        .start()
        .await;
    world.scan().await;
    world.restart().await;
    refused(scan(&world).await, "a scan after the restart").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_so_many_jobs_at_a_time() {
    let world = Setup::new(7, 50)
        .setting("ATG_MAX_JOBS_PER_KEY", "2")
        .setting("ATG_MAX_CONCURRENT_OPS", "1")
        .start()
        .await;
    world.sim.arm(atg_sim::Fault {
        count: u64::MAX,
        value: Some(30_000),
        ..atg_sim::Fault::new(atg_sim::FaultKind::Slow)
    });
    let first: Value = scan(&world).await.json().await.unwrap();
    assert_eq!(scan(&world).await.status(), 202);
    let (_, message) = refused(scan(&world).await, "a third job").await;
    assert!(message.contains("2 jobs of this key"), "{message}");
    world
        .client
        .cancel(first["job_id"].as_str().unwrap().parse().unwrap())
        .await
        .unwrap();
    assert_eq!(scan(&world).await.status(), 202);
}
