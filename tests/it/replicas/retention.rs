//! What is past its time is removed once, by whichever server comes first, and is gone at all of them.

use std::sync::{Arc, Mutex};

use atg_db::{StoreCall, StoreError, StoreObserver};
use atg_tests::{Setup, ShiftedClock, until};
use time::Duration;

use super::first;

/// Calls that failed.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Vec<String>>>);

impl StoreObserver for Failures {
    fn ended(&self, call: StoreCall, _: Duration, error: Option<&StoreError>) {
        if let Some(error) = error {
            self.0.lock().unwrap().push(format!("{call:?}: {error:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_and_jobs_go_once_at_all_servers() {
    let (clock, failures) = (ShiftedClock::default(), Failures::default());
    let setup = Setup::new(7, 50)
        .clock(clock.clone())
        .observer(failures.clone())
        .setting("ATG_ARTIFACT_TTL", "12h")
        .setting("ATG_JOB_TTL", "3d");
    let Some(one) = first(setup).await else { return };
    let beside = Setup::beside(&one).clock(clock.clone()).observer(failures.clone());
    let other = Box::pin(beside.start()).await;
    one.scan().await;
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(one.generate().await);
    }
    let at_both = async |path: &str, expected: u16| {
        for world in [&one, &other] {
            assert_eq!(world.get(path).await.status(), expected, "{path}");
        }
    };
    for job in &jobs {
        assert!(one.zip(*job).exists());
        at_both(&format!("/api/v1/operations/{job}/download"), 200).await;
    }
    clock.advance(Duration::hours(12) + Duration::minutes(2));
    for job in &jobs {
        at_both(&format!("/api/v1/operations/{job}/download"), 410).await;
    }
    clock.advance(Duration::minutes(10));
    until("the zips are swept", async || {
        jobs.iter().all(|job| !one.zip(*job).exists()).then_some(())
    })
    .await;
    clock.advance(Duration::days(3));
    for job in &jobs {
        let status = format!("/api/v1/operations/{job}");
        until("the job is gone", async || {
            (one.get(&status).await.status() == 404).then_some(())
        })
        .await;
        at_both(&status, 404).await;
    }
    assert_eq!(other.client.tenants().await.unwrap().len(), 1);
    // Both came to remove the same, and neither stumbled over the other.
    let failures = failures.0.lock().unwrap();
    assert!(failures.is_empty(), "{failures:?}");
}
