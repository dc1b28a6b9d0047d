//! Submitting jobs.

use super::{id, insert, new};
use crate::{Inserted, JobStore};

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
    assert_eq!(more, Inserted::Full { limit });
    let mut other = new(share + 2);
    other.key_prefix = "87654321".to_owned();
    insert(store, other).await;
}
