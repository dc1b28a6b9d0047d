//! Three servers that are killed, told to leave and stopped at random, while clients give orders and readers follow
//! them: afterwards every job has ended once, every reader has heard each event once, and all files are whole.
//!
//! `ATG_TEST_REPLICA_JOBS=200 ATG_TEST_REPLICA_SECONDS=300` runs the long form, `ATG_TEST_REPLICA_SEED` another one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use atg_tests::KEY;
use tokio::task::{JoinHandle, JoinSet};

use super::ends::{self, Ended};
use super::fleet::{Azure, Fleet, reader_key};
use super::reader::{Heard, Way, follow};
use super::undisturbed::Undisturbed;
use super::work::{Order, Taken, Wanted, orders};
use super::{asked, neo4j, unrest};

const JOBS: u64 = 30;
const SECONDS: u64 = 35;
const SEED: u64 = 7;
const SERVERS: usize = 3;
const TENANTS: u64 = 4;
const RESOURCES: usize = 60;
/// What an answer of Azure takes meanwhile, in milliseconds: a scan takes seconds.
const SLOW_MS: u64 = 60;
/// Every so many jobs are followed by each way at once, the others by one.
const BY_ALL_WAYS: usize = 4;
/// Once the unrest is over all jobs end within this and twice as long again as it lasted: leases pass, what has piled
/// up is worked off.
const ENDS_WITHIN: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_whatever_befalls_the_servers() {
    let Some(neo4j) = neo4j().await else { return };
    let (count, seconds) = (
        asked("ATG_TEST_REPLICA_JOBS", JOBS),
        asked("ATG_TEST_REPLICA_SECONDS", SECONDS),
    );
    let seed = asked("ATG_TEST_REPLICA_SEED", SEED);
    let azure = Azure::start(TENANTS, RESOURCES, SLOW_MS);
    let fleet = Arc::new(Fleet::start(neo4j, azure, SERVERS));
    let first = scan_all(&fleet).await;

    let (started, lasting) = (Instant::now(), Duration::from_secs(seconds));
    let disturbing = tokio::spawn(unrest::disturb(Arc::clone(&fleet), seed, lasting));
    let orders = orders(seed, count, &fleet.azure.tenants);
    let (taken, readers) = give_and_follow(&fleet, orders, lasting).await;
    let done = disturbing.await.unwrap();
    println!("{done:?} in {:?}", started.elapsed());
    fleet.azure.hurry();
    let listening = futures_util::future::join_all(readers);
    let heard = tokio::time::timeout(ENDS_WITHIN + lasting * 2, listening).await;
    let heard: Vec<Heard> = heard
        .expect("a job does not end, or a reader does not hear of it")
        .into_iter()
        .map(Result::unwrap)
        .collect();
    println!("all jobs have ended after {:?}", started.elapsed());

    let mut ended = Vec::new();
    for taken in taken {
        ended.push(Ended::of(fleet.url(), taken).await);
    }
    ends::one_job_for_each_name(fleet.url(), &first, &ended).await;
    ends::all_was_heard(&ended, &heard);
    let undisturbed = Undisturbed::of(&fleet).await;
    for ended in &ended {
        ended.fits(fleet.url(), &undisturbed).await;
    }
    ends::tell(&ended, &heard);
}

/// Scans every tenant once, before anything happens.
async fn scan_all(fleet: &Fleet) -> Vec<Taken> {
    let mut scans = Vec::new();
    for tenant in &fleet.azure.tenants {
        let order = Order::plain(format!("first-{tenant}"), Wanted::Scan, *tenant);
        scans.push(order.give(fleet.url()).await);
    }
    for scan in &scans {
        let heard = follow(fleet.url().to_owned(), KEY.to_owned(), scan.job, Way::Poll, 0).await;
        assert_eq!(heard.frames.last().unwrap()["status"], "completed", "{heard:?}");
    }
    scans
}

/// Gives the orders one after the other, over most of the time; each is followed from then on.
async fn give_and_follow(
    fleet: &Arc<Fleet>,
    orders: Vec<Order>,
    lasting: Duration,
) -> (Vec<Taken>, Vec<JoinHandle<Heard>>) {
    let pause = lasting * 4 / 5 / u32::try_from(orders.len()).unwrap();
    let mut giving = JoinSet::new();
    for (number, order) in orders.into_iter().enumerate() {
        let fleet = Arc::clone(fleet);
        giving.spawn(async move {
            tokio::time::sleep(pause * u32::try_from(number).unwrap()).await;
            let taken = order.give(fleet.url()).await;
            let readers = readers(&fleet, &taken, number);
            taken.cancel(fleet.url()).await;
            (taken, readers)
        });
    }
    let (mut all_taken, mut all_readers) = (Vec::new(), Vec::new());
    while let Some(given) = giving.join_next().await {
        let (taken, readers) = given.unwrap();
        all_taken.push(taken);
        all_readers.extend(readers);
    }
    (all_taken, all_readers)
}

fn readers(fleet: &Fleet, taken: &Taken, number: usize) -> Vec<JoinHandle<Heard>> {
    let ways = if number.is_multiple_of(BY_ALL_WAYS) {
        number..number + 3
    } else {
        number..number + 1
    };
    let follow = |way| {
        let (url, key) = (fleet.url().to_owned(), reader_key(number + way));
        let seed = u64::try_from(way).unwrap();
        tokio::spawn(follow(url, key, taken.job, Way::of(way), seed))
    };
    ways.map(follow).collect()
}
