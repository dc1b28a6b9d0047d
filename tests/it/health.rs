//! `GET /api/v1/health`, `GET /health`.

use atg_tests::World;
use reqwest::Method;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_key_and_ignores_the_query() {
    let world = World::small().await;
    for path in [
        "/api/v1/health",
        "/health",
        "/api/v1/health?after=x&limit=-1",
        "/api/v1/health/",
    ] {
        let response = world.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], "healthy");
        assert_eq!(body["neo4j_status"], "connected");
        assert_eq!(body["graph_store"], world.store_name());
        assert_eq!(body["environment"], "dev");
        assert!(body["version"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_as_get_without_a_body() {
    let world = World::small().await;
    let get = world.anonymous(Method::GET, "/health").send().await.unwrap();
    let head = world.anonymous(Method::HEAD, "/health").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], get.headers()["content-type"]);
    assert_eq!(head.headers()["content-length"], get.headers()["content-length"]);
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_echoed_or_made() {
    let world = World::small().await;
    let asked = |id: &str| {
        world
            .anonymous(Method::GET, "/health")
            .header("X-Request-ID", id)
            .send()
    };
    let echoed = asked("abc-123").await.unwrap();
    assert_eq!(echoed.headers()["x-request-id"], "abc-123");
    let long = "x".repeat(129);
    let made = asked(&long).await.unwrap();
    let id = made.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
}
