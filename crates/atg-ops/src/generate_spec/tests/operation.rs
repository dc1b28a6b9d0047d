//! The operation on a scanned tenant.

use atg_jobs::testing::TestIds;
use atg_jobs::{Finished, Operation as _, OperationError};
use atg_models::api::{GenerateSpecRequest, GenerateSpecResult, ScanRequest};
use atg_models::graph::Verdict;
use atg_models::{ErrorCode, JobId, JobKind};
use uuid::Uuid;

use super::form;
use crate::generate_spec::GenerateSpecOperation;
use crate::testing::{Fault, ONE_B, SCAN, Script, Store, TENANT, World};

const SPEC: JobId = JobId::new(JobKind::GenerateSpec, Uuid::from_u128(7));

async fn generate(store: &Store, request: GenerateSpecRequest) -> Result<Finished<GenerateSpecResult>, OperationError> {
    let operation = GenerateSpecOperation::new(store.graph(), std::sync::Arc::new(TestIds::default()));
    operation.run(&store.context(SPEC), request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_graph_and_secret_give_the_same_bytes() {
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let store = Store::new();
        store.scan(SCAN, &World::small(), &Script::default()).await;
        let first = generate(&store, form(true)).await.unwrap().artifact.unwrap();
        let again = generate(&store, form(true)).await.unwrap();
        assert_eq!(first.sha256, again.artifact.unwrap().sha256);
        assert_eq!((again.outcome.resources, again.outcome.described), (7, 7));
        assert_eq!((again.outcome.subscriptions, again.outcome.resource_groups), (2, 2));
        assert_eq!(first.files.len(), 1);
        assert_eq!(first.files[0].path, "tenant-spec.md");
        assert_eq!(first.files[0].content_type, "text/markdown; charset=utf-8");
        hashes.push(first.sha256);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_tenant_is_made_once() {
    use atg_db::GraphStore as _;

    let store = Store::new();
    store.scan(SCAN, &World::small(), &Script::default()).await;
    let key = || store.stores.graph.cache_get(TENANT, "specification.key");
    assert_eq!(key().await.unwrap(), None);
    let first = generate(&store, form(false)).await.unwrap().artifact.unwrap();
    let made = key().await.unwrap();
    assert!(made.is_some());
    store
        .stores
        .graph
        .cache_put(TENANT, "specification.key", vec![9; 32])
        .await
        .unwrap();
    let other = generate(&store, form(false)).await.unwrap().artifact.unwrap();
    assert_ne!(first.sha256, other.sha256, "the secret decides the placeholders");
    assert_ne!(key().await.unwrap(), made, "a secret that is there is not replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_and_a_partial_scan_show_in_the_result() {
    let store = Store::new();
    let script = Script::default().with(ONE_B, 0, &[Fault::Failed]);
    store.scan(SCAN, &World::small(), &script).await;
    let request = GenerateSpecRequest {
        limit: Some(2),
        ..form(false)
    };
    let outcome = generate(&store, request).await.unwrap().outcome;
    assert_eq!(outcome.based_on.based_on.verdict, Verdict::Partial);
    assert_eq!((outcome.resources, outcome.described), (5, 2));
    assert_eq!(outcome.notes.len(), 2, "{:?}", outcome.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_stored_fails_the_job() {
    let store = Store::new();
    let named = GenerateSpecRequest {
        tenant_id: Some(TENANT),
        ..form(false)
    };
    for request in [form(false), named] {
        let end = generate(&store, request).await;
        assert!(matches!(&end, Err(OperationError::Fatal(error)) if error.code == ErrorCode::TenantNotFound));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_writes_it_when_it_is_asked_to() {
    use atg_db::ArtifactStore as _;

    let store = Store::new();
    let readers = std::sync::Arc::new(crate::testing::ScriptedReaders(World::small(), Script::default()));
    let scan = crate::ScanOperation::new(store.graph(), readers, std::sync::Arc::new(TestIds::default()));
    let request = ScanRequest {
        generate_spec: true,
        ..ScanRequest::new(TENANT)
    };
    let context = store.context(SCAN);
    let Finished { outcome, artifact } = scan.run(&context, request).await.unwrap();
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
    let artifact = artifact.unwrap();
    assert_eq!(artifact.files[0].path, "tenant-spec.md");
    assert!(
        store
            .stores
            .artifacts
            .size(artifact.name(SCAN))
            .await
            .unwrap()
            .is_some()
    );
    let progress = context.progress.lock().unwrap();
    assert!(progress.is_sorted_by(|one, two| one.percent <= two.percent));
    assert_eq!(progress.last().unwrap().resources_discovered, Some(7));
}
