//! Claims, leases and ends.

use atg_models::job::{Event, EventBody, JobError, JobState, OnCrash, Refused, TenantUse, WorkerId};
use atg_models::{ErrorCode, Fence, Seq};
use serde_json::json;
use time::Duration;

use super::{id, insert, line, new, running, worker};
use crate::contract::world::at;
use crate::{JobStore, StoreError, Transition};

fn refused<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> Refused {
    match outcome {
        Err(StoreError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

pub async fn the_oldest_due_job_is_claimed<S: JobStore>(store: &S) {
    insert(store, new(2)).await;
    insert(store, new(1)).await;
    assert_eq!(store.claim(&worker(), at(-1)).await.unwrap(), None, "not due yet");
    let first = store.claim(&worker(), at(1)).await.unwrap().unwrap().job;
    assert_eq!(
        (first.id, first.machine.state, first.machine.attempt),
        (id(2), JobState::Running, 1)
    );
    assert_eq!(
        (first.machine.fence, first.machine.owner.clone()),
        (Fence::new(1), Some(worker()))
    );
    assert_eq!(
        (first.machine.lease_until, first.started_at),
        (Some(at(31)), Some(at(1)))
    );
    assert_eq!(store.get(id(2)).await.unwrap(), Some(first));
    assert_eq!(store.claim(&worker(), at(1)).await.unwrap().unwrap().job.id, id(1));
    assert_eq!(store.claim(&worker(), at(1)).await.unwrap(), None);
}

pub async fn a_scan_holds_its_tenant_alone<S: JobStore>(store: &S) {
    for (number, tenant_use) in [
        (1, TenantUse::Shared),
        (2, TenantUse::Exclusive),
        (3, TenantUse::Shared),
    ] {
        let mut job = new(number);
        job.tenant_use = tenant_use;
        insert(store, job).await;
    }
    let reader = store.claim(&worker(), at(1)).await.unwrap().unwrap().job;
    assert_eq!(reader.id, id(1));
    assert_eq!(
        store.claim(&worker(), at(1)).await.unwrap(),
        None,
        "the writer waits, and holds the next reader back"
    );
    let fence = reader.machine.fence;
    store
        .transition(id(1), Event::Succeeded { fence }, Transition::default(), at(2))
        .await
        .unwrap();
    assert_eq!(store.claim(&worker(), at(2)).await.unwrap().unwrap().job.id, id(2));
    assert_eq!(store.claim(&worker(), at(2)).await.unwrap(), None);
}

pub async fn a_held_back_job_says_so_once<S: JobStore>(store: &S) {
    for number in [1, 2] {
        let mut job = new(number);
        job.tenant_use = TenantUse::Exclusive;
        insert(store, job).await;
    }
    for second in 1..4 {
        store.claim(&worker(), at(second)).await.unwrap();
    }
    let log = store.events(id(2), Seq::ZERO, 10).await.unwrap();
    assert_eq!(log.events.len(), 1, "{log:?}");
    let EventBody::Log { message, .. } = &log.events[0].body else {
        panic!("{log:?}");
    };
    assert!(message.contains(&id(1).to_string()), "{message}");
}

pub async fn a_late_worker_is_refused<S: JobStore>(store: &S) {
    let first = running(store, 1).await.machine.fence;
    store
        .transition(id(1), Event::LeaseExpired, Transition::default(), at(31))
        .await
        .unwrap();
    let again = store
        .claim(&WorkerId("w2".to_owned()), at(31))
        .await
        .unwrap()
        .unwrap()
        .job;
    assert_eq!((again.machine.attempt, again.machine.fence), (2, first.next()));
    let with = Transition {
        result: Some(json!("late")),
        events: vec![line("late")],
        ..Transition::default()
    };
    let late = store
        .transition(id(1), Event::Succeeded { fence: first }, with, at(32))
        .await;
    assert_eq!(refused(late), Refused::StaleFence);
    assert_eq!(
        refused(store.append(id(1), first, vec![line("late")], at(32)).await),
        Refused::StaleFence
    );
    assert_eq!(store.get(id(1)).await.unwrap(), Some(again), "nothing has changed");
    assert_eq!(store.events(id(1), Seq::ZERO, 10).await.unwrap().events, []);
}

pub async fn a_job_ends_with_its_outcome<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    let with = Transition {
        result: Some(json!({"files": 3})),
        events: vec![line("done")],
        ..Transition::default()
    };
    let done = store
        .transition(id(1), Event::Succeeded { fence }, with, at(5))
        .await
        .unwrap();
    assert_eq!(
        (done.machine.state, done.completed_at),
        (JobState::Succeeded, Some(at(5)))
    );
    let log = store.events(id(1), Seq::ZERO, 10).await.unwrap();
    let bodies: Vec<_> = log.events.into_iter().map(|event| event.body).collect();
    let result = json!({"files": 3});
    let state = JobState::Succeeded;
    assert_eq!(bodies, [line("done"), EventBody::Completion { state, result }]);
    assert!(log.complete);
    let again = store
        .transition(id(1), Event::CancelRequested, Transition::default(), at(6))
        .await;
    assert_eq!(refused(again), Refused::Finished);
}

pub async fn a_failed_job_ends_with_its_error<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    let error = JobError::new(ErrorCode::AzureForbidden, "no");
    let event = Event::FailedFatal {
        fence,
        error: error.clone(),
    };
    let done = store
        .transition(id(1), event, Transition::default(), at(5))
        .await
        .unwrap();
    assert_eq!(done.machine.error, Some(error.clone()));
    let log = store.events(id(1), Seq::ZERO, 10).await.unwrap();
    let bodies: Vec<_> = log.events.into_iter().map(|event| event.body).collect();
    let state = JobState::Failed;
    let result = serde_json::Value::Null;
    assert_eq!(
        bodies,
        [EventBody::Error(error), EventBody::Completion { state, result }]
    );
}

pub async fn a_retry_waits<S: JobStore>(store: &S) {
    let fence = running(store, 1).await.machine.fence;
    let error = JobError::new(ErrorCode::AzureUnavailable, "later");
    let queued = store
        .transition(
            id(1),
            Event::FailedRetryable { fence, error },
            Transition::default(),
            at(5),
        )
        .await
        .unwrap();
    assert_eq!(queued.machine.state, JobState::Queued);
    assert_eq!(store.next_due().await.unwrap(), Some(queued.machine.due));
    assert_eq!(store.claim(&worker(), at(5)).await.unwrap(), None);
    let again = store.claim(&worker(), queued.machine.due).await.unwrap().unwrap().job;
    assert_eq!(again.machine.attempt, 2);
    assert!(!store.events(id(1), Seq::ZERO, 10).await.unwrap().complete);
}

pub async fn leases_expire<S: JobStore>(store: &S) {
    let job = running(store, 1).await;
    let until = job.machine.lease_until.unwrap();
    assert_eq!(store.held().await.unwrap(), [(id(1), worker())]);
    assert_eq!(store.next_due().await.unwrap(), Some(until));
    assert_eq!(store.expired(until - Duration::nanoseconds(1), 10).await.unwrap(), []);
    assert_eq!(store.expired(until, 10).await.unwrap(), [id(1)]);
    let fence = job.machine.fence;
    store
        .transition(id(1), Event::Renewed { fence }, Transition::default(), at(20))
        .await
        .unwrap();
    assert_eq!(store.expired(until, 10).await.unwrap(), []);
    let early = store
        .transition(id(1), Event::LeaseExpired, Transition::default(), at(21))
        .await;
    assert_eq!(refused(early), Refused::LeaseHolds);
}

pub async fn a_checkpoint_belongs_to_the_attempt<S: JobStore>(store: &S) {
    let mut job = new(1);
    job.on_crash = OnCrash::Rerun;
    insert(store, job).await;
    let fence = store.claim(&worker(), at(1)).await.unwrap().unwrap().job.machine.fence;
    assert_eq!(store.checkpoint_get(id(1)).await.unwrap(), None);
    store.checkpoint_put(id(1), fence, vec![1, 2]).await.unwrap();
    store
        .transition(id(1), Event::OwnerGone, Transition::default(), at(2))
        .await
        .unwrap();
    assert_eq!(store.checkpoint_get(id(1)).await.unwrap(), Some(vec![1, 2]));
    let again = store.claim(&worker(), at(3)).await.unwrap().unwrap().job.machine.fence;
    assert_eq!(
        refused(store.checkpoint_put(id(1), fence, vec![3]).await),
        Refused::StaleFence
    );
    let large = store.checkpoint_put(id(1), again, vec![0; 64 * 1024 + 1]).await;
    assert!(
        matches!(large, Err(StoreError::TooLarge { what: "checkpoint", .. })),
        "{large:?}"
    );
}
