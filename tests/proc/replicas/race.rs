//! Eight processes claim one job at the same moment, again and again. `ATG_TEST_RACE_ROUNDS=1000` runs the long form.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use atg_db::neo4j::Stores;
use atg_db::{Inserted, JobLimits, JobStore, Transition};
use atg_models::job::{Event, NewJob, OnCrash, TenantUse};
use atg_models::{Clock as _, IdGen as _, JobKind};
use atg_neo4j::Access;
use atg_server::{SystemClock, SystemIds};
use serde_json::Value;
use uuid::Uuid;

use super::{asked, neo4j};

const ROUNDS: u64 = 100;
const PROCESSES: usize = 8;

/// A process that claims when it is told to.
struct Claimant {
    name: String,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
    child: Child,
}

impl Claimant {
    fn start(access: &Access) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_claimant"))
            .env("NEO4J_URI", &access.uri)
            .env("NEO4J_USER", &access.user)
            .env("NEO4J_PASSWORD", &access.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut claimant = Self {
            name: String::new(),
            told: child.stdin.take().unwrap(),
            says: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        claimant.name = claimant.said();
        claimant
    }

    fn said(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{} has ended", self.name);
        line.trim_end().to_owned()
    }
}

impl Drop for Claimant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn new_job() -> NewJob {
    let now = SystemClock.now();
    NewJob {
        id: SystemIds.job_id(JobKind::GenerateIac, now),
        tenant: Uuid::from_u128(0x11).to_string(),
        tenant_use: TenantUse::Shared,
        on_crash: OnCrash::Rerun,
        key_prefix: "12345678".to_owned(),
        params: Value::Null,
        created_at: now,
    }
}

/// All claim; the names of those who say that they got this job, or any.
fn winners(claimants: &mut [Claimant]) -> Vec<(String, String)> {
    for claimant in &mut *claimants {
        claimant.told.write_all(b"now\n").unwrap();
    }
    let said = claimants
        .iter_mut()
        .map(|claimant| (claimant.said(), claimant.name.clone()));
    said.filter(|(said, _)| said != "nothing").collect()
}

/// One round; answers who won.
async fn round(jobs: &dyn JobStore, claimants: &mut [Claimant]) -> String {
    let job = new_job();
    let id = job.id;
    let inserted = jobs.insert(job, None).await.unwrap();
    assert!(matches!(inserted, Inserted::New(_)), "{inserted:?}");
    let mut winners = tokio::task::block_in_place(|| winners(claimants));
    assert_eq!(winners.len(), 1, "{id} was claimed by {winners:?}");
    let (claimed, winner) = winners.remove(0);
    assert_eq!(claimed, id.to_string());
    let machine = jobs.get(id).await.unwrap().unwrap().machine;
    assert_eq!((machine.attempt, machine.fence.get()), (1, 1));
    assert_eq!(machine.owner.map(|owner| owner.0).as_ref(), Some(&winner));
    let end = Event::Succeeded { fence: machine.fence };
    let ended = jobs.transition(id, end, Transition::default(), SystemClock.now());
    ended.await.unwrap();
    winner
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_processes_that_claim_a_job_one_gets_it() {
    let Some(neo4j) = neo4j().await else { return };
    let access = neo4j.access();
    let stores = Stores::new(&atg_tests::neo4j_config(&access), JobLimits::default()).unwrap();
    Box::pin(stores.prepare()).await.unwrap();
    let start = || (0..PROCESSES).map(|_| Claimant::start(&access)).collect();
    let mut claimants: Vec<Claimant> = tokio::task::block_in_place(start);
    let rounds = asked("ATG_TEST_RACE_ROUNDS", ROUNDS);
    let started = Instant::now();
    let mut won: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..rounds {
        let winner = round(stores.jobs.as_ref(), &mut claimants).await;
        *won.entry(winner).or_default() += 1;
    }
    println!("{rounds} jobs in {:?}, won by {:?}", started.elapsed(), won.values());
    // One that always comes first would have nobody to race with.
    assert!(won.len() > 1, "{won:?}");
}
