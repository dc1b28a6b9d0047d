//! `POST /api/v1/generate-spec`, `GET /api/v1/generate-spec/{job_id}`.

use atg_models::api::{CompletionStatus, ScanRequest};
use atg_tests::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_specification_is_written_watched_and_downloaded() {
    let world = World::small().await;
    let (_, scanned) = world.scan().await;
    let response = world
        .post(
            "/api/v1/generate-spec",
            &json!({"hierarchical": true, "domain_name": "example.com"}),
        )
        .await;
    assert_eq!(response.status(), 202);
    let taken: Value = response.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap();
    assert!(job.starts_with("spec-"), "{job}");
    let result = world.result(job.parse().unwrap()).await;
    let outcome = result.result.unwrap();
    assert_eq!(outcome["resources"], scanned.resources_discovered, "{outcome}");
    assert_eq!(outcome["described"], outcome["resources"], "{outcome}");
    assert_eq!(outcome["based_on"]["graph_digest"], scanned.graph_digest, "{outcome}");
    assert_eq!(result.files[0].filename, "tenant-spec.md");
    assert_eq!(result.files[0].content_type, "text/markdown; charset=utf-8");
    let files = world.files(job.parse().unwrap()).await;
    let text = &files["tenant-spec.md"];
    assert!(text.contains("- **Domain:** example.com\n"), "{text}");
    assert!(text.contains("\n## Subscription: sub-"), "{text}");
    assert!(!text.contains(&world.tenant.to_string()));
    let status: Value = world
        .get(&format!("/api/v1/generate-spec/{job}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(status["status"], "completed");
    assert_eq!(status["operation_type"], "generate-spec");
    for other in ["scan", "generate-iac"] {
        assert_eq!(world.get(&format!("/api/v1/{other}/{job}")).await.status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_kind_is_no_specification() {
    let world = World::small().await;
    let (scan, _) = world.scan().await;
    assert_eq!(world.get(&format!("/api/v1/generate-spec/{scan}")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_with_its_field() {
    let world = World::small().await;
    for (body, field) in [
        (json!({}), "tenant_id"),
        (json!({"tenant_id": "contoso"}), "tenant_id"),
        (json!({"tenant_id": world.tenant, "limit": 0}), "limit"),
        (json!({"tenant_id": world.tenant, "domain_name": " "}), "domain_name"),
        (json!({"tenant_id": world.tenant, "depth": 3}), "depth"),
    ] {
        let response = world.post("/api/v1/generate-spec", &body).await;
        assert_eq!(response.status(), 400, "{body}");
        let refused: Value = response.json().await.unwrap();
        assert_eq!(refused["error"]["details"]["fields"][0]["field"], field, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_fails_the_job() {
    let world = World::small().await;
    let body = json!({"tenant_id": "99999999-9999-9999-9999-999999999999"});
    let taken: Value = world.post("/api/v1/generate-spec", &body).await.json().await.unwrap();
    let result = world.result(taken["job_id"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!(result.error.unwrap().code.as_str(), "TENANT_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_kept_and_said() {
    let world = World::small().await;
    world.scan().await;
    let job = world.specify(&json!({"limit": 3})).await;
    let files = world.files(job).await;
    let text = &files["tenant-spec.md"];
    assert_eq!(text.matches("\n#### ").count(), 3, "{text}");
    assert!(text.contains("**the limit that was asked for leaves"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_was_asked_to_carries_the_specification() {
    let world = World::small().await;
    let request = ScanRequest {
        generate_spec: true,
        ..ScanRequest::new(world.tenant)
    };
    let job = world.client.scan(&request).await.unwrap().job_id;
    let completion = world.completion(job).await;
    assert_eq!(completion.status, CompletionStatus::Completed, "{completion:?}");
    let by_scan = world.files(job).await;
    let alone = world.specify(&json!({})).await;
    assert_eq!(by_scan, world.files(alone).await);
}
