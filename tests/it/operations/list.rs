//! `GET /api/v1/operations`.

use atg_tests::World;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_come_newest_first_in_pages() {
    let world = World::small().await;
    let mut made = Vec::new();
    made.push(world.scan().await.0.to_string());
    for _ in 0..3 {
        made.push(world.generate().await.to_string());
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/operations?limit=3".to_owned();
    loop {
        let response = world.get(&path).await;
        assert_eq!(response.headers()["x-total-count"], "4");
        let link = response
            .headers()
            .get("link")
            .map(|link| link.to_str().unwrap().to_owned());
        let page: Vec<Value> = response.json().await.unwrap();
        seen.extend(page.iter().map(|job| job["job_id"].as_str().unwrap().to_owned()));
        let Some(link) = link else { break };
        assert!(link.ends_with("rel=\"next\""), "{link}");
        path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
    assert_eq!(seen, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_the_list() {
    let world = World::small().await;
    world.scan().await;
    world.generate().await;
    for (query, count) in [
        ("operation_type=scan", 1),
        ("operation_type=generate-iac&status_filter=completed", 1),
        ("status_filter=completed", 2),
        ("status_filter=failed", 0),
        ("offset=1", 1),
        ("limit=1", 1),
        ("unknown=ignored", 2),
    ] {
        let jobs: Vec<Value> = world
            .get(&format!("/api/v1/operations?{query}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(jobs.len(), count, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_outside_their_bounds_are_refused() {
    let world = World::small().await;
    for (query, fields) in [
        ("limit=0", 1),
        ("limit=201", 1),
        ("limit=x", 1),
        ("offset=-1", 1),
        ("offset=10001", 1),
        ("status_filter=done", 1),
        ("operation_type=scans&limit=0&offset=x", 3),
    ] {
        let response = world.get(&format!("/api/v1/operations?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "INVALID_REQUEST");
        assert_eq!(
            body["error"]["details"]["fields"].as_array().unwrap().len(),
            fields,
            "{query}"
        );
    }
}
