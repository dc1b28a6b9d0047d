//! The keys of a server, over a real store and with a clock of their own.

use atg_auth::{ApiKey, KeyRecord, Scope, StoredKey, Tenants};
use atg_db::sqlite::SqliteKeys;
use atg_models::clock::BoxFuture;
use time::Duration;

use super::*;

/// A clock that a case sets.
struct Hand(Mutex<OffsetDateTime>);

impl Clock for Hand {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, _: OffsetDateTime) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

struct Case {
    keys: Keys,
    store: SqliteKeys,
    clock: Arc<Hand>,
    folder: tempfile::TempDir,
}

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn key(number: u8) -> ApiKey {
    ApiKey::generate(Environment::Dev, [number; 32])
}

/// A server with the configured key 0.
async fn case(settings: &[(&str, &str)]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let configured = key(0);
    let pairs = settings.iter().copied().chain([("ATG_API_KEYS", configured.expose())]);
    let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let config = crate::config::load(pairs.into_iter(), None, None, None).unwrap().config;
    let clock = Arc::new(Hand(Mutex::new(START)));
    let server = Arc::new(SqliteKeys::open(folder.path()).unwrap());
    let store = SqliteKeys::open(folder.path()).unwrap();
    let shared: Arc<dyn Clock> = Arc::<Hand>::clone(&clock);
    let keys = Keys::open(&config, server, shared).await.unwrap();
    Case {
        keys,
        store,
        clock,
        folder,
    }
}

impl Case {
    async fn put(&self, number: u8, expires_at: Option<OffsetDateTime>) {
        let mut record = KeyRecord::of(&key(number), format!("k{number}"), Scope::Read, Tenants::All);
        record.expires_at = expires_at;
        let put = self.store.put(StoredKey::new(record, self.clock.now())).await.unwrap();
        assert_eq!(put, atg_db::KeyPut::Made);
    }

    fn pass(&self, duration: Duration) {
        *self.clock.0.lock().unwrap() += duration;
    }

    fn check(&self, number: u8, expected: Result<&str, &str>) {
        let who = self.keys.of_key(key(number).expose());
        let who = who
            .map(|principal| principal.key_name)
            .map_err(|error| error.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(who, expected, "key {number}");
    }
}

/// Whether a stream was told to end; a token is set before the look returns.
async fn ends(pass: StreamPass) -> bool {
    let wait = std::time::Duration::from_millis(20);
    tokio::time::timeout(wait, pass.ended()).await.is_ok()
}

const INVALID: Result<&str, &str> = Err("AUTHENTICATION_FAILED: Invalid API key");

#[tokio::test]
async fn a_stored_key_counts_from_the_next_look_until_it_is_revoked() {
    let case = case(&[]).await;
    case.put(1, None).await;
    case.check(1, INVALID);
    case.keys.look().await;
    case.check(1, Ok("k1"));
    case.check(0, Ok("config-1"));
    case.store.revoke("k1", START).await.unwrap();
    case.check(1, Ok("k1"));
    case.keys.look().await;
    case.check(1, INVALID);
}

#[tokio::test]
async fn a_key_expires_without_a_look() {
    let case = case(&[]).await;
    case.put(1, Some(START + Duration::HOUR)).await;
    case.keys.look().await;
    case.check(1, Ok("k1"));
    case.pass(Duration::HOUR);
    case.check(1, Err("AUTHENTICATION_FAILED: API key expired"));
}

#[tokio::test]
async fn streams_end_with_their_key() {
    let case = case(&[]).await;
    case.put(1, None).await;
    case.put(2, Some(START + Duration::HOUR)).await;
    case.keys.look().await;
    let open = |number| {
        let principal = case.keys.of_key(key(number).expose()).unwrap();
        (case.keys.open_stream(&principal).unwrap(), principal)
    };
    let ((stays, _), (revoked, principal), (expires, _)) = (open(0), open(1), open(2));
    case.store.revoke("k1", START).await.unwrap();
    case.pass(Duration::HOUR);
    case.keys.look().await;
    assert!(ends(revoked).await && ends(expires).await);
    assert!(
        case.keys.open_stream(&principal).is_err(),
        "it was let in before, not now"
    );
    assert!(!ends(stays).await, "another key's stream goes on");
}

#[tokio::test]
async fn in_production_only_its_own_keys_count() {
    let case = case(&[("ENVIRONMENT", "production")]).await;
    assert!(!case.keys.may_open());
    case.put(1, None).await;
    case.keys.look().await;
    assert!(!case.keys.may_open());
    case.check(1, INVALID);
}

#[tokio::test]
async fn keys_that_cannot_be_looked_at_stop_counting() {
    let case = case(&[]).await;
    case.put(1, None).await;
    case.keys.look().await;
    std::fs::write(case.folder.path().join("keys.db"), "broken").unwrap();
    case.keys.look().await;
    case.check(1, Ok("k1"));
    case.pass(limits::KEYS_UNSEEN_MAX + Duration::SECOND);
    case.keys.look().await;
    let refused = case.keys.of_key(key(1).expose()).unwrap_err().to_string();
    assert!(refused.starts_with("DATABASE_UNAVAILABLE: the database"), "{refused}");
    // The configuration's keys need no store.
    case.check(0, Ok("config-1"));
}

#[tokio::test]
async fn the_use_of_stored_keys_is_written_down() {
    let case = case(&[]).await;
    case.put(1, None).await;
    case.put(2, None).await;
    case.keys.look().await;
    case.pass(Duration::MINUTE);
    case.check(1, Ok("k1"));
    case.keys.write_uses().await;
    let used: Vec<_> = case
        .store
        .list()
        .await
        .unwrap()
        .iter()
        .map(|key| key.last_used_at)
        .collect();
    assert_eq!(used, [Some(START + Duration::MINUTE), None]);
}
