//! Jobs, keys and caches that are moved.

use atg_auth::{ApiKey, KeyRecord, Rotation, Scope, StoredKey, Tenants};
use atg_models::job::{ArtifactInfo, Event, EventBody, JobError, JobFilter, JobState, Progress, WorkerId};
use atg_models::{Environment, Fence, JobId, Seq, error_code::ErrorCode};
use serde_json::Value;

use super::Neo4j;
use crate::contract::jobs::{id, insert, line, new, running, worker};
use crate::contract::moving::parts;
use crate::contract::world::*;
use crate::sqlite::{SqliteSource, Stores};
use crate::{GraphStore, Inserted, JobStore, KeyPut, KeyStore, StoreError, Transition};

/// Jobs of every state, with logs, and keys of every state.
async fn fill(stores: &Stores) {
    let jobs = &*stores.jobs;
    // Done, with a null for a result and a number that does not survive being printed anew.
    let done = running(jobs, 1).await;
    let fence = done.machine.fence;
    let progress = Progress {
        percent: 100.0 / 7.0,
        phase: "emit".to_owned(),
        ..Progress::default()
    };
    let events = vec![line("ä \u{1F600}"), EventBody::Progress(progress)];
    jobs.append(done.id, fence, events, at(2)).await.unwrap();
    let with = Transition {
        result: Some(Value::Null),
        artifact: Some(ArtifactInfo {
            lease: Fence::new(1),
            size_bytes: 4,
            sha256: "a".repeat(64),
            files: Vec::new(),
        }),
        ..Transition::default()
    };
    jobs.transition(done.id, Event::Succeeded { fence }, with, at(3))
        .await
        .unwrap();
    let failed = running(jobs, 2).await;
    let fence = failed.machine.fence;
    let error = JobError::new(ErrorCode::Internal, "it is broken");
    let event = Event::FailedFatal { fence, error };
    jobs.transition(failed.id, event, Transition::default(), at(4))
        .await
        .unwrap();
    // Running, with a checkpoint; waiting, beside an idempotency key.
    let held = running(jobs, 3).await;
    jobs.checkpoint_put(held.id, held.machine.fence, vec![0, 255, 7])
        .await
        .unwrap();
    jobs.append(held.id, held.machine.fence, vec![line("on its way")], at(5))
        .await
        .unwrap();
    let made = jobs
        .insert(new(4), Some(("my/own name".to_owned(), [9; 32])))
        .await
        .unwrap();
    assert!(matches!(made, Inserted::New(_)));
    insert(jobs, new(5)).await;

    let keys = &*stores.keys;
    for (number, name) in [(1, "ci"), (2, "gone"), (3, "old")] {
        assert_eq!(keys.put(key(number, name)).await.unwrap(), KeyPut::Made);
    }
    keys.revoke("gone", at(6)).await.unwrap();
    let rotation = Rotation {
        successor: key(4, "old"),
        old_expires_at: at(600),
    };
    keys.replace(&key(3, "old").record.prefix, rotation).await.unwrap();
    keys.touch(vec![(key(1, "ci").record.prefix, at(7))]).await.unwrap();

    stores
        .graph
        .cache_put(tenant(), "providers", vec![0, 1, 2, 255])
        .await
        .unwrap();
    stores
        .graph
        .cache_put(other_tenant(), "only a cache", b"x".to_vec())
        .await
        .unwrap();
}

fn key(number: u8, name: &str) -> StoredKey {
    let mut record = KeyRecord::of(
        &ApiKey::generate(Environment::Production, [number; 32]),
        name,
        Scope::Read,
        Tenants::Set([tenant(), other_tenant()].into()),
    );
    record.expires_at = (number == 1).then(|| at(6000));
    StoredKey::new(record, at(0))
}

async fn alike<A: JobStore, B: JobStore>(one: &A, other: &B) {
    let all = JobFilter::default();
    let jobs = one.list(all.clone(), 100, 0).await.unwrap();
    assert_eq!(jobs, other.list(all, 100, 0).await.unwrap());
    assert_eq!(jobs.total, 5);
    for job in jobs.jobs {
        let log = one.events(job.id, Seq::ZERO, 100).await.unwrap();
        assert_eq!(log, other.events(job.id, Seq::ZERO, 100).await.unwrap(), "{}", job.id);
        let checkpoint = one.checkpoint_get(job.id).await.unwrap();
        assert_eq!(checkpoint, other.checkpoint_get(job.id).await.unwrap());
    }
    assert_eq!(one.held().await.unwrap(), other.held().await.unwrap());
    assert_eq!(one.next_due().await.unwrap(), other.next_due().await.unwrap());
    assert_eq!(
        one.scans("12345678", at(10)).await.unwrap(),
        other.scans("12345678", at(10)).await.unwrap()
    );
}

/// What was moved goes on: names are known, late workers are refused, what ran runs again.
async fn goes_on<S: JobStore>(jobs: &S) {
    let again = jobs
        .insert(new(40), Some(("my/own name".to_owned(), [9; 32])))
        .await
        .unwrap();
    assert!(matches!(again, Inserted::Replayed(job) if job.id == id(4)));
    let other = jobs
        .insert(new(41), Some(("my/own name".to_owned(), [8; 32])))
        .await
        .unwrap();
    assert_eq!(other, Inserted::Mismatch);

    let held = jobs.get(id(3)).await.unwrap().unwrap();
    let late = held.machine.fence;
    let lease = held.machine.lease_until.unwrap();
    assert_eq!(jobs.expired(lease, 10).await.unwrap(), [id(3)]);
    let lost = jobs
        .transition(id(3), Event::LeaseExpired, Transition::default(), lease)
        .await
        .unwrap();
    assert_eq!(lost.machine.state, JobState::Queued);
    let mut claimed: Vec<JobId> = Vec::new();
    while let Some(next) = jobs.claim(&WorkerId("w2".to_owned()), lost.machine.due).await.unwrap() {
        claimed.push(next.job.id);
    }
    claimed.sort_unstable();
    assert_eq!(claimed, [id(3), id(4), id(5)]);
    let refused = jobs.append(id(3), late, vec![line("late")], lost.machine.due).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(jobs.checkpoint_get(id(3)).await.unwrap(), Some(vec![0, 255, 7]));
    let last = jobs.events(id(3), Seq::ZERO, 100).await.unwrap().last;
    let fence = jobs.get(id(3)).await.unwrap().unwrap().machine.fence;
    let next = jobs
        .append(id(3), fence, vec![line("again")], lost.machine.due)
        .await
        .unwrap();
    assert_eq!(next, last.next());
    assert_eq!(worker(), WorkerId("w1".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_and_keys_go_there_and_back() {
    let Some(neo4j) = Neo4j::fresh().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let sqlite = crate::sqlite::open(&one).unwrap();
    fill(&sqlite).await;
    neo4j.take_from(&one).await;
    alike(&*sqlite.jobs, &neo4j.jobs).await;
    assert_eq!(sqlite.keys.list().await.unwrap(), neo4j.keys.list().await.unwrap());
    assert!(neo4j.keys.revision().await.unwrap() > 0);
    let cached = neo4j.graph.cache_get(tenant(), "providers").await.unwrap();
    assert_eq!(cached, Some(vec![0, 1, 2, 255]));

    let back = neo4j.hand_to(&two).await;
    alike(&*back.jobs, &neo4j.jobs).await;
    assert_eq!(back.keys.list().await.unwrap(), neo4j.keys.list().await.unwrap());
    let cached = back.graph.cache_get(other_tenant(), "only a cache").await.unwrap();
    assert_eq!(cached, Some(b"x".to_vec()));
    let before = parts(&SqliteSource::new(&one).unwrap()).await;
    assert_eq!(before, parts(&SqliteSource::new(&two).unwrap()).await);

    // Each goes on by itself.
    goes_on(&neo4j.jobs).await;
    goes_on(&*back.jobs).await;
    let taken = neo4j.keys.put(key(9, "ci")).await.unwrap();
    assert_eq!(taken, KeyPut::NameTaken);
}
