//! What every key store does.

use atg_auth::{ApiKey, KeyPrefix, KeyRecord, KeyStatus, Scope, StoredKey, Tenants};
use atg_models::{Environment, limits};
use time::Duration;

use crate::contract::world::{at, other_tenant, tenant};
use crate::{KeyPut, KeyStore, StoreError};

/// Runs the suite against the key stores that a factory makes.
#[macro_export]
macro_rules! key_contract {
    ($factory:path) => {
        $crate::contract_cases! { $factory, $crate::contract;
            keys::{
                a_stored_key_reads_back, names_are_unique_among_the_living, a_prefix_is_never_given_again,
                a_name_is_revoked_once, a_rotation_keeps_both_for_a_while, a_rotation_happens_once,
                a_rotation_to_a_taken_prefix_changes_nothing, the_last_use_is_kept, every_change_is_seen,
                what_is_long_dead_goes
            }
        }
    };
}

/// The key of this number.
fn api_key(number: u8) -> ApiKey {
    ApiKey::generate(Environment::Dev, [number; 32])
}

fn prefix(number: u8) -> KeyPrefix {
    api_key(number).prefix().clone()
}

fn new(number: u8, name: &str) -> StoredKey {
    let record = KeyRecord::of(&api_key(number), name, Scope::Operate, Tenants::All);
    StoredKey::new(record, at(0))
}

async fn made<S: KeyStore>(store: &S, key: StoredKey) -> StoredKey {
    assert_eq!(store.put(key.clone()).await.unwrap(), KeyPut::Made);
    key
}

async fn get<S: KeyStore>(store: &S, number: u8) -> StoredKey {
    store.find(&prefix(number)).await.unwrap().unwrap()
}

pub async fn a_stored_key_reads_back<S: KeyStore>(store: &S) {
    assert!(store.list().await.unwrap().is_empty());
    let first = made(store, new(1, "ci")).await;
    let mut narrow = new(2, "narrow");
    narrow.record.scope = Scope::Read;
    narrow.record.environment = Environment::Production;
    narrow.record.tenants = Tenants::Set([tenant(), other_tenant()].into());
    narrow.record.expires_at = Some(at(60));
    let narrow = made(store, narrow).await;
    assert_eq!(get(store, 1).await, first);
    assert_eq!(get(store, 2).await, narrow);
    assert_eq!(store.find(&prefix(3)).await.unwrap(), None);
    assert_eq!(store.list().await.unwrap(), [first, narrow]);
}

pub async fn names_are_unique_among_the_living<S: KeyStore>(store: &S) {
    let mut first = new(1, "ci");
    first.record.expires_at = Some(at(60));
    made(store, first).await;
    let again = |number, second| StoredKey {
        created_at: at(second),
        ..new(number, "ci")
    };
    assert_eq!(store.put(again(2, 59)).await.unwrap(), KeyPut::NameTaken);
    made(store, again(2, 60)).await;
    assert_eq!(store.revoke("ci", at(61)).await.unwrap(), 1);
    made(store, again(3, 62)).await;
    assert_eq!(store.list().await.unwrap().len(), 3);
}

pub async fn a_prefix_is_never_given_again<S: KeyStore>(store: &S) {
    made(store, new(1, "ci")).await;
    assert_eq!(store.put(new(1, "other")).await.unwrap(), KeyPut::PrefixTaken);
    store.revoke("ci", at(1)).await.unwrap();
    assert_eq!(store.put(new(1, "other")).await.unwrap(), KeyPut::PrefixTaken);
}

pub async fn a_name_is_revoked_once<S: KeyStore>(store: &S) {
    made(store, new(1, "ci")).await;
    made(store, new(2, "other")).await;
    assert_eq!(store.revoke("nobody", at(1)).await.unwrap(), 0);
    assert_eq!(store.revoke("ci", at(1)).await.unwrap(), 1);
    assert_eq!(store.revoke("ci", at(2)).await.unwrap(), 0);
    assert_eq!(get(store, 1).await.revoked_at, Some(at(1)));
    assert_eq!(get(store, 2).await.revoked_at, None);
}

pub async fn a_rotation_keeps_both_for_a_while<S: KeyStore>(store: &S) {
    let old = made(store, new(1, "ci")).await;
    let rotation = old.rotate(&api_key(2), Duration::HOUR, at(10));
    assert_eq!(store.replace(&prefix(1), rotation.clone()).await.unwrap(), KeyPut::Made);
    let old = get(store, 1).await;
    assert_eq!(old.record.expires_at, Some(at(3_610)));
    assert_eq!(old.status(at(11)), KeyStatus::Rotated);
    assert_eq!(get(store, 2).await, rotation.successor);
    // Taking the name back takes both.
    assert_eq!(store.revoke("ci", at(20)).await.unwrap(), 2);
}

pub async fn a_rotation_happens_once<S: KeyStore>(store: &S) {
    let old = made(store, new(1, "ci")).await;
    let rotate = |number| old.rotate(&api_key(number), Duration::HOUR, at(10));
    store.replace(&prefix(1), rotate(2)).await.unwrap();
    for number in [3, 4] {
        let second = store.replace(&prefix(1), rotate(number)).await;
        assert!(matches!(second, Err(StoreError::NotFound { .. })), "{second:?}");
    }
    assert_eq!(store.list().await.unwrap().len(), 2);
    store.revoke("ci", at(11)).await.unwrap();
    let dead = store.replace(&prefix(2), rotate(5)).await;
    assert!(matches!(dead, Err(StoreError::NotFound { .. })), "{dead:?}");
}

pub async fn a_rotation_to_a_taken_prefix_changes_nothing<S: KeyStore>(store: &S) {
    let old = made(store, new(1, "ci")).await;
    made(store, new(2, "other")).await;
    let rotation = old.rotate(&api_key(2), Duration::HOUR, at(10));
    assert_eq!(store.replace(&prefix(1), rotation).await.unwrap(), KeyPut::PrefixTaken);
    assert_eq!(get(store, 1).await, old);
}

pub async fn the_last_use_is_kept<S: KeyStore>(store: &S) {
    made(store, new(1, "ci")).await;
    let revision = store.revision().await.unwrap();
    store.touch(vec![(prefix(1), at(5)), (prefix(9), at(5))]).await.unwrap();
    store.touch(vec![(prefix(1), at(3))]).await.unwrap();
    assert_eq!(get(store, 1).await.last_used_at, Some(at(5)));
    assert_eq!(store.revision().await.unwrap(), revision);
}

pub async fn every_change_is_seen<S: KeyStore>(store: &S) {
    let mut seen = store.revision().await.unwrap();
    let mut grown = async |grows: bool, what: &str| {
        let now = store.revision().await.unwrap();
        assert_eq!(now > seen, grows, "{what}");
        seen = now;
    };
    let old = made(store, new(1, "ci")).await;
    grown(true, "put").await;
    store.put(new(2, "ci")).await.unwrap();
    grown(false, "refused").await;
    let rotation = old.rotate(&api_key(3), Duration::HOUR, at(10));
    store.replace(&prefix(1), rotation).await.unwrap();
    grown(true, "rotated").await;
    store.revoke("ci", at(11)).await.unwrap();
    grown(true, "revoked").await;
    store.revoke("ci", at(12)).await.unwrap();
    grown(false, "revoked again").await;
}

pub async fn what_is_long_dead_goes<S: KeyStore>(store: &S) {
    let mut expiring = new(1, "expiring");
    expiring.record.expires_at = Some(at(60));
    made(store, expiring).await;
    made(store, new(2, "revoked")).await;
    store.revoke("revoked", at(60)).await.unwrap();
    made(store, new(3, "living")).await;
    let names = async || {
        let keys = store.list().await.unwrap();
        keys.into_iter().map(|key| key.record.name).collect::<Vec<_>>()
    };
    let later = |number, name, created_at| StoredKey {
        created_at,
        ..new(number, name)
    };
    made(store, later(4, "then", at(60) + limits::DEAD_KEY_TTL)).await;
    assert_eq!(names().await, ["expiring", "revoked", "living", "then"]);
    made(store, later(5, "later", at(61) + limits::DEAD_KEY_TTL)).await;
    assert_eq!(names().await, ["living", "then", "later"]);
}
