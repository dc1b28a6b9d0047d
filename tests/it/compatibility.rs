//! What remote clients of the earlier system send and read: routes, statuses and field names, literally.
//!
//! Everything here is written out as such a client has it, without this project's own models.

use atg_tests::{KEY, Setup, World, open_socket, read_to_close, until};
use reqwest::Method;
use serde_json::{Value, json};

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A server that is polled more often than a person would.
async fn world() -> World {
    let setup = Setup::new(7, 150).setting("ATG_RATE_LIMIT_PER_MINUTE", "1000000");
    setup.start().await
}

/// Polls as those clients do, until the job has ended.
async fn polled(world: &World, path: &str) -> Value {
    until("the job has ended", async || {
        let answer = world.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let status: Value = answer.json().await.unwrap();
        match status["status"].as_str().unwrap() {
            "queued" | "running" => None,
            "completed" => Some(status),
            other => panic!("{other}: {status}"),
        }
    })
    .await
}

/// Submits, and checks what a client reads of the answer.
async fn submitted(world: &World, path: &str, prefix: &str, body: &Value) -> String {
    let answer = world.post(path, body).await;
    assert_eq!(answer.status(), 202);
    let taken: Value = answer.json().await.unwrap();
    assert_eq!(names(&taken), ["created_at", "job_id", "status", "websocket_url"]);
    assert_eq!(taken["status"], "queued");
    let job = taken["job_id"].as_str().unwrap();
    assert!(job.starts_with(prefix), "{job}");
    let socket = taken["websocket_url"].as_str().unwrap();
    assert_eq!(
        socket,
        format!("{}/ws/progress/{job}", world.url().replacen("http", "ws", 1))
    );
    job.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_there_at_both_places() {
    let world = world().await;
    for path in ["/health", "/api/v1/health"] {
        let answer = world.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let health: Value = answer.json().await.unwrap();
        assert_eq!(health["status"], "healthy");
        assert_eq!(health["neo4j_status"], "connected");
        assert_eq!(health["environment"], "dev");
        assert!(health["version"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_submitted_polled_and_read() {
    let world = world().await;
    let body = json!({
        "tenant_id": world.tenant, "resource_limit": null, "max_llm_threads": 5, "max_build_threads": 20,
        "generate_spec": false, "visualize": false, "rebuild_edges": false, "no_aad_import": false,
        "filter_by_subscriptions": null, "filter_by_rgs": null,
    });
    let job = submitted(&world, "/api/v1/scan", "scan-", &body).await;
    let status = polled(&world, &format!("/api/v1/scan/{job}")).await;
    for name in ["job_id", "status", "progress", "created_at", "updated_at", "error"] {
        assert!(status.get(name).is_some(), "{name} in {status}");
    }
    let result = world.get(&format!("/api/v1/operations/{job}/result")).await;
    let result: Value = result.json().await.unwrap();
    assert_eq!(
        (&result["job_id"], &result["status"]),
        (&json!(job), &json!("completed"))
    );
    assert!(result["result"]["resources_discovered"].as_u64().unwrap() > 0);
    assert_eq!(world.get(&format!("/api/v1/generate-iac/{job}")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_asked_for_by_output_format_and_downloaded() {
    let world = world().await;
    world.scan().await;
    let body = json!({"tenant_id": world.tenant, "output_format": "terraform"});
    let job = submitted(&world, "/api/v1/generate-iac", "iac-", &body).await;
    polled(&world, &format!("/api/v1/generate-iac/{job}")).await;
    let zip = world.get(&format!("/api/v1/operations/{job}/download")).await;
    assert_eq!(zip.status(), 200);
    assert_eq!(zip.headers()["content-type"], "application/zip");
    assert!(
        zip.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert!(zip.bytes().await.unwrap().starts_with(b"PK"));
    // The other name means the same and is judged by the same rule.
    let refused = world
        .post("/api/v1/generate-iac", &json!({"output_format": "cobol"}))
        .await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specification_is_submitted_and_polled() {
    let world = world().await;
    world.scan().await;
    let body = json!({"domain_name": "example.com", "limit": 10, "hierarchical": true});
    let job = submitted(&world, "/api/v1/generate-spec", "spec-", &body).await;
    polled(&world, &format!("/api/v1/generate-spec/{job}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_takes_the_key_from_the_header_and_from_the_query() {
    let world = world().await;
    let (job, _) = world.scan().await;
    let path = format!("/ws/progress/{job}");
    let with_query = format!("{path}?api_key={KEY}");
    for (path, key) in [(path.as_str(), Some(KEY)), (with_query.as_str(), None)] {
        let mut socket = open_socket(world.url(), path, key).await.unwrap();
        let (frames, code) = read_to_close(&mut socket).await;
        assert_eq!(code, 1000);
        let last = frames.last().unwrap();
        assert_eq!(names(last), ["job_id", "result", "status", "timestamp", "type"]);
        assert_eq!(
            (&last["type"], &last["status"]),
            (&json!("completion"), &json!("completed"))
        );
    }
    let (status, body) = open_socket(world.url(), &path, None).await.unwrap_err();
    assert_eq!((status, &body["error"]["code"]), (401, &json!("AUTHENTICATION_FAILED")));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_filtered_and_cancelled() {
    let world = world().await;
    let (scan, _) = world.scan().await;
    let list = world
        .get("/api/v1/operations?status_filter=completed&operation_type=scan&limit=10&offset=0")
        .await;
    assert_eq!(
        (list.status().as_u16(), &list.headers()["x-total-count"]),
        (200, &"1".parse().unwrap())
    );
    let list: Value = list.json().await.unwrap();
    assert_eq!(list[0]["job_id"], scan.to_string());
    assert_eq!(list[0]["operation_type"], "scan");
    let path = format!("/api/v1/operations/{scan}");
    let again = world.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(again.status(), 409);
    let body: Value = again.json().await.unwrap();
    assert_eq!(names(&body), ["error"]);
    assert_eq!(body["error"]["code"], "JOB_FINISHED");
    assert!(body["error"]["message"].is_string());
}
