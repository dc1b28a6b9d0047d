//! Who asks for the health all the time, whatever happens.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use atg_tests::World;
use serde_json::Value;
use tokio::task::JoinHandle;

/// How long a health request may take.
const WITHIN: Duration = Duration::from_secs(1);
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// The answers so far.
#[derive(Default)]
struct Seen {
    word: String,
    asked: u32,
    slowest: Duration,
    problem: Option<String>,
}

pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Watch {
    pub(crate) fn of(world: &World) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let url = format!("{}/api/v1/health", world.url());
        let noting = Arc::clone(&seen);
        let http = reqwest::Client::builder().build().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let started = Instant::now();
                let asked = async { http.get(&url).send().await?.error_for_status()?.json::<Value>().await };
                let answer = asked.await;
                let took = started.elapsed();
                {
                    let mut seen = noting.lock().unwrap();
                    seen.asked += 1;
                    seen.slowest = seen.slowest.max(took);
                    match answer {
                        Ok(body) => body["neo4j_status"]
                            .as_str()
                            .unwrap_or_default()
                            .clone_into(&mut seen.word),
                        Err(error) => seen.problem = Some(error.to_string()),
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { seen, task }
    }

    /// Waits until the health says so.
    pub(crate) async fn says(&self, word: &str) {
        let started = Instant::now();
        atg_tests::until("the health says what is", async || {
            (self.seen.lock().unwrap().word == word).then_some(())
        })
        .await;
        println!("{word} after {:?}", started.elapsed());
    }

    /// What the health says now.
    pub(crate) fn word(&self) -> String {
        self.seen.lock().unwrap().word.clone()
    }

    /// Ends it: every answer came, and in time.
    pub(crate) async fn was_answered(self) {
        self.task.abort();
        let _ = self.task.await;
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.problem, None);
        assert!(seen.asked > 0 && seen.slowest < WITHIN, "{:?}", seen.slowest);
        println!("health: {} answers, the slowest after {:?}", seen.asked, seen.slowest);
    }
}
