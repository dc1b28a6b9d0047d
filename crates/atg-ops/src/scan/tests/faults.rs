//! Pages that cannot be read: each ends as a gap, and nothing is removed on its account.

use atg_db::GraphStore as _;
use atg_jobs::OperationError;
use atg_models::ErrorCode;
use atg_models::api::ScanRequest;
use atg_models::graph::Verdict;

use super::LATER;
use crate::testing::{CONTAINERS, Fault, ONE, ONE_A, ONE_B, SCAN, Script, Store, TENANT, TWO, TWO_A, World, account};

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_cursor_is_read_again_from_the_start() {
    let whole = Store::new().scan(SCAN, &World::small(), &Script::default()).await;
    let script = Script::default().with(ONE_B, 2, &[Fault::CursorExpired, Fault::CursorExpired]);
    let result = Store::new().scan(SCAN, &World::small(), &script).await;
    assert_eq!(result, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_has_its_state_and_its_reason() {
    let often = [Fault::CursorExpired; 9];
    let cases = [
        (
            Script::default().with(ONE_A, 1, &[Fault::Failed]),
            "failed",
            "503 too often",
        ),
        (
            Script::default().with(ONE_A, 0, &[Fault::Forbidden]),
            "forbidden",
            "missing permission: Reader",
        ),
        (
            Script::default().with(ONE_A, 1, &often),
            "failed",
            "its cursor expired 3 times",
        ),
        (
            Script {
                miscounted: true,
                ..Script::default()
            },
            "failed",
            "5 rows were read, and a second source counts 6",
        ),
    ];
    for (script, state, reason) in cases {
        let result = Store::new().scan(SCAN, &World::small(), &script).await;
        assert_eq!(result.verdict, Verdict::Partial);
        let [gap] = result.gaps.as_slice() else {
            panic!("{:?}", result.gaps)
        };
        assert_eq!((gap.state.as_str(), gap.reason.as_str()), (state, reason));
        assert_eq!(gap.collection.scope(), ONE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_where_something_was_not_read() {
    for fault in [Fault::Failed, Fault::Forbidden] {
        let store = Store::new();
        store.scan(SCAN, &World::small(), &Script::default()).await;
        let mut world = World::small();
        world.0.insert(ONE_A, vec![vec![account(ONE, "a1")]]);
        world.0.insert(TWO_A, vec![vec![account(TWO, "c2")]]);
        let script = Script::default().with(ONE_B, 1, &[fault]);
        let result = store.scan(LATER, &world, &script).await;
        assert_eq!(result.verdict, Verdict::Partial);
        let counts = store.stores.graph.counts(TENANT).await.unwrap();
        assert_eq!(
            counts.contained_resources, 6,
            "only what the whole collection proves gone is gone"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_tenants_are_counted_once() {
    let store = Store::new();
    let context = store.context(SCAN);
    let script = Script {
        hold: Some(4),
        ..Script::default()
    };
    let script = script.with(CONTAINERS, 0, &[Fault::OtherTenant(3)]);
    let held = std::sync::Arc::clone(&script.held);
    let world = World::small();
    tokio::select! {
        end = store.attempt(&context, &world, &script, ScanRequest::new(TENANT)) => panic!("{end:?}"),
        () = held.notified() => {}
    }
    let again = crate::testing::TestContext { fence: 2, ..context };
    let script = Script::default().with(TWO_A, 0, &[Fault::OtherTenant(2)]);
    let result = store
        .attempt(&again, &World::small(), &script, ScanRequest::new(TENANT))
        .await
        .unwrap();
    // The held call may have been this partition's own: then its page is read in the second attempt only.
    let [other] = result.not_planned.as_slice() else {
        panic!("{:?}", result.not_planned)
    };
    assert_eq!(other.what, "other_tenant");
    assert!(matches!(other.count, Some(3 | 5)), "{other:?}");
    assert_eq!(result.verdict, Verdict::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_without_end_is_tried_again_from_the_ledger() {
    let store = Store::new();
    let context = store.context(SCAN);
    let script = Script::default().with(TWO_A, 0, &[Fault::Fatal]);
    let request = || ScanRequest::new(TENANT);
    let end = store.attempt(&context, &World::small(), &script, request()).await;
    assert!(
        matches!(&end, Err(OperationError::Retryable(error)) if error.code == ErrorCode::AzureThrottled),
        "{end:?}"
    );
    let again = crate::testing::TestContext { fence: 2, ..context };
    let result = store
        .attempt(&again, &World::small(), &script, request())
        .await
        .unwrap();
    let whole = Store::new().scan(SCAN, &World::small(), &Script::default()).await;
    assert_eq!(result, whole);
}
