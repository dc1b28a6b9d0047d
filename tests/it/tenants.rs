//! `GET /api/v1/tenants`.

use atg_tests::World;
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
