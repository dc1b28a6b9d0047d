//! Lists, and what is removed when it is old.

use atg_models::Seq;
use atg_models::job::{Event, JobFilter, JobState};
use atg_models::{JobKind, TenantId};
use uuid::Uuid;

use super::{id, insert, new, running};
use crate::contract::world::at;
use crate::{Inserted, JobStore, StoreError, Transition};

pub async fn lists_are_newest_first<S: JobStore>(store: &S) {
    for number in 1..=3 {
        let mut job = new(number);
        job.created_at = at(i64::try_from(number).unwrap());
        insert(store, job).await;
    }
    let page = store.list(JobFilter::default(), 2, 1).await.unwrap();
    let ids: Vec<_> = page.jobs.iter().map(|job| job.id).collect();
    assert_eq!((ids, page.total), (vec![id(2), id(1)], 3));
}

pub async fn lists_are_filtered<S: JobStore>(store: &S) {
    running(store, 1).await;
    let mut other = new(2);
    other.tenant = "a tenant by name".to_owned();
    other.key_prefix = "87654321".to_owned();
    insert(store, other).await;
    let any = JobFilter::default();
    let own = TenantId::new(Uuid::from_u128(0x11));
    let states = |state| JobFilter {
        states: vec![state],
        ..JobFilter::default()
    };
    for (filter, expected) in [
        (any.clone(), 2),
        (states(JobState::Running), 1),
        (states(JobState::Failed), 0),
        (
            JobFilter {
                kind: Some(JobKind::GenerateIac),
                ..any.clone()
            },
            2,
        ),
        (
            JobFilter {
                kind: Some(JobKind::Scan),
                ..any.clone()
            },
            0,
        ),
        (
            JobFilter {
                tenants: Some(vec![own]),
                ..any.clone()
            },
            1,
        ),
        (
            JobFilter {
                tenants: Some(Vec::new()),
                ..any.clone()
            },
            0,
        ),
        (
            JobFilter {
                tenants: Some(vec![own]),
                key_prefix: Some("87654321".to_owned()),
                ..any.clone()
            },
            2,
        ),
        (
            JobFilter {
                key_prefix: Some("87654321".to_owned()),
                ..any
            },
            1,
        ),
    ] {
        let page = store.list(filter.clone(), 10, 0).await.unwrap();
        assert_eq!(
            (page.jobs.len(), page.total),
            (expected, u64::try_from(expected).unwrap()),
            "{filter:?}"
        );
    }
}

pub async fn a_job_of_a_tenant_is_listed_to_that_tenant<S: JobStore>(store: &S) {
    // Two of the same key, one of them for a tenant that the list is not for.
    for (number, tenant) in [
        (1, "a tenant by name".to_owned()),
        (2, Uuid::from_u128(0xA2).to_string()),
    ] {
        for tenant in [tenant.to_uppercase(), tenant] {
            let mut job = new(number);
            job.id = atg_models::JobId::new(JobKind::Scan, Uuid::new_v5(&Uuid::NAMESPACE_OID, tenant.as_bytes()));
            job.tenant = tenant;
            insert(store, job).await;
        }
    }
    let filter = JobFilter {
        tenants: Some(vec![TenantId::new(Uuid::from_u128(0x11))]),
        key_prefix: Some(new(1).key_prefix),
        ..JobFilter::default()
    };
    let page = store.list(filter, 10, 0).await.unwrap();
    let tenants: Vec<_> = page.jobs.iter().map(|job| job.tenant.as_str()).collect();
    assert_eq!((tenants, page.total), (vec!["a tenant by name", "A TENANT BY NAME"], 2));
}

pub async fn what_is_old_is_removed<S: JobStore>(store: &S) {
    let key = || Some(("k".to_owned(), [1; 32]));
    store.insert(new(1), key()).await.unwrap();
    let fence = store
        .claim(&super::worker(), at(1))
        .await
        .unwrap()
        .unwrap()
        .job
        .machine
        .fence;
    store
        .transition(id(1), Event::Succeeded { fence }, Transition::default(), at(10))
        .await
        .unwrap();
    insert(store, new(2)).await;
    assert_eq!(store.purge(at(10), at(0), 10).await.unwrap(), [], "not older yet");
    assert_eq!(store.purge(at(11), at(0), 10).await.unwrap(), [id(1)]);
    assert_eq!(store.get(id(1)).await.unwrap(), None);
    let log = store.events(id(1), Seq::ZERO, 1).await;
    assert!(matches!(log, Err(StoreError::NotFound { .. })), "{log:?}");
    let again = store.insert(new(3), key()).await.unwrap();
    assert!(
        matches!(again, Inserted::New(_)),
        "a key whose job is gone is free: {again:?}"
    );
    store.purge(at(11), at(1), 10).await.unwrap();
    let freed = store.insert(new(4), key()).await.unwrap();
    assert!(
        matches!(freed, Inserted::New(_)),
        "a key past its time is free: {freed:?}"
    );
}
