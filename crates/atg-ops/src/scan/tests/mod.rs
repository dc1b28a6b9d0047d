//! Scans of a small tenant into a real store, by a reader that follows a script.

mod faults;
mod stops;

use atg_db::GraphStore as _;
use atg_jobs::OperationError;
use atg_models::api::ScanRequest;
use atg_models::graph::Verdict;
use atg_models::{ErrorCode, JobId, JobKind};
use uuid::Uuid;

use crate::testing::{ONE_A, SCAN, Script, Store, TENANT, TWO, TWO_A, World, account};

const LATER: JobId = JobId::new(JobKind::Scan, Uuid::from_u128(2));

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_read_whole() {
    let store = Store::new();
    let context = store.context(SCAN);
    let request = ScanRequest {
        visualize: true,
        ..ScanRequest::new(TENANT)
    };
    let result = store
        .attempt(&context, &World::small(), &Script::default(), request)
        .await
        .unwrap();
    assert_eq!((result.verdict, result.resources_discovered), (Verdict::Complete, 7));
    assert!(result.gaps.is_empty());
    assert_eq!(result.graph_digest, store.stores.graph.digest(TENANT).await.unwrap());
    assert!(result.notes[0].starts_with("visualize"), "{:?}", result.notes);
    let progress = context.progress.lock().unwrap();
    assert!(
        progress
            .iter()
            .any(|said| said.current_subscription.as_deref() == Some("Two"))
    );
    assert_eq!(progress.last().unwrap().resources_discovered, Some(7));
    assert!(progress.is_sorted_by(|one, two| one.percent <= two.percent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescan_removes_what_is_gone_and_only_that() {
    let store = Store::new();
    let mut world = World::small();
    store.scan(SCAN, &world, &Script::default()).await;
    world.0.insert(TWO_A, vec![vec![account(TWO, "c2")]]);
    let result = store.scan(LATER, &world, &Script::default()).await;
    assert_eq!((result.verdict, result.resources_discovered), (Verdict::Complete, 6));
    let record = store.stores.graph.scan(LATER).await.unwrap().unwrap();
    assert_eq!(record.end.unwrap().counts.removed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_of_another_tenant_writes_nothing() {
    let store = Store::new();
    let script = Script {
        wrong_tenant: true,
        ..Script::default()
    };
    let end = store
        .attempt(&store.context(SCAN), &World::small(), &script, ScanRequest::new(TENANT))
        .await;
    assert!(
        matches!(&end, Err(OperationError::Fatal(error)) if error.code == ErrorCode::AzureAuthenticationFailed),
        "{end:?}"
    );
    assert!(store.stores.graph.tenants().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_cuts_off_says_so_and_removes_nothing() {
    let store = Store::new();
    let world = World::small();
    store.scan(SCAN, &world, &Script::default()).await;
    let mut less = world.clone();
    less.0.insert(TWO_A, vec![vec![account(TWO, "c2")]]);
    less.0.insert(ONE_A, vec![vec![account(crate::testing::ONE, "a1")]]);
    let request = ScanRequest {
        resource_limit: Some(2),
        ..ScanRequest::new(TENANT)
    };
    let result = store
        .attempt(&store.context(LATER), &less, &Script::default(), request)
        .await
        .unwrap();
    assert_eq!((result.verdict, result.resources_discovered), (Verdict::Partial, 2));
    assert!(!result.gaps.is_empty());
    for gap in &result.gaps {
        assert_eq!((gap.state.as_str(), gap.reason.as_str()), ("skipped", "limit"));
    }
    let counts = store.stores.graph.counts(TENANT).await.unwrap();
    assert_eq!(counts.contained_resources, 7, "nothing was removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_not_reached_changes_nothing() {
    let store = Store::new();
    let request = ScanRequest {
        resource_limit: Some(7),
        ..ScanRequest::new(TENANT)
    };
    let result = store
        .attempt(&store.context(SCAN), &World::small(), &Script::default(), request)
        .await
        .unwrap();
    assert_eq!((result.verdict, result.resources_discovered), (Verdict::Complete, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn edges_are_derived_again_on_request() {
    let store = Store::new();
    let world = World::small();
    let before = store.scan(SCAN, &world, &Script::default()).await;
    let request = ScanRequest {
        rebuild_edges: true,
        ..ScanRequest::new(TENANT)
    };
    let after = store
        .attempt(&store.context(LATER), &world, &Script::default(), request)
        .await
        .unwrap();
    assert_eq!(after.graph_digest, before.graph_digest);
    assert!(before.edges > 0);
}
