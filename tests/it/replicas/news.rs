//! What one server writes reaches the readers of another soon, at a price that does not depend on their number.

use std::time::{Duration, Instant};

use atg_models::JobId;
use atg_tests::{KEY, Setup, Socket, World, open_socket, until};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_tungstenite::tungstenite::Message;

use super::{another, first, slow};

/// From an event's time to its reader, for nineteen of twenty: readers that hear no news look every two seconds.
const DELIVERED_WITHIN: time::Duration = time::Duration::milliseconds(1_500);
/// How long events are counted, or statements.
const COUNTED: Duration = Duration::from_secs(6);
/// Few readers and many.
const FEW: usize = 10;
const MANY: usize = 200;
/// What the statements of two such times may differ by: events do not come evenly.
const UNEVEN: u64 = 20;

fn key(number: usize) -> String {
    format!("atg_dev_{number:08x}{}", "5".repeat(56))
}

/// A scan that the first server runs, a page at a time.
async fn running(one: &World) -> JobId {
    slow(one, 250);
    let body = json!({"tenant_id": one.tenant, "max_concurrency": 1, "no_aad_import": true});
    let taken: Value = one.post("/api/v1/scan", &body).await.json().await.unwrap();
    let job = taken["job_id"].as_str().unwrap().parse().unwrap();
    let calls = || one.sim.stats().calls.values().sum::<u64>();
    until("the first server scans", async || (calls() >= 3).then_some(())).await;
    job
}

fn long_scan() -> Setup {
    Setup::new(7, 4_000).sim(|sim| sim.arg_page_rows = 20)
}

/// How late the events of the time came.
async fn delays(mut socket: Socket) -> Vec<time::Duration> {
    let (begun, from) = (Instant::now(), OffsetDateTime::now_utc());
    let mut delays = Vec::new();
    while begun.elapsed() < COUNTED {
        let next = tokio::time::timeout(COUNTED, socket.next()).await;
        let Ok(Some(Ok(Message::Text(text)))) = next else {
            continue;
        };
        let now = OffsetDateTime::now_utc();
        let frame: Value = serde_json::from_str(&text).unwrap();
        let written = OffsetDateTime::parse(frame["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
        if written > from {
            delays.push(now - written);
        }
    }
    delays
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_writes_reaches_the_readers_of_another() {
    let Some(one) = first(long_scan()).await else { return };
    let job = running(&one).await;
    let other = another(&one).await;
    let path = format!("/ws/progress/{job}?after=0");
    let readers = (0..FEW).map(async |_| delays(open_socket(other.url(), &path, Some(KEY)).await.unwrap()).await);
    let mut all = futures_util::future::join_all(readers).await.concat();
    all.sort();
    assert!(all.len() >= 3 * FEW, "too few events to say anything: {}", all.len());
    let late = all[all.len() * 19 / 20];
    println!(
        "{} deliveries, half of them within {}, nineteen of twenty within {late}",
        all.len(),
        all[all.len() / 2]
    );
    assert!(late <= DELIVERED_WITHIN, "{late}");
    // Who has gone is forgotten, and nothing more is asked on their account.
    until("the readers are forgotten", async || {
        (other.held().watched_jobs == 0).then_some(())
    })
    .await;
    assert_eq!(other.held().streams, 0);
    one.client.cancel(job).await.unwrap();
}

/// Statements of the server within the time.
async fn statements(world: &World) -> u64 {
    let sent = || world.database().unwrap().proxy().statements();
    let before = sent();
    tokio::time::sleep(COUNTED).await;
    sent() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_on_the_database_does_not_grow_with_the_readers() {
    let keys = (0..2).map(key).collect::<Vec<_>>();
    let setup = long_scan().setting("ATG_API_KEYS", &format!("{KEY},{}", keys.join(",")));
    let Some(one) = first(setup).await else { return };
    let job = running(&one).await;
    let other = another(&one).await;
    let path = format!("/ws/progress/{job}?after=0");
    let read = async |count: usize| {
        let mut readers = Vec::new();
        for number in 0..count {
            let socket = open_socket(other.url(), &path, Some(&keys[number % keys.len()]))
                .await
                .unwrap();
            readers.push(tokio::spawn(async move {
                socket.for_each(async |frame| drop(frame.unwrap())).await;
            }));
        }
        readers
    };
    let few = read(FEW).await;
    let of_few = statements(&other).await;
    let many = read(MANY - FEW).await;
    assert_eq!(other.held().streams, MANY);
    let of_many = statements(&other).await;
    println!("{of_few} statements with {FEW} readers, {of_many} with {MANY}");
    assert!(
        of_many <= of_few + of_few / 4 + UNEVEN,
        "{of_few} statements became {of_many}"
    );
    for reader in few.into_iter().chain(many) {
        reader.abort();
    }
    until("the readers are forgotten", async || {
        (other.held().watched_jobs == 0).then_some(())
    })
    .await;
    one.client.cancel(job).await.unwrap();
}
