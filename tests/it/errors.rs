//! What is refused, how, and in which order it is checked.

use atg_models::ErrorCode;
use atg_models::api::OperationsQuery;
use atg_tests::{KEY, World};
use reqwest::{Method, Response};
use serde_json::{Value, json};

async fn error(response: Response, status: u16, code: ErrorCode) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], code.as_str(), "{body}");
    assert!(body["error"]["message"].is_string());
    body
}

fn fields(body: &Value) -> Vec<&str> {
    let fields = body["error"]["details"]["fields"].as_array().unwrap();
    fields.iter().map(|field| field["field"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_not_there_is_404() {
    let world = World::small().await;
    for path in [
        "/nothing",
        "/api/v1/scans",
        "/api/v2/health",
        "/api/v1/operations/a/b/c",
    ] {
        error(world.get(path).await, 404, ErrorCode::NotFound).await;
        let anonymous = world.anonymous(Method::POST, path).send().await.unwrap();
        error(anonymous, 404, ErrorCode::NotFound).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_405_and_says_which_there_are() {
    let world = World::small().await;
    let cases = [
        (Method::PUT, "/api/v1/scan", "POST"),
        (Method::GET, "/api/v1/scan", "POST"),
        (Method::POST, "/api/v1/health", "GET, HEAD"),
        (Method::DELETE, "/api/v1/operations", "GET, HEAD"),
        (Method::PATCH, "/api/v1/operations/x", "GET, HEAD, DELETE"),
        (Method::POST, "/ws/progress/x", "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        // Before authentication: no key is sent.
        let response = world.anonymous(method.clone(), path).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allow, "{method} {path}");
        error(response, 405, ErrorCode::MethodNotAllowed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_401_tell_the_cases_apart() {
    let world = World::small().await;
    let unknown = format!("Bearer atg_dev_{}", "e".repeat(64));
    let cases = [
        (None, "Missing Authorization header"),
        (Some("Basic abc"), "Invalid Authorization format, expected Bearer"),
        (Some(unknown.as_str()), "Invalid API key"),
    ];
    for (header, message) in cases {
        let mut request = world.anonymous(Method::GET, "/api/v1/operations");
        if let Some(header) = header {
            request = request.header("Authorization", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body = error(response, 401, ErrorCode::AuthenticationFailed).await;
        assert_eq!(body["error"]["message"], message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_come_in_order() {
    let world = World::small().await;
    let large = "x".repeat(1024 * 1024 + 1);
    // Nobody: 401, whatever the body.
    for body in ["{", "{\"tenant_id\": 1}", large.as_str()] {
        let response = world
            .anonymous(Method::POST, "/api/v1/scan")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        error(response, 401, ErrorCode::AuthenticationFailed).await;
    }
    // A wrong media type before the size, the size before the rules.
    let plain = world.request(Method::POST, "/api/v1/scan").body(large.clone());
    error(plain.send().await.unwrap(), 415, ErrorCode::UnsupportedMediaType).await;
    let json = world
        .request(Method::POST, "/api/v1/scan")
        .header("Content-Type", "application/json");
    error(json.body(large).send().await.unwrap(), 413, ErrorCode::PayloadTooLarge).await;
    assert!(
        world
            .client
            .operations(OperationsQuery::default())
            .await
            .unwrap()
            .jobs
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_names_the_first_problem() {
    let world = World::small().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"tenant_id\": 5}",
        "{\"tenant_id\": \"x\"} trailing",
    ] {
        let response = world
            .request(Method::POST, "/api/v1/scan")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(body)
            .send()
            .await
            .unwrap();
        let body = error(response, 400, ErrorCode::MalformedJson).await;
        assert_eq!(fields(&body).len(), 1, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violated_rule_and_unknown_field_is_listed() {
    let world = World::small().await;
    let body = json!({
        "tenant_id": "nonsense", "max_retries": 11, "max_concurrency": 0, "max_build_threads": 51,
        "max_llm_threads": 0, "resource_limit": 0, "filter_by_subscriptions": "x", "colour": "red", "Tenant_id": "y",
    });
    let body = error(world.post("/api/v1/scan", &body).await, 400, ErrorCode::InvalidRequest).await;
    let mut listed = fields(&body);
    let first = listed[0].to_owned();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "Tenant_id",
            "colour",
            "filter_by_subscriptions",
            "max_build_threads",
            "max_concurrency",
            "max_llm_threads",
            "max_retries",
            "resource_limit",
            "tenant_id",
        ]
    );
    assert!(body["error"]["message"].as_str().unwrap().starts_with(&first), "{body}");
    let missing = error(
        world.post("/api/v1/scan", &json!({})).await,
        400,
        ErrorCode::InvalidRequest,
    )
    .await;
    assert_eq!(fields(&missing), ["tenant_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_query_is_for_sockets_only() {
    let world = World::small().await;
    let path = format!("/api/v1/operations?api_key={KEY}");
    let response = world.anonymous(Method::GET, &path).send().await.unwrap();
    error(response, 401, ErrorCode::AuthenticationFailed).await;
}
