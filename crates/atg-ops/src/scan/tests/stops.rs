//! Scans that are stopped, killed, or overtaken, at every page in turn.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atg_db::{GraphStore as _, Inserted, JobStore as _, StoreError};
use atg_jobs::testing::{TestClock, TestIds};
use atg_jobs::{Engine, OperationError, Parts, Registry, Settings};
use atg_models::api::ScanRequest;
use atg_models::job::{JobState, WorkerId};
use atg_models::{Clock as _, JobKind};
use time::macros::datetime;

use super::LATER;
use crate::ScanOperation;
use crate::testing::{SCAN, Script, ScriptedReaders, Store, TENANT, TestContext, World};

/// Pages of the small world.
const PAGES: usize = 9;

fn holding(call: usize) -> Script {
    Script {
        hold: Some(call),
        ..Script::default()
    }
}

async fn whole() -> atg_models::api::ScanResult {
    let script = Script::default();
    let result = Store::new().scan(SCAN, &World::small(), &script).await;
    assert_eq!(script.calls.load(Ordering::SeqCst), PAGES);
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_killed_at_any_page_ends_as_if_undisturbed() {
    let whole = whole().await;
    for call in 0..PAGES {
        let store = Store::new();
        let context = store.context(SCAN);
        let first = holding(call);
        let world = World::small();
        tokio::select! {
            end = store.attempt(&context, &world, &first, ScanRequest::new(TENANT)) => panic!("{end:?}"),
            () = first.held.notified() => {}
        }
        let read_before = pages_in_ledger(&store).await;
        let second = Script::default();
        let again = TestContext { fence: 2, ..context };
        let result = store
            .attempt(&again, &world, &second, ScanRequest::new(TENANT))
            .await
            .unwrap();
        assert_eq!(result, whole, "killed at call {call}");
        let read_after = second.calls.load(Ordering::SeqCst);
        // Pages that were on their way into the store may have arrived after the ledger was looked at.
        assert!(
            read_before + read_after <= PAGES,
            "killed at call {call}: a stored page was read again"
        );
    }
}

async fn pages_in_ledger(store: &Store) -> usize {
    let ledger = store.stores.graph.ledger(SCAN).await.unwrap();
    let pages = ledger.iter().flat_map(|entry| &entry.partitions).map(|part| part.pages);
    usize::try_from(pages.sum::<u64>()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_scan_that_is_run_again_answers_its_record() {
    let store = Store::new();
    let context = store.context(SCAN);
    let script = Script::default();
    let request = || ScanRequest::new(TENANT);
    let first = store
        .attempt(&context, &World::small(), &script, request())
        .await
        .unwrap();
    let again = TestContext { fence: 2, ..context };
    let second = store
        .attempt(&again, &World::small(), &script, request())
        .await
        .unwrap();
    assert_eq!(first, second);
    assert_eq!(script.calls.load(Ordering::SeqCst), PAGES, "Azure was not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_is_seen_at_every_page() {
    for call in 0..PAGES {
        let store = Store::new();
        let context = store.context(SCAN);
        let script = holding(call);
        let token = context.token.clone();
        let cancel = async {
            script.held.notified().await;
            token.cancel();
            std::future::pending::<()>().await;
        };
        let world = World::small();
        let scan = store.attempt(&context, &world, &script, ScanRequest::new(TENANT));
        let end = tokio::select! {
            end = tokio::time::timeout(Duration::from_secs(5), scan) => end.expect("it stops"),
            () = cancel => unreachable!("it waits for ever"),
        };
        assert!(matches!(end, Err(OperationError::Stopped)), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_overtaken_cannot_write() {
    let store = Store::new();
    let slow = store.context(SCAN);
    let world = World::small();
    let script = holding(3);
    let mut first = Box::pin(store.attempt(&slow, &world, &script, ScanRequest::new(TENANT)));
    tokio::select! {
        end = &mut first => panic!("{end:?}"),
        () = script.held.notified() => {}
    }
    drop(first);
    let fast = TestContext {
        fence: 2,
        ..slow.clone()
    };
    let held = holding(1);
    let mut second = Box::pin(store.attempt(&fast, &world, &held, ScanRequest::new(TENANT)));
    tokio::select! {
        end = &mut second => panic!("{end:?}"),
        () = held.held.notified() => {}
    }
    // The slow one wakes up while the other holds the scan.
    let late = store
        .attempt(&slow, &world, &Script::default(), ScanRequest::new(TENANT))
        .await;
    assert!(
        matches!(late, Err(OperationError::Store(StoreError::Fenced { .. }))),
        "{late:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_runs_through_the_engine_and_survives_a_shutdown() {
    let store = Store::new();
    let clock = TestClock::at(datetime!(2026-01-01 12:00 UTC));
    let engine = |script: &Script, worker: &str| {
        let readers = Arc::new(ScriptedReaders(World::small(), script.clone()));
        let engine = Engine::new(
            Parts {
                jobs: Arc::<atg_db::sqlite::SqliteJobs>::clone(&store.stores.jobs),
                artifacts: Arc::<atg_db::ObjectArtifacts>::clone(&store.stores.artifacts),
                clock: Arc::new(clock.clone()),
                registry: Registry::default().with(ScanOperation::new(
                    store.graph(),
                    readers,
                    Arc::new(TestIds::default()),
                )),
            },
            Settings {
                worker: WorkerId(worker.to_owned()),
                max_concurrent_ops: 3,
                sole_owner: true,
                artifact_ttl: time::Duration::days(7),
                job_ttl: time::Duration::days(30),
            },
        );
        engine.start();
        engine
    };
    let script = holding(5);
    let first = engine(&script, "one");
    let params = serde_json::to_value(ScanRequest::new(TENANT)).unwrap();
    let job = first
        .new_job(
            JobKind::Scan,
            TENANT.to_string(),
            "key".to_owned(),
            params,
            &TestIds::default(),
        )
        .unwrap();
    let id = job.id;
    assert!(matches!(first.submit(job, None).await, Ok(Inserted::New(_))));
    script.held.notified().await;
    assert_eq!(first.shutdown(clock.now() + time::Duration::MINUTE).await.dropped, 0);
    assert_eq!(
        store.stores.jobs.get(id).await.unwrap().unwrap().machine.state,
        JobState::Queued
    );
    let second = engine(&Script::default(), "two");
    let deadline = clock.now() + time::Duration::HOUR;
    let waiting = second.wait_terminal(id, deadline);
    let record = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.machine.state, JobState::Succeeded, "{record:?}");
    let result: atg_models::api::ScanResult = serde_json::from_value(record.result.unwrap()).unwrap();
    assert_eq!(result, whole().await);
    assert_eq!(record.progress.unwrap().percent.to_bits(), 100.0_f64.to_bits());
    assert_ne!(id, LATER);
}
