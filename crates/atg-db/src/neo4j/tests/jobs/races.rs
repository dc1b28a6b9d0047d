//! What several servers do at once. `ATG_TEST_RACE_ROUNDS=1000` runs the long form.

use std::collections::BTreeSet;

use atg_models::job::{Event, JobFilter, JobState, NewJob, Refused, TenantUse, WorkerId};
use atg_models::{JobId, JobKind, Seq, limits};
use futures_util::future::join_all;
use uuid::Uuid;

use super::servers;
use crate::contract::jobs::{id, line, new, running, worker};
use crate::contract::world::at;
use crate::neo4j::Neo4jJobs;
use crate::neo4j::tests::world::fresh;
use crate::{Bound, Inserted, JobLimits, JobStore as _, StoreError, Transition};

const ROUNDS: u128 = 40;

fn rounds() -> u128 {
    #[allow(clippy::disallowed_methods, reason = "the long form is asked for in the environment")]
    let wanted = std::env::var("ATG_TEST_RACE_ROUNDS");
    wanted.map_or(ROUNDS, |wanted| wanted.parse().unwrap())
}

fn many() -> JobLimits {
    JobLimits {
        per_key: 1_000,
        scans_per_hour: 1_000,
    }
}

fn of_tenant(number: u128, tenant: u128, tenant_use: TenantUse) -> NewJob {
    NewJob {
        tenant: Uuid::from_u128(tenant).to_string(),
        tenant_use,
        ..new(number)
    }
}

/// Each server claims once, all at the same time; the jobs that were claimed.
async fn claims(servers: &[Neo4jJobs], second: i64) -> Vec<JobId> {
    let workers: Vec<_> = (0..servers.len()).map(|n| WorkerId(format!("w{n}"))).collect();
    let claims = servers
        .iter()
        .zip(&workers)
        .map(|(server, worker)| server.claim(worker, at(second)));
    let claimed = join_all(claims).await;
    claimed
        .into_iter()
        .filter_map(|claimed| Some(claimed.unwrap()?.job.id))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_who_claim_a_job_one_gets_it() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    for round in 1..=rounds() {
        servers[0].insert(new(round), None).await.unwrap();
        assert_eq!(claims(&servers, 1).await, [id(round)], "round {round}");
        let job = servers[0].get(id(round)).await.unwrap().unwrap();
        assert_eq!((job.machine.attempt, job.machine.fence.get()), (1, 1), "round {round}");
        let fence = job.machine.fence;
        let end = servers[1].transition(id(round), Event::Succeeded { fence }, Transition::default(), at(2));
        end.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_shared_out_without_doubles() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    for number in 1..=40 {
        servers[0].insert(new(number), None).await.unwrap();
    }
    let mut claimed = Vec::new();
    for _ in 0..5 {
        claimed.extend(claims(&servers, 1).await);
    }
    assert_eq!(claimed.len(), 40);
    assert_eq!(
        claimed.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(),
        40
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_submissions_with_one_key_make_one_job() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, JobLimits::default());
    // The queue is there: what is made by the first of all locks by being made.
    servers[0].insert(new(1_000), None).await.unwrap();
    let inserts = (1..=100_u128).zip(servers.iter().cycle()).map(|(number, server)| {
        let key = Some(("k".to_owned(), [1; 32]));
        server.insert(new(number), key)
    });
    let mut made = Vec::new();
    let mut replayed = Vec::new();
    for inserted in join_all(inserts).await {
        match inserted.unwrap() {
            Inserted::New(job) => made.push(job.id),
            Inserted::Replayed(job) => replayed.push(job.id),
            other @ (Inserted::Mismatch | Inserted::Full(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!((made.len(), replayed.len()), (1, 99));
    assert!(replayed.iter().all(|id| *id == made[0]));
    let all = servers[0].list(JobFilter::default(), 10, 0).await.unwrap();
    assert_eq!(all.total, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounds_hold_under_load() {
    let Some(turn) = fresh().await else { return };
    let limits = JobLimits {
        per_key: 20,
        scans_per_hour: 5,
    };
    let servers = servers(&turn, limits);
    let scan = |number| JobId::new(JobKind::Scan, Uuid::from_u128(number));
    let jobs = (1..=80_u128).map(|number| NewJob {
        id: if number % 2 == 0 { scan(number) } else { id(number) },
        ..new(number)
    });
    let inserts = jobs
        .zip(servers.iter().cycle())
        .map(|(job, server)| server.insert(job, None));
    let (mut scans, mut others) = (0, 0);
    for inserted in join_all(inserts).await {
        match inserted.unwrap() {
            Inserted::New(job) if job.id.kind() == JobKind::Scan => scans += 1,
            Inserted::New(_) => others += 1,
            Inserted::Full(Bound::ScansOfKey { limit: 5, .. } | Bound::JobsOfKey { limit: 20 }) => {}
            other @ (Inserted::Replayed(_) | Inserted::Mismatch | Inserted::Full(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!(scans + others, 20);
    assert!(scans <= 5, "{scans}");
    let quota = servers[3].scans(&new(1).key_prefix, at(0)).await.unwrap();
    assert_eq!(quota.used, scans);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_many_write_has_no_gap_and_no_double() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    let fence = running(&servers[0], 1).await.machine.fence;
    let appends = (0..160).zip(servers.iter().cycle()).map(|(number, server)| {
        let line = line(&number.to_string());
        server.append(id(1), fence, vec![line], at(2))
    });
    let ends = join_all(appends).await;
    let ends: BTreeSet<u64> = ends.into_iter().map(|end| end.unwrap().get()).collect();
    assert_eq!(ends, (1..=160).collect());
    let page = servers[5].events(id(1), Seq::ZERO, 1_000).await.unwrap();
    let seqs: Vec<u64> = page.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, (1..=160).collect::<Vec<_>>());
    let said: BTreeSet<String> = page.events.iter().map(|event| format!("{:?}", event.body)).collect();
    assert_eq!(said.len(), 160);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scans_of_two_tenants_run_beside_each_other_and_of_one_after_each_other() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    for round in 0..8_u128 {
        let first = round * 10 + 1;
        for (number, tenant) in [(first, 1), (first + 1, 1), (first + 2, 2), (first + 3, 2)] {
            let job = of_tenant(number, tenant, TenantUse::Exclusive);
            servers[0].insert(job, None).await.unwrap();
        }
        let mut claimed = claims(&servers, 1).await;
        claimed.sort_by_key(ToString::to_string);
        assert_eq!(claimed, [id(first), id(first + 2)], "round {round}");
        // Those that are held back say so once, whoever looked.
        for (held_back, by) in [(first + 1, first), (first + 3, first + 2)] {
            let log = servers[1].events(id(held_back), Seq::ZERO, 10).await.unwrap();
            assert_eq!(log.events.len(), 1, "{log:?}");
            assert!(format!("{:?}", log.events[0].body).contains(&id(by).to_string()));
        }
        for number in first..first + 4 {
            let end = servers[2].transition(id(number), Event::CancelRequested, Transition::default(), at(2));
            if end.await.unwrap().machine.state == JobState::Cancelling {
                let gone = servers[3].transition(id(number), Event::OwnerGone, Transition::default(), at(2));
                gone.await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_lease_is_taken_over_once() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    for round in 1..=8 {
        let old = running(&servers[0], round).await.machine;
        let late = old.lease_until.unwrap();
        let second = 1 + limits::LEASE.whole_seconds();
        assert_eq!(late, at(second));
        assert_eq!(servers[1].expired(late, 10).await.unwrap(), [id(round)]);
        let expiries = servers
            .iter()
            .map(|server| server.transition(id(round), Event::LeaseExpired, Transition::default(), late));
        let expired = join_all(expiries).await;
        assert_eq!(
            expired.iter().filter(|outcome| outcome.is_ok()).count(),
            1,
            "{expired:?}"
        );
        assert_eq!(claims(&servers, second).await, [id(round)], "round {round}");
        let job = servers[2].get(id(round)).await.unwrap().unwrap().machine;
        assert_eq!((job.attempt, job.fence), (2, old.fence.next()));
        let fence = old.fence;
        for event in [Event::Renewed { fence }, Event::Succeeded { fence }] {
            let stale = servers[3]
                .transition(id(round), event, Transition::default(), late)
                .await;
            assert!(
                matches!(stale, Err(StoreError::Refused(Refused::StaleFence))),
                "{stale:?}"
            );
        }
        let fence = job.fence;
        let end = servers[4].transition(id(round), Event::Succeeded { fence }, Transition::default(), late);
        end.await.unwrap();
    }
}

/// Whatever comes first, nobody works on a job that its client believes to be cancelled without being told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_and_a_claim_meet() {
    let Some(turn) = fresh().await else { return };
    let servers = servers(&turn, many());
    for round in 1..=rounds().min(100) {
        servers[0].insert(new(round), None).await.unwrap();
        let worker = worker();
        let cancel = servers[1].transition(id(round), Event::CancelRequested, Transition::default(), at(1));
        let (claimed, cancelled) = tokio::join!(servers[2].claim(&worker, at(1)), cancel);
        let claimed = claimed.unwrap().map(|claimed| claimed.job);
        let state = cancelled.unwrap().machine.state;
        let expected = if claimed.is_some() {
            JobState::Cancelling
        } else {
            JobState::Cancelled
        };
        assert_eq!(state, expected, "round {round}");
        let stored = servers[3].get(id(round)).await.unwrap().unwrap().machine.state;
        assert_eq!(stored, expected, "round {round}");
        if let Some(job) = claimed {
            let fence = job.machine.fence;
            let end = servers[4].transition(id(round), Event::Stopped { fence }, Transition::default(), at(2));
            end.await.unwrap();
        }
    }
}
