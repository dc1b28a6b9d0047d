//! Submitting jobs.

use atg_models::job::Event;
use atg_models::limits::{IDEMPOTENCY_TTL, SCANS_PER_HOUR_DEFAULT, SCANS_WINDOW};
use atg_models::{JobId, JobKind};
use time::Duration;
use uuid::Uuid;

use super::{id, insert, new};
use crate::contract::world::at;
use crate::{Bound, Inserted, JobStore, Transition};

pub async fn a_job_reads_back<S: JobStore>(store: &S) {
    let job = insert(store, new(1)).await;
    assert_eq!(store.get(id(1)).await.unwrap(), Some(job));
    assert_eq!(store.get(id(2)).await.unwrap(), None);
}

pub async fn a_key_makes_one_job<S: JobStore>(store: &S) {
    let key = |digest: u8| Some(("k".to_owned(), [digest; 32]));
    let first = store.insert(new(1), key(1)).await.unwrap();
    assert!(matches!(first, Inserted::New(_)), "{first:?}");
    let Inserted::Replayed(again) = store.insert(new(2), key(1)).await.unwrap() else {
        panic!("the same key and body are the same job");
    };
    assert_eq!(again.id, id(1));
    assert_eq!(store.insert(new(3), key(2)).await.unwrap(), Inserted::Mismatch);
    assert_eq!(store.get(id(2)).await.unwrap(), None);
}

pub async fn keys_of_two_clients_are_two<S: JobStore>(store: &S) {
    let key = Some(("k".to_owned(), [1; 32]));
    store.insert(new(1), key.clone()).await.unwrap();
    let mut other = new(2);
    other.key_prefix = "87654321".to_owned();
    let second = store.insert(other, key).await.unwrap();
    assert!(matches!(second, Inserted::New(_)), "{second:?}");
}

pub async fn a_client_has_a_share_of_the_queue<S: JobStore>(store: &S) {
    let share = u128::from(atg_models::limits::JOBS_PER_KEY_DEFAULT);
    for number in 1..=share {
        insert(store, new(number)).await;
    }
    let more = store.insert(new(share + 1), None).await.unwrap();
    let limit = u64::try_from(share).unwrap();
    assert_eq!(more, Inserted::Full(Bound::JobsOfKey { limit }));
    let mut other = new(share + 2);
    other.key_prefix = "87654321".to_owned();
    insert(store, other).await;
}

pub async fn a_key_is_remembered_for_a_day<S: JobStore>(store: &S) {
    let key = |digest: u8| Some(("k".to_owned(), [digest; 32]));
    store.insert(new(1), key(1)).await.unwrap();
    let mut late = new(2);
    late.created_at = at(0) + IDEMPOTENCY_TTL - Duration::MILLISECOND;
    assert_eq!(store.insert(late.clone(), key(2)).await.unwrap(), Inserted::Mismatch);
    late.created_at = at(0) + IDEMPOTENCY_TTL;
    let again = store.insert(late, key(2)).await.unwrap();
    assert!(matches!(again, Inserted::New(_)), "{again:?}");
}

pub async fn a_key_has_so_many_scans_an_hour<S: JobStore>(store: &S) {
    let limit = u64::from(SCANS_PER_HOUR_DEFAULT);
    let scan = |number: u64, second: i64| {
        let mut job = new(1);
        job.id = JobId::new(JobKind::Scan, Uuid::from_u128(u128::from(number)));
        job.created_at = at(second);
        job
    };
    for number in 1..=limit {
        let job = insert(store, scan(number, i64::try_from(number).unwrap())).await;
        // It counts although it has ended.
        let end = store.transition(job.id, Event::CancelRequested, Transition::default(), at(20));
        end.await.unwrap();
    }
    let free_at = at(1) + SCANS_WINDOW;
    let more = store.insert(scan(90, 30), None).await.unwrap();
    assert_eq!(more, Inserted::Full(Bound::ScansOfKey { limit, free_at }));
    let quota = store.scans("12345678", at(30)).await.unwrap();
    assert_eq!(
        (quota.limit, quota.used, quota.next_at, quota.free_at),
        (limit, limit, Some(free_at), Some(free_at))
    );
    // Other keys and other work are not held back.
    let mut other = scan(91, 30);
    other.key_prefix = "87654321".to_owned();
    insert(store, other).await;
    let mut work = new(92);
    work.created_at = at(30);
    insert(store, work).await;
    // As soon as the first has left there is room for one, and for one only.
    let mut first = scan(93, 0);
    first.created_at = free_at - Duration::MILLISECOND;
    let early = store.insert(first.clone(), None).await.unwrap();
    assert!(matches!(early, Inserted::Full(Bound::ScansOfKey { .. })), "{early:?}");
    first.created_at = free_at;
    insert(store, first).await;
    let mut second = scan(94, 0);
    second.created_at = free_at;
    let late = store.insert(second, None).await.unwrap();
    let next = at(2) + SCANS_WINDOW;
    assert_eq!(late, Inserted::Full(Bound::ScansOfKey { limit, free_at: next }));
}

pub async fn what_a_key_made_is_answered_beyond_the_limit<S: JobStore>(store: &S) {
    let scan = |number: u128| {
        let mut job = new(1);
        job.id = JobId::new(JobKind::Scan, Uuid::from_u128(number));
        job
    };
    let key = Some(("k".to_owned(), [1; 32]));
    store.insert(scan(1), key.clone()).await.unwrap();
    for number in 2..=u128::from(SCANS_PER_HOUR_DEFAULT) {
        insert(store, scan(number)).await;
    }
    let again = store.insert(scan(50), key).await.unwrap();
    assert!(
        matches!(&again, Inserted::Replayed(job) if job.id == scan(1).id),
        "{again:?}"
    );
}
