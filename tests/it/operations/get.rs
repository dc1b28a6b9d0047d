//! `GET /api/v1/operations/{job_id}`.

use atg_tests::World;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_any_kind_is_shown() {
    let world = World::small().await;
    let (scan, _) = world.scan().await;
    let iac = world.generate().await;
    for (job, kind) in [(scan, "scan"), (iac, "generate-iac")] {
        let status: Value = world
            .get(&format!("/api/v1/operations/{job}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(status["job_id"], job.to_string());
        assert_eq!(status["operation_type"], kind);
        assert_eq!(status["cancel_requested"], false);
        assert_eq!(status["error"], Value::Null);
        let time = |name: &str| status[name].as_str().unwrap().to_owned();
        assert!(time("created_at") <= time("started_at"));
        assert!(time("started_at") <= time("completed_at"));
        assert_eq!(time("created_at").len(), "2026-01-01T00:00:00.000Z".len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_job_is_not_found() {
    let world = World::small().await;
    for id in ["x", "scan-", "scan-01890a5d-ac96-774b-bcce-b302099a8057", "%2e%2e"] {
        let response = world.get(&format!("/api/v1/operations/{id}")).await;
        assert_eq!(response.status(), 404, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_outlives_its_server() {
    let mut world = World::small().await;
    let (job, _) = world.scan().await;
    let before = world.client.operation(job).await.unwrap();
    world.restart().await;
    assert_eq!(world.client.operation(job).await.unwrap(), before);
}
