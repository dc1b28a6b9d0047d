//! Stored keys: what they may do, for whom, and until when.

mod life;
mod tenants;
mod walk;

use atg_auth::{ApiKey, KeyRecord, Scope, StoredKey, Tenants};
use atg_db::KeyPut;
use atg_models::Environment;
use atg_tests::{World, until};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// A stored key of a world.
struct Caller<'w> {
    world: &'w World,
    key: ApiKey,
}

/// A key that is handed out: as random to look at as a real one, so that it is not found where it is not.
fn made(environment: Environment, number: u8) -> ApiKey {
    let key = ApiKey::generate(environment, Sha256::digest([number]).into());
    atg_tests::issued(key.expose());
    key
}

/// Stores a key beside the running server.
pub(crate) async fn put(world: &World, name: &str, number: u8, change: impl FnOnce(&mut KeyRecord)) -> ApiKey {
    let key = made(Environment::Dev, number);
    let mut record = KeyRecord::of(&key, name, Scope::Operate, Tenants::All);
    change(&mut record);
    let stored = StoredKey::new(record, OffsetDateTime::now_utc());
    let put = world.keys().await.put(stored).await.unwrap();
    assert_eq!(put, KeyPut::Made);
    key
}

impl<'w> Caller<'w> {
    /// Stores a key and waits until it counts.
    async fn new(world: &'w World, name: &str, number: u8, change: impl FnOnce(&mut KeyRecord)) -> Self {
        let key = put(world, name, number, change).await;
        let caller = Self { world, key };
        until("the key counts", async || (caller.status().await == 200).then_some(())).await;
        caller
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.world.anonymous(method, path).bearer_auth(self.key.expose())
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.request(Method::POST, path).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// How a harmless request is answered.
    async fn status(&self) -> u16 {
        self.get("/api/v1/operations").await.status().as_u16()
    }

    async fn message(&self) -> String {
        let body = self.json("/api/v1/operations").await;
        body["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}
