//! The simulator through a real socket, with a small literal world.

mod arg;
mod arm;
mod directory;
mod faults;
mod login;
mod physics;
mod world;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use crate::{SimConfig, Simulator};

/// A simulator of `vnets` networks per subscription and as many users, and a client.
struct Bench {
    sim: Simulator,
    http: reqwest::Client,
}

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

fn literal(vnets: usize, users: usize) -> Arc<world::Literal> {
    Arc::new(world::Literal {
        vnets,
        users,
        changed: AtomicBool::new(false),
    })
}

fn client() -> reqwest::Client {
    let bound = std::time::Duration::from_secs(10);
    reqwest::Client::builder().timeout(bound).build().unwrap()
}

impl Bench {
    fn new(vnets: usize, change: impl FnOnce(&mut SimConfig)) -> Self {
        let mut config = SimConfig::new(literal(vnets, vnets));
        change(&mut config);
        Self {
            sim: Simulator::start(config).unwrap(),
            http: client(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(self.http.get(format!("{}{path}", self.sim.url())))
            .await
            .unwrap()
    }

    /// A link that the simulator gave.
    async fn follow(&self, url: &str) -> Answer {
        self.ask(self.http.get(url)).await.unwrap()
    }

    async fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.ask(self.http.get(format!("{}{path}", self.sim.url()))).await
    }

    async fn query(&self, body: Value) -> Answer {
        let url = format!(
            "{}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            self.sim.url()
        );
        self.ask(self.http.post(url).json(&body)).await.unwrap()
    }

    async fn kql(&self, query: &str) -> Answer {
        self.query(json!({"query": query, "options": {"$top": 1000}})).await
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.bearer_auth("static").send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.json().await?;
        Ok(Answer { status, headers, body })
    }

    /// All rows of a query, page by page.
    async fn all(&self, query: &str, top: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token = Value::Null;
        for _ in 0..100 {
            let answer = self
                .query(json!({"query": query, "options": {"$top": top, "$skipToken": token}}))
                .await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            rows.extend(answer.body["data"].as_array().unwrap().iter().cloned());
            token = answer.body["$skipToken"].clone();
            if token.is_null() {
                return rows;
            }
        }
        panic!("the query has no end");
    }
}

impl Answer {
    fn code(&self) -> &str {
        self.body
            .pointer("/error/code")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    fn values(&self) -> &Vec<Value> {
        self.body["value"].as_array().unwrap()
    }
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_lowercase())
        .collect()
}
