//! From its making to its end.

use std::time::Instant;

use atg_auth::Scope;
use atg_db::KeyStore as _;
use atg_db::sqlite::SqliteKeys;
use atg_models::limits::REVOKED_CLOSE_WITHIN;
use atg_server::{RunningServer, SystemClock, SystemIds, load_config};
use atg_sim::{Fault, FaultKind};
use atg_tests::{KEY, Setup, Witness, World, open_socket, read_to_close, until};
use reqwest::Method;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{Caller, made, put};

async fn revoke(world: &World, name: &str) {
    let revoked = world.keys().await.revoke(name, OffsetDateTime::now_utc()).await;
    assert_eq!(revoked.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_counts_within_a_second_and_is_refused_within_one() {
    let world = World::small().await;
    let key = put(&world, "ci", 1, |_| {}).await;
    let started = Instant::now();
    let caller = Caller { world: &world, key };
    until("it counts", async || (caller.status().await == 200).then_some(())).await;
    assert!(started.elapsed() < REVOKED_CLOSE_WITHIN, "{:?}", started.elapsed());
    revoke(&world, "ci").await;
    let started = Instant::now();
    until("it is refused", async || (caller.status().await == 401).then_some(())).await;
    assert!(started.elapsed() < REVOKED_CLOSE_WITHIN, "{:?}", started.elapsed());
    assert_eq!(caller.message().await, "Invalid API key");
    assert_eq!(world.get("/api/v1/operations").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_expired_says_so() {
    let world = World::small().await;
    let soon = OffsetDateTime::now_utc() + Duration::milliseconds(1_500);
    let caller = Caller::new(&world, "short", 1, |record| record.expires_at = Some(soon)).await;
    until("it expires", async || (caller.status().await == 401).then_some(())).await;
    assert_eq!(caller.message().await, "API key expired");
    assert!(OffsetDateTime::now_utc() >= soon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_scope_says() {
    let world = World::small().await;
    let reader = Caller::new(&world, "reader", 1, |record| record.scope = Scope::Read).await;
    let operator = Caller::new(&world, "operator", 2, |record| record.scope = Scope::Operate).await;
    let body = json!({"tenant_id": world.tenant});
    for path in ["/api/v1/scan", "/api/v1/generate-iac"] {
        let (status, refused) = reader.post(path, &body).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (403, &json!("FORBIDDEN")),
            "{path}"
        );
        assert!(
            refused["error"]["message"].as_str().unwrap().contains("operate"),
            "{refused}"
        );
    }
    let (status, job) = operator.post("/api/v1/scan", &body).await;
    assert_eq!(status, 202, "{job}");
    let job = job["job_id"].as_str().unwrap();
    assert_eq!(reader.get(&format!("/api/v1/scan/{job}")).await.status(), 200);
    let path = format!("/api/v1/operations/{job}");
    assert_eq!(
        reader.request(Method::DELETE, &path).send().await.unwrap().status(),
        403
    );
    world.completion(job.parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sockets_of_a_dead_key_close_with_1008_and_no_others() {
    let world = Setup::new(7, 150).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(2_000),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    let path = format!("/ws/progress/{job}");
    let caller = Caller::new(&world, "ci", 1, |_| {}).await;
    let soon = OffsetDateTime::now_utc() + Duration::seconds(3);
    let short = Caller::new(&world, "short", 2, |record| record.expires_at = Some(soon)).await;
    let mut revoked = Vec::new();
    for _ in 0..5 {
        revoked.push(
            open_socket(world.url(), &path, Some(caller.key.expose()))
                .await
                .unwrap(),
        );
    }
    let by_query = format!("{path}?after=0&api_key={}", caller.key.expose());
    revoked.push(open_socket(world.url(), &by_query, None).await.unwrap());
    let mut expires = open_socket(world.url(), &path, Some(short.key.expose())).await.unwrap();
    let mut stays = open_socket(world.url(), &path, Some(KEY)).await.unwrap();
    revoke(&world, "ci").await;
    let started = Instant::now();
    for socket in &mut revoked {
        assert_eq!(read_to_close(socket).await.1, 1008);
    }
    assert!(started.elapsed() < REVOKED_CLOSE_WITHIN, "{:?}", started.elapsed());
    let refused = open_socket(world.url(), &path, Some(caller.key.expose())).await;
    assert_eq!(refused.unwrap_err().0, 401);
    assert_eq!(read_to_close(&mut expires).await.1, 1008);
    assert!(OffsetDateTime::now_utc() >= soon);
    world.client.cancel(job).await.unwrap();
    assert_eq!(read_to_close(&mut stays).await.1, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_starts_with_a_stored_key_of_its_own_only() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = atg_tests::folder();
    let settings = [
        ("ATG_SERVER_HOST", "127.0.0.1"),
        ("ENVIRONMENT", "production"),
        ("ATG_DATA_DIR", folder.path().to_str().unwrap()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let start = async || {
        let config = load_config(settings.clone().into_iter(), None, None, Some(0))
            .unwrap()
            .config;
        RunningServer::start(config, std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemIds)).await
    };
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let store = async |environment, number| {
        let key = made(environment, number);
        let record = atg_auth::KeyRecord::of(&key, format!("k{number}"), Scope::Read, atg_auth::Tenants::All);
        keys.put(atg_auth::StoredKey::new(record, OffsetDateTime::now_utc()))
            .await
            .unwrap();
        key
    };
    let dev = store(atg_models::Environment::Dev, 1).await;
    let refused = start().await.err().unwrap().to_string();
    assert!(
        refused.contains("atg-server keys create") && refused.contains("ATG_API_KEYS"),
        "{refused}"
    );
    let own = store(atg_models::Environment::Production, 2).await;
    let server = start().await.unwrap();
    let witness = Witness::of(server.url());
    let http = reqwest::Client::builder().build().unwrap();
    for (key, status) in [(own, 200), (dev, 401)] {
        let request = http
            .get(format!("{}/api/v1/operations", witness.url()))
            .bearer_auth(key.expose());
        assert_eq!(request.send().await.unwrap().status(), status, "{key}");
    }
    assert!(server.stop().await.clean);
}
