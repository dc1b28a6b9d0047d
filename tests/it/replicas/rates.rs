//! Limits per key: together, servers let in no more than one would.

use atg_tests::{AheadClock, Setup, World};
use futures_util::future::join_all;
use serde_json::{Value, json};
use time::Duration;

use super::{another, first, two};

/// Requests a minute.
const LIMIT: usize = 60;
/// Requests that are sent to each server at a time.
const AT_A_TIME: usize = 5;

async fn admitted(worlds: &[&World], rounds: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..rounds {
        let sent = worlds
            .iter()
            .flat_map(|world| (0..AT_A_TIME).map(|_| world.get("/api/v1/tenants")));
        for answer in join_all(sent).await {
            match answer.status().as_u16() {
                200 => admitted += 1,
                429 => assert!(answer.headers().contains_key("retry-after")),
                other => panic!("{other}"),
            }
        }
    }
    admitted
}

#[tokio::test(flavor = "multi_thread")]
async fn together_no_more_than_the_limit_and_most_of_it() {
    let clock = AheadClock::default();
    let setup = Setup::new(7, 50)
        .clock(clock.clone())
        .setting("ATG_RATE_LIMIT_PER_MINUTE", &LIMIT.to_string());
    let Some(one) = first(setup).await else { return };
    let join = || async { Box::pin(Setup::beside(&one).clock(clock.clone()).start()).await };
    let (other, third) = (join().await, join().await);
    let worlds = [&one, &other, &third];
    for minute in 0..2 {
        let all = admitted(&worlds, 2 * LIMIT / AT_A_TIME / worlds.len()).await;
        assert!(all <= LIMIT, "minute {minute}: {all} requests were let in");
        assert!(
            all >= LIMIT * 9 / 10,
            "minute {minute}: only {all} requests were let in"
        );
        // A window, and what a server may have held of it.
        clock.advance(Duration::seconds(62));
    }
    // One that is left alone has all.
    let all = admitted(&[&other], 2 * LIMIT / AT_A_TIME).await;
    assert!((LIMIT * 9 / 10..=LIMIT).contains(&all), "{all} requests were let in");
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_of_an_hour_count_together() {
    let setup = Setup::new(7, 50).setting("ATG_RATE_LIMIT_SCANS_PER_HOUR", "3");
    let Some([one, other]) = two(setup).await else { return };
    let body = json!({"tenant_id": one.tenant});
    let sent = (0..5)
        .flat_map(|_| [&one, &other])
        .map(|world| world.post("/api/v1/scan", &body));
    let mut taken = Vec::new();
    for answer in join_all(sent).await {
        match answer.status().as_u16() {
            202 => {
                let job: Value = answer.json().await.unwrap();
                taken.push(job["job_id"].as_str().unwrap().parse().unwrap());
            }
            429 => {}
            status => panic!("{status}"),
        }
    }
    assert_eq!(taken.len(), 3, "{taken:?}");
    for world in [&one, &other] {
        assert_eq!(world.post("/api/v1/scan", &body).await.status(), 429);
    }
    for job in taken {
        other.completion(job).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_key_count_together() {
    let setup = Setup::new(7, 50).setting("ATG_MAX_JOBS_PER_KEY", "2");
    let Some(one) = first(setup).await else { return };
    super::slow(&one, 30_000);
    let other = another(&one).await;
    let (first, second) = (one.start_scan().await, other.start_scan().await);
    let body = json!({"tenant_id": one.tenant});
    for world in [&one, &other] {
        let refused = world.post("/api/v1/scan", &body).await;
        assert_eq!(refused.status(), 429);
        let said: Value = refused.json().await.unwrap();
        assert!(
            said["error"]["message"]
                .as_str()
                .unwrap()
                .contains("2 jobs of this key"),
            "{said}"
        );
    }
    for job in [first, second] {
        other.client.cancel(job).await.unwrap();
    }
}
