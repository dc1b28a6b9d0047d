//! `GET /api/v1/tenants`, `DELETE /api/v1/tenants/{tenant_id}`.

use atg_models::JobId;
use atg_models::api::{JobStatus, RemoveTenantResult};
use atg_tests::World;
use reqwest::{Method, Response};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_tenant_is_listed() {
    let world = World::small().await;
    let before: Value = world.get("/api/v1/tenants").await.json().await.unwrap();
    assert_eq!(before, json!([]));
    let (job, scanned) = world.scan().await;
    let listed: Value = world.get("/api/v1/tenants").await.json().await.unwrap();
    let tenant = &listed.as_array().unwrap()[0];
    assert_eq!(tenant["tenant_id"], world.tenant.to_string());
    assert_eq!(tenant["last_scan"], job.to_string());
    assert_eq!(tenant["verdict"], "complete");
    assert_eq!(tenant["nodes"], scanned.nodes);
    assert_eq!(tenant["edges"], scanned.edges);
    assert!(tenant["scanned_at"].as_str().unwrap().ends_with('Z'));
}

async fn remove(world: &World, tenant: &str) -> Response {
    let path = format!("/api/v1/tenants/{tenant}");
    world.request(Method::DELETE, &path).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_tenant_is_gone_and_can_be_scanned_again() {
    let world = World::small().await;
    let (scan, scanned) = world.scan().await;
    let code = world.generate().await;
    let response = remove(&world, &world.tenant.to_string()).await;
    assert_eq!(response.status(), 202);
    let location = response.headers()["operation-location"].to_str().unwrap().to_owned();
    let taken: Value = response.json().await.unwrap();
    let job: JobId = taken["job_id"].as_str().unwrap().parse().unwrap();
    assert!(job.to_string().starts_with("remove-"), "{job}");
    assert_eq!(location, format!("/api/v1/operations/{job}"));
    let result = world.result(job).await;
    assert_eq!(result.status, JobStatus::Completed, "{result:?}");
    let removed: RemoveTenantResult = serde_json::from_value(result.result.unwrap()).unwrap();
    assert_eq!(removed.nodes_removed, scanned.nodes);

    assert!(world.client.tenants().await.unwrap().is_empty());
    let download = world.get(&format!("/api/v1/operations/{code}/download")).await;
    assert_eq!(download.status(), 410);
    let status: Value = world
        .get(&format!("/api/v1/operations/{job}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(status["operation_type"], "remove-tenant");
    assert_eq!(world.client.operation(scan).await.unwrap().status, JobStatus::Completed);
    assert_eq!(remove(&world, &world.tenant.to_string()).await.status(), 404);

    let (_, again) = world.scan().await;
    assert_eq!(again.graph_digest, scanned.graph_digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_waits_for_the_jobs_of_its_tenant() {
    let world = World::small().await;
    world.scan().await;
    let scan = world.start_scan().await;
    let taken: Value = remove(&world, &world.tenant.to_string()).await.json().await.unwrap();
    let result = world.result(taken["job_id"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!(result.status, JobStatus::Completed);
    let scanned = world.client.operation(scan).await.unwrap();
    assert_eq!(scanned.status, JobStatus::Completed, "{scanned:?}");
    assert!(world.client.tenants().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_stored_cannot_be_removed() {
    let world = World::small().await;
    for tenant in [
        &world.tenant.to_string(),
        "nonsense",
        "99999999-9999-9999-9999-999999999999",
    ] {
        let response = remove(&world, tenant).await;
        assert_eq!(response.status(), 404, "{tenant}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_served_looks_like_none() {
    let mut world = World::small().await;
    world.scan().await;
    world.set("ATG_TARGET_TENANT_ID", "11111111-2222-3333-4444-555555555555");
    world.restart().await;
    assert_eq!(remove(&world, &world.tenant.to_string()).await.status(), 404);
}
