//! Budgets, counts, order, planted changes.

use std::sync::Arc;

use serde_json::json;
use time::macros::datetime;

use super::{Bench, ids};
use crate::TestClock;

#[actix_web::test]
async fn the_sixteenth_query_waits_for_the_next_window() {
    let clock = TestClock::new(datetime!(2026-01-01 0:00 UTC));
    let given = clock.clone();
    let bench = Bench::new(1, move |config| config.clock = Arc::new(given));
    for _ in 0..15 {
        assert_eq!(bench.kql("resources | count").await.status, 200);
    }
    let refused = bench.kql("resources | count").await;
    assert_eq!((refused.status, refused.code()), (429, "RateLimiting"));
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(refused.header("x-ms-user-quota-remaining"), "0");
    clock.advance(time::Duration::seconds(5));
    assert_eq!(bench.kql("resources | count").await.status, 200);
    let stats = bench.sim.stats();
    assert_eq!(stats.throttled, 1);
    assert_eq!(stats.calls["arg"], 17);
    assert!((stats.floor_seconds - 5.0).abs() < 1e-9, "{}", stats.floor_seconds);
    assert_eq!(stats.last_call_ms.unwrap() - stats.first_call_ms.unwrap(), 5_000);
}

#[actix_web::test]
async fn batched_calls_are_throttled_one_by_one() {
    let clock = TestClock::new(datetime!(2026-01-01 0:00 UTC));
    let bench = Bench::new(1, move |config| config.clock = Arc::new(clock));
    let members = json!({"method": "GET", "url": format!("/groups/{}/members", super::world::group_id())});
    let requests: Vec<_> = (0..20)
        .map(|at| {
            let mut call = members.clone();
            call["id"] = json!(at.to_string());
            call
        })
        .collect();
    let url = format!("{}/v1.0/$batch", bench.sim.url());
    // 20 × 3 units a batch: 5,000 units last for 83 batches and 6 calls of the next.
    for _ in 0..83 {
        bench
            .ask(bench.http.post(&url).json(&json!({"requests": requests})))
            .await
            .unwrap();
    }
    let answer = bench
        .ask(bench.http.post(&url).json(&json!({"requests": requests})))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    let throttled = answer.body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["status"] == 429)
        .count();
    assert_eq!(throttled, 14);
}

#[actix_web::test]
async fn a_mark_counts_what_comes_after_it() {
    let bench = Bench::new(1, |_| {});
    bench.get("/tenants?api-version=2022-12-01").await;
    let url = format!("{}/_sim/mark", bench.sim.url());
    bench.ask(bench.http.post(url)).await.unwrap();
    assert_eq!(bench.get("/_sim/stats").await.body["calls_after_mark"], 0);
    bench.get("/tenants?api-version=2022-12-01").await;
    let stats = bench.get("/_sim/stats").await.body;
    assert_eq!(
        (stats["calls_after_mark"].as_u64(), stats["calls"]["arm"].as_u64()),
        (Some(1), Some(2))
    );
}

#[actix_web::test]
async fn planted_changes_are_seen_by_the_next_query() {
    let bench = Bench::new(3, |_| {});
    assert_eq!(bench.kql("resources | order by id asc").await.body["totalRecords"], 6);
    let url = format!("{}/_sim/plant-changes", bench.sim.url());
    let planted = bench.ask(bench.http.post(url)).await.unwrap();
    assert_eq!(planted.body["removed"].as_array().unwrap().len(), 1);
    assert_eq!(bench.kql("resources | order by id asc").await.body["totalRecords"], 5);
}

#[actix_web::test]
async fn order_seeds_permute_lists_and_keep_pages_whole() {
    let plain = Bench::new(10, |_| {});
    let other = Bench::new(10, |config| {
        config.order_seed = Some(5);
        config.graph_page_rows = 3;
    });
    let before = ids(plain.get("/v1.0/users").await.values());
    let mut answer = other.get("/v1.0/users").await;
    let mut after = ids(answer.values());
    while let Some(next) = answer.body["@odata.nextLink"].as_str().map(str::to_owned) {
        answer = other.follow(&next).await;
        after.extend(ids(answer.values()));
    }
    assert_ne!(before, after);
    after.sort();
    assert_eq!(before, after);
}

#[actix_web::test]
async fn many_run_one_after_the_other_in_one_process() {
    for seed in 0..50 {
        let bench = Bench::new(1, |config| config.seed = seed);
        assert_eq!(bench.get("/subscriptions?api-version=2022-12-01").await.status, 200);
        bench.sim.stop();
    }
}
