//! Commits whose answer is lost: whatever became of them, each is carried out once.

use std::sync::Arc;

use atg_models::Seq;
use atg_models::job::{Event, EventBody, JobFilter, JobState};
use serde_json::json;

use crate::contract::jobs::{id, line, new, percent, running, worker};
use crate::contract::world::at;
use crate::neo4j::driver::Driver;
use crate::neo4j::tests::cutter::{CUTS, Cut, Cutter};
use crate::neo4j::tests::world::{Turn, fresh};
use crate::neo4j::{Neo4jJobs, limits};
use crate::{Inserted, JobLimits, JobStore as _, StoreError, Transition};

/// More lost answers than the driver has tries for.
fn too_many() -> usize {
    usize::try_from(limits::TRIES).unwrap()
}

/// A store behind a proxy, and one in front of it.
struct Lossy {
    cutter: Cutter,
    behind: Neo4jJobs,
    plain: Neo4jJobs,
    _turn: Turn,
}

async fn lossy(cut: Cut) -> Option<Lossy> {
    let turn = fresh().await?;
    let cutter = Cutter::start(&turn.config, cut).await;
    let driver = Arc::new(Driver::new(&cutter.config(&turn.config)).unwrap());
    Some(Lossy {
        cutter,
        behind: Neo4jJobs::new(driver, JobLimits::default()),
        plain: Neo4jJobs::new(Arc::clone(&turn.driver), JobLimits::default()),
        _turn: turn,
    })
}

/// Calls until the store answers, as the engine does: once when the driver's own tries are enough.
macro_rules! called {
    ($world:expr, $lost:expr, $call:expr) => {{
        $world.cutter.cut($lost);
        let first = $call.await;
        if $lost < too_many() {
            first
        } else {
            let error = first.map(drop).unwrap_err();
            assert!(error.is_retryable(), "{error}");
            $call.await
        }
    }};
}

async fn log(store: &Neo4jJobs) -> Vec<EventBody> {
    let page = store.events(id(1), Seq::ZERO, 100).await.unwrap();
    let seqs: Vec<u64> = page.events.iter().map(|event| event.seq.get()).collect();
    let count = u64::try_from(seqs.len()).unwrap();
    assert_eq!(seqs, (1..=count).collect::<Vec<_>>());
    page.events.into_iter().map(|event| event.body).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_written_once() {
    for cut in CUTS {
        for lost in [1, too_many()] {
            let Some(world) = lossy(cut).await else { return };
            let fence = running(&world.plain, 1).await.machine.fence;
            let events = || vec![line("a"), percent(5.0)];
            let end = called!(world, lost, world.behind.append(id(1), fence, events(), at(2))).unwrap();
            assert_eq!(end, Seq::new(2), "{cut:?} {lost}");
            assert_eq!(log(&world.plain).await, events(), "{cut:?} {lost}");
            // What is said again later is another event.
            let end = world.behind.append(id(1), fence, events(), at(3)).await.unwrap();
            assert_eq!(end, Seq::new(4), "{cut:?} {lost}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_may_be_written_are_not_written_again_with_the_end() {
    for cut in CUTS {
        let Some(world) = lossy(cut).await else { return };
        let fence = running(&world.plain, 1).await.machine.fence;
        world.cutter.cut(too_many());
        let lost = world.behind.append(id(1), fence, vec![line("a")], at(2)).await;
        assert!(matches!(lost, Err(StoreError::Unavailable { .. })), "{lost:?}");
        let with = Transition {
            events: vec![line("a"), line("b")],
            ..Transition::default()
        };
        world
            .behind
            .transition(id(1), Event::Succeeded { fence }, with, at(3))
            .await
            .unwrap();
        let (state, result) = (JobState::Succeeded, serde_json::Value::Null);
        let end = EventBody::Completion { state, result };
        assert_eq!(log(&world.plain).await, [line("a"), line("b"), end], "{cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_not_refused_because_it_was_ours() {
    for cut in CUTS {
        for lost in [1, too_many()] {
            let Some(world) = lossy(cut).await else { return };
            let fence = running(&world.plain, 1).await.machine.fence;
            let with = || Transition {
                result: Some(json!({"files": 3})),
                events: vec![line("done")],
                ..Transition::default()
            };
            let end = || Event::Succeeded { fence };
            let done = called!(world, lost, world.behind.transition(id(1), end(), with(), at(3))).unwrap();
            assert_eq!(done.machine.state, JobState::Succeeded, "{cut:?} {lost}");
            assert_eq!(world.plain.get(id(1)).await.unwrap(), Some(done));
            assert_eq!(log(&world.plain).await.len(), 2, "{cut:?} {lost}");
            let other = world.plain.transition(id(1), end(), with(), at(4)).await;
            assert!(matches!(other, Err(StoreError::Refused(_))), "{other:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_is_answered_again() {
    for cut in CUTS {
        for lost in [1, too_many()] {
            let Some(world) = lossy(cut).await else { return };
            for number in [1, 2] {
                world.plain.insert(new(number), None).await.unwrap();
            }
            let job = called!(world, lost, world.behind.claim(&worker(), at(2)));
            let job = job.unwrap().unwrap().job;
            assert_eq!((job.id, job.machine.attempt), (id(1), 1), "{cut:?} {lost}");
            assert_eq!(world.plain.held().await.unwrap(), [(id(1), worker())], "{cut:?} {lost}");
            let next = world.behind.claim(&worker(), at(3)).await.unwrap().unwrap().job;
            assert_eq!(next.id, id(2), "{cut:?} {lost}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_makes_one_job() {
    for cut in CUTS {
        let Some(world) = lossy(cut).await else { return };
        let key = || Some(("k".to_owned(), [1; 32]));
        world.cutter.cut(1);
        let made = world.behind.insert(new(1), key()).await.unwrap();
        assert!(matches!(made, Inserted::New(_)), "{cut:?} {made:?}");
        world.cutter.cut(too_many());
        let lost = world.behind.insert(new(2), Some(("l".to_owned(), [1; 32]))).await;
        assert!(matches!(lost, Err(StoreError::Unavailable { .. })), "{lost:?}");
        // The client submits again, and gets another id.
        let again = world
            .behind
            .insert(new(3), Some(("l".to_owned(), [1; 32])))
            .await
            .unwrap();
        match again {
            Inserted::Replayed(job) => {
                assert_eq!(job.id, id(2));
                assert_ne!(cut, Cut::Before);
            }
            Inserted::New(_) => assert_eq!(cut, Cut::Before),
            other @ (Inserted::Mismatch | Inserted::Full(_)) => panic!("{other:?}"),
        }
        assert_eq!(
            world.plain.list(JobFilter::default(), 10, 0).await.unwrap().total,
            2,
            "{cut:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_purge_removed_is_said() {
    for cut in CUTS {
        let Some(world) = lossy(cut).await else { return };
        for number in [1, 2] {
            let fence = running(&world.plain, number).await.machine.fence;
            let end = Event::Succeeded { fence };
            let ended = world.plain.transition(id(number), end, Transition::default(), at(5));
            ended.await.unwrap();
        }
        let purge = || world.behind.purge(at(6), at(0), 10);
        // The first commit is that of the old keys, the next that of the first job.
        world.cutter.cut_behind(1, too_many());
        assert!(purge().await.is_err());
        let mut removed = purge().await.unwrap();
        removed.sort_by_key(ToString::to_string);
        assert_eq!(removed, [id(1), id(2)], "{cut:?}");
        assert_eq!(purge().await.unwrap(), [], "{cut:?}");
    }
}
