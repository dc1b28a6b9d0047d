//! `POST /api/v1/scan`, `GET /api/v1/scan/{job_id}`.

use atg_models::graph::Verdict;
use atg_tests::{Setup, World};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_scanned() {
    let world = World::small().await;
    let response = world.post("/api/v1/scan", &json!({"tenant_id": world.tenant})).await;
    assert_eq!(response.status(), 202);
    assert!(
        response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u32>()
            .is_ok()
    );
    let location = response.headers()["operation-location"].to_str().unwrap().to_owned();
    let taken: Value = response.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap();
    assert!(job.starts_with("scan-"));
    assert_eq!(taken["status"], "queued");
    assert_eq!(location, format!("/api/v1/operations/{job}"));
    let socket = format!("{}/ws/progress/{job}", world.url().replacen("http", "ws", 1));
    assert_eq!(taken["websocket_url"], socket);

    world.completion(job.parse().unwrap()).await;
    let status: Value = world.get(&format!("/api/v1/scan/{job}")).await.json().await.unwrap();
    assert_eq!(status["status"], "completed");
    assert_eq!(status["operation_type"], "scan");
    assert_eq!(status["tenant_id"], world.tenant.to_string());
    assert_eq!(status["progress"]["percent_complete"], 100.0);
    assert_eq!(status["attempt"], 1);
    let result: Value = world
        .get(&format!("/api/v1/operations/{job}/result"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(result["result"]["verdict"], "complete", "{result}");
    assert!(result["result"]["resources_discovered"].as_u64().unwrap() >= 150);
    assert_eq!(result["files"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_not_a_generation() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    assert_eq!(world.get(&format!("/api/v1/generate-iac/{job}")).await.status(), 404);
    for id in ["nonsense", "scan-01890a5d-ac96-774b-bcce-b302099a8057"] {
        assert_eq!(world.get(&format!("/api/v1/scan/{id}")).await.status(), 404, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_than_the_target_is_refused() {
    let world = Setup::new(7, 50)
        .setting(
            "ATG_TARGET_TENANT_ID",
            "dev-tenant-11111111-2222-3333-4444-555555555555",
        )
        .start()
        .await;
    let response = world.post("/api/v1/scan", &json!({"tenant_id": world.tenant})).await;
    assert_eq!(response.status(), 403);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_makes_a_partial_scan() {
    let world = World::small().await;
    let body = json!({"tenant_id": world.tenant, "resource_limit": 10});
    let taken: Value = world.post("/api/v1/scan", &body).await.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap().parse().unwrap();
    let result = world.result(job).await;
    let result: atg_models::api::ScanResult = serde_json::from_value(result.result.unwrap()).unwrap();
    assert_eq!(result.verdict, Verdict::Partial);
    assert!(!result.gaps.is_empty());
    assert!(result.resources_discovered < 150, "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_there_fails_the_job_and_stores_nothing() {
    let world = World::small().await;
    let body = json!({"tenant_id": "99999999-9999-9999-9999-999999999999"});
    let taken: Value = world.post("/api/v1/scan", &body).await.json().await.unwrap();
    let result = world.result(taken["job_id"].as_str().unwrap().parse().unwrap()).await;
    let error = result.error.unwrap();
    assert!(
        ["AZURE_AUTHENTICATION_FAILED", "TENANT_NOT_FOUND"].contains(&error.code.as_str()),
        "{error:?}"
    );
    assert!(world.client.tenants().await.unwrap().is_empty());
}
