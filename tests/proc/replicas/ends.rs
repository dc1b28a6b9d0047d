//! How the jobs have ended: each once, as it may, with what it says in its log and what it has left.

use std::collections::{BTreeMap, BTreeSet};

use atg_models::JobId;
use atg_tests::KEY;
use serde_json::Value;

use super::log::{self, Told};
use super::reader::{Heard, Way};
use super::undisturbed::Undisturbed;
use super::work::{Taken, Wanted};
use super::{artifacts, http, persistent};

/// A job whose servers went so often fails, whatever it does.
const ATTEMPTS: u64 = 5;
/// Events of a page.
const PAGE: usize = 100;

/// A job as it is afterwards.
pub(crate) struct Ended {
    taken: Taken,
    status: Value,
    frames: Vec<Value>,
    told: Told,
}

async fn get(url: String) -> Value {
    let (answer, _) = persistent(http().get(&url).bearer_auth(KEY)).await;
    assert_eq!(answer.status(), 200, "{url}");
    answer.json().await.unwrap()
}

impl Ended {
    /// Reads what is there of a job. Its log has to be right.
    pub(crate) async fn of(url: &str, taken: Taken) -> Self {
        let job = format!("{url}/api/v1/operations/{}", taken.job);
        let status = get(job.clone()).await;
        let mut frames: Vec<Value> = Vec::new();
        loop {
            let query = format!("after={}&detail=1&limit={PAGE}", frames.len());
            let page = get(format!("{job}/events?{query}")).await;
            assert_eq!(page.get("gap"), None, "{page}");
            frames.extend(page["events"].as_array().unwrap().iter().cloned());
            if page["complete"] == true {
                break;
            }
        }
        let told = log::read(&frames).unwrap_or_else(|problem| panic!("{}: {problem}\n{frames:#?}", taken.job));
        Self {
            taken,
            status,
            frames,
            told,
        }
    }

    /// Its state, its log, its result and its files go together, and are those of an undisturbed job.
    pub(crate) async fn fits(&self, url: &str, undisturbed: &Undisturbed) {
        let Self {
            taken, status, told, ..
        } = self;
        assert_eq!(status["status"], told.end, "{status}");
        assert!(status["completed_at"].is_string(), "{status}");
        let attempt = status["attempt"].as_u64().unwrap();
        // An attempt that was given back does not count; neither does one whose server went before it said so.
        let last = told.leases.last().map_or(0, |lease| lease.attempt);
        assert!(attempt <= ATTEMPTS && last <= attempt + 1, "{status} {told:?}");
        match told.end.as_str() {
            "completed" => self.fits_completed(url, undisturbed).await,
            "failed" => {
                assert_eq!(status["error"]["code"], "ATTEMPTS_EXHAUSTED", "{status}");
                assert_eq!(attempt, ATTEMPTS, "{status}");
            }
            "cancelled" => assert!(taken.order.cancel_after.is_some(), "nobody has cancelled {status}"),
            other => panic!("{other}: {status}"),
        }
        if told.end != "completed" {
            let download = format!("{url}/api/v1/operations/{}/download", taken.job);
            let (answer, _) = persistent(http().get(download).bearer_auth(KEY)).await;
            assert_eq!(answer.status(), 404, "{status}");
        }
    }

    async fn fits_completed(&self, url: &str, undisturbed: &Undisturbed) {
        let cancelled_in = undisturbed.cancelled_in;
        let Taken { order, job, .. } = &self.taken;
        let result = &self.frames.last().unwrap()["result"];
        if order.wanted == Wanted::Scan {
            assert_eq!(result["verdict"], "complete", "{job}: {result}");
            let digest = &undisturbed.digests[&order.tenant];
            assert_eq!(result["graph_digest"], *digest, "{job}: {result}");
            return;
        }
        let hash = artifacts::whole(url, *job).await;
        let based_on = &result["based_on"];
        if based_on["verdict"] == "complete" {
            let undisturbed = &undisturbed.hashes[&(order.wanted, order.tenant)];
            assert_eq!(hash, *undisturbed, "{job}: {order:?} {result}");
        } else {
            assert!(order.tenant == cancelled_in, "{job}: {order:?} {based_on}");
        }
    }
}

/// Each name was answered with its own job whenever it was asked for, and there are no other jobs.
pub(crate) async fn one_job_for_each_name(url: &str, first: &[Taken], ended: &[Ended]) {
    let mut jobs = BTreeSet::new();
    let all: Vec<&Taken> = first.iter().chain(ended.iter().map(|ended| &ended.taken)).collect();
    for taken in &all {
        let (again, _, replayed) = taken.order.ask(url).await;
        assert_eq!(again, taken.job, "{:?}", taken.order);
        assert!(replayed, "{again} was made anew");
        assert!(jobs.insert(again.to_string()), "{again} has two names");
    }
    let listed = http().get(format!("{url}/api/v1/operations?limit=1")).bearer_auth(KEY);
    let (listed, _) = persistent(listed).await;
    let total: usize = listed.headers()["x-total-count"].to_str().unwrap().parse().unwrap();
    assert_eq!(total, all.len(), "jobs that nobody knows");
}

/// What each reader has heard is the whole log of its job.
pub(crate) fn all_was_heard(ended: &[Ended], heard: &[Heard]) {
    let logs: BTreeMap<String, &[Value]> = ended
        .iter()
        .map(|ended| (ended.taken.job.to_string(), ended.frames.as_slice()))
        .collect();
    for heard in heard {
        let job: JobId = heard.job;
        let log = logs[&job.to_string()];
        assert_eq!(heard.frames.as_slice(), log, "{job}, by {:?}", heard.way);
    }
    let followed: BTreeSet<String> = heard.iter().map(|heard| heard.job.to_string()).collect();
    assert_eq!(followed.len(), ended.len(), "a job without a reader");
}

/// Prints what it was about.
pub(crate) fn tell(ended: &[Ended], heard: &[Heard]) {
    let sum = |of: fn(&Ended) -> u64| ended.iter().map(of).sum::<u64>();
    let length = |length: usize| u64::try_from(length).unwrap();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for ended in ended {
        *ends.entry(&ended.told.end).or_default() += 1;
    }
    println!(
        "{} jobs: {ends:?}, asked for {} times, {} leases, {} events",
        ended.len(),
        sum(|ended| ended.taken.sent),
        ended.iter().map(|ended| length(ended.told.leases.len())).sum::<u64>(),
        ended.iter().map(|ended| length(ended.frames.len())).sum::<u64>(),
    );
    for way in [Way::Socket, Way::Stream, Way::Poll] {
        let of_way = heard.iter().filter(|heard| heard.way == way);
        let (readers, lines, events) = of_way.fold((0_u64, 0, 0), |(readers, lines, events), heard| {
            (readers + 1, lines + heard.lines, events + length(heard.frames.len()))
        });
        println!("{way:?}: {readers} readers over {lines} lines heard {events} events");
    }
}
