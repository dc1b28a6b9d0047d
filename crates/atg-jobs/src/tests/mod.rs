//! The engine with operations made for its tests, on a clock that the tests move.

mod watched;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use atg_db::{Inserted, JobStore as _, StoreError, Transition};
use atg_models::job::{
    Event, EventBody, JobError, JobRecord, JobState, LogLevel, OnCrash, Progress, Refused, TenantUse, WorkerId,
};
use atg_models::limits::{BACKOFF_BASE, EVENT_LOG_TAIL_ROWS};
use atg_models::{Clock as _, ErrorCode, Fence, JobId, JobKind, Seq};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Duration;
use time::macros::datetime;
use tokio::sync::Semaphore;

use crate::testing::{TestClock, TestIds};
use crate::{
    Engine, Finished, Item, Operation, OperationContext, OperationError, OperationLimits, Parts, Registry, Settings,
};
use watched::{NoArtifacts, WatchedJobs};

/// What a job of these tests does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Script {
    Finish,
    /// Waits for a permit, or for its token.
    Hold,
    /// Never looks at its token.
    Deaf,
    Panic,
    Fatal,
    /// Fails retryably in attempts before this one.
    FailBefore(u32),
    StoreDown,
    /// Says so many lines, each after the one before was taken for writing.
    Talk(u32),
    /// Keeps a checkpoint in the first attempt and holds; finishes when it finds one.
    Checkpoint,
}

#[derive(Clone)]
struct Probe {
    permits: Arc<Semaphore>,
    started: Arc<AtomicU32>,
}

struct Scripted<const EXCLUSIVE: bool>(Probe);

impl<const EXCLUSIVE: bool> Scripted<EXCLUSIVE> {
    async fn play(&self, context: &dyn OperationContext, script: Script) -> Result<(), OperationError> {
        let attempt = self.0.started.fetch_add(1, Ordering::SeqCst) + 1;
        let token = context.cancelled();
        match script {
            Script::Hold => tokio::select! {
                permit = self.0.permits.acquire() => {
                    permit.unwrap().forget();
                    Ok(())
                }
                () = token.cancelled() => Err(OperationError::Stopped),
            },
            Script::Deaf => std::future::pending().await,
            Script::Panic => panic!("on purpose"),
            Script::Fatal => Err(OperationError::Fatal(JobError::new(ErrorCode::TenantNotFound, "no"))),
            Script::FailBefore(good) if attempt < good => Err(OperationError::Retryable(JobError::new(
                ErrorCode::AzureUnavailable,
                "later",
            ))),
            Script::Finish | Script::FailBefore(_) => Ok(()),
            Script::StoreDown => Err(OperationError::Store(StoreError::Unavailable {
                doing: "testing",
                source: "down".into(),
            })),
            Script::Talk(lines) => {
                for line in 0..lines {
                    context.log(LogLevel::Info, line.to_string());
                    context.progress(Progress {
                        percent: f64::from(line % 70),
                        ..Progress::default()
                    });
                    if line % 50 == 49 {
                        let due = context.clock().now() + Duration::milliseconds(250);
                        context.clock().sleep_until(due).await;
                    }
                }
                Ok(())
            }
            Script::Checkpoint => {
                if context.checkpoint().await.map_err(OperationError::Store)?.is_some() {
                    return Ok(());
                }
                context.keep(b"here".to_vec()).await.map_err(OperationError::Store)?;
                token.cancelled().await;
                Err(OperationError::Stopped)
            }
        }
    }
}

macro_rules! scripted {
    ($exclusive:literal, $kind:ident, $use:ident, $crash:ident) => {
        #[async_trait]
        impl Operation for Scripted<$exclusive> {
            const KIND: JobKind = JobKind::$kind;
            type Params = Script;
            type Outcome = String;

            fn limits(&self) -> OperationLimits {
                OperationLimits {
                    deadline: Duration::hours(1),
                    max_attempts: 3,
                }
            }

            fn on_crash(&self) -> OnCrash {
                OnCrash::$crash
            }

            fn tenant_use(&self) -> TenantUse {
                TenantUse::$use
            }

            async fn run(
                &self,
                context: &dyn OperationContext,
                params: Script,
            ) -> Result<Finished<String>, OperationError> {
                self.play(context, params).await?;
                Ok(Finished {
                    outcome: "done".to_owned(),
                    artifact: None,
                })
            }
        }
    };
}
scripted!(true, Scan, Exclusive, Rerun);
scripted!(false, GenerateIac, Shared, Interrupt);

struct World {
    clock: TestClock,
    jobs: Arc<WatchedJobs>,
    artifacts: Arc<NoArtifacts>,
    ids: TestIds,
    probe: Probe,
    engine: Engine,
    _folder: tempfile::TempDir,
}

const TENANT: &str = "11111111-1111-1111-1111-111111111111";

impl World {
    fn new(max_concurrent_ops: usize) -> Self {
        let clock = TestClock::at(datetime!(2026-01-01 12:00 UTC));
        let folder = tempfile::tempdir().unwrap();
        let jobs = Arc::new(WatchedJobs::new(atg_db::sqlite::open(folder.path()).unwrap().jobs));
        let artifacts = Arc::new(NoArtifacts::default());
        let probe = Probe {
            permits: Arc::new(Semaphore::new(0)),
            started: Arc::default(),
        };
        let engine = engine(&clock, &jobs, &artifacts, &probe, "one", max_concurrent_ops);
        engine.start();
        Self {
            clock,
            jobs,
            artifacts,
            ids: TestIds::default(),
            probe,
            engine,
            _folder: folder,
        }
    }

    /// Another process on the same store.
    fn next_process(&mut self) {
        self.engine = engine(&self.clock, &self.jobs, &self.artifacts, &self.probe, "two", 3);
        self.engine.start();
    }

    async fn submit(&self, kind: JobKind, script: Script) -> JobId {
        self.submit_for(kind, script, TENANT).await
    }

    async fn submit_for(&self, kind: JobKind, script: Script, tenant: &str) -> JobId {
        let job = self
            .engine
            .new_job(kind, tenant.to_owned(), "key".to_owned(), json!(script), &self.ids)
            .unwrap();
        let id = job.id;
        assert!(matches!(self.engine.submit(job, None).await, Ok(Inserted::New(_))));
        id
    }

    async fn state(&self, id: JobId) -> JobState {
        self.jobs.get(id).await.unwrap().unwrap().machine.state
    }

    async fn reach(&self, id: JobId, wanted: JobState) -> JobRecord {
        eventually(|| async move { self.state(id).await == wanted }).await;
        self.jobs.get(id).await.unwrap().unwrap()
    }

    async fn started(&self, count: u32) {
        eventually(|| async move { self.probe.started.load(Ordering::SeqCst) == count }).await;
    }

    fn error_code(record: &JobRecord) -> Option<ErrorCode> {
        record.machine.error.as_ref().map(|error| error.code)
    }
}

fn engine(
    clock: &TestClock,
    jobs: &Arc<WatchedJobs>,
    artifacts: &Arc<NoArtifacts>,
    probe: &Probe,
    worker: &str,
    max_concurrent_ops: usize,
) -> Engine {
    let registry = Registry::default()
        .with(Scripted::<true>(probe.clone()))
        .with(Scripted::<false>(probe.clone()));
    Engine::new(
        Parts {
            jobs: Arc::<WatchedJobs>::clone(jobs),
            artifacts: Arc::<NoArtifacts>::clone(artifacts),
            clock: Arc::new(clock.clone()),
            registry,
        },
        Settings {
            worker: WorkerId(worker.to_owned()),
            max_concurrent_ops,
            sole_owner: true,
            artifact_ttl: Duration::days(7),
            job_ttl: Duration::days(30),
        },
    )
}

/// Waits for a level, with a deadline in real time.
async fn eventually<F: Future<Output = bool>>(mut check: impl FnMut() -> F) {
    let reached = async {
        while !check().await {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), reached)
        .await
        .expect("the state is reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_to_its_end_and_says_so() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Talk(3)).await;
    let record = world
        .engine
        .wait_terminal(id, world.clock.now() + Duration::HOUR)
        .await
        .unwrap();
    assert_eq!(record.machine.state, JobState::Succeeded);
    assert_eq!(record.result, Some(json!("done")));
    assert_eq!(record.progress.map(|progress| progress.percent), Some(100.0));
    let events = world.jobs.events(id, Seq::ZERO, 100).await.unwrap().events;
    assert!(matches!(events.last().unwrap().body, EventBody::Completion { .. }));
    let lines = events
        .iter()
        .filter(|event| matches!(event.body, EventBody::Log { .. }))
        .count();
    assert_eq!(lines, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_end_as_their_kind_says() {
    let world = World::new(3);
    for (script, code) in [
        (Script::Fatal, ErrorCode::TenantNotFound),
        (Script::Panic, ErrorCode::Internal),
    ] {
        let id = world.submit(JobKind::Scan, script).await;
        let record = world.reach(id, JobState::Failed).await;
        assert_eq!(World::error_code(&record), Some(code));
    }
    let id = world.submit(JobKind::Scan, Script::Finish).await;
    world.reach(id, JobState::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_read_fails() {
    let world = World::new(3);
    let mut job = world
        .engine
        .new_job(JobKind::Scan, TENANT.to_owned(), String::new(), json!(1), &world.ids)
        .unwrap();
    job.params = json!({"nonsense": 1});
    let id = job.id;
    world.engine.submit(job, None).await.unwrap();
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::InvalidRequest));
    assert!(
        world
            .engine
            .new_job(
                JobKind::AgentMode,
                TENANT.to_owned(),
                String::new(),
                json!(1),
                &world.ids
            )
            .is_none(),
        "no such operation"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retryable_failure_is_tried_again_after_its_wait() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::FailBefore(2)).await;
    world.started(1).await;
    world.reach(id, JobState::Queued).await;
    world.clock.advance(BACKOFF_BASE);
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_end_at_the_operations_own_limit() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::StoreDown).await;
    for attempt in 1..=3 {
        world.started(attempt).await;
        if attempt < 3 {
            world.reach(id, JobState::Queued).await;
            world.clock.advance(Duration::seconds(30));
        }
    }
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::AttemptsExhausted));
    assert_eq!(record.machine.attempt, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_what_runs_and_what_waits() {
    let world = World::new(1);
    let running = world.submit(JobKind::Scan, Script::Hold).await;
    let waiting = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.engine.cancel(waiting).await.unwrap();
    assert_eq!(world.state(waiting).await, JobState::Cancelled);
    let record = world.engine.cancel(running).await.unwrap();
    assert_eq!(record.machine.state, JobState::Cancelling);
    world.reach(running, JobState::Cancelled).await;
    assert!(matches!(
        world.engine.cancel(running).await,
        Err(StoreError::Refused(Refused::Finished))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_does_not_stop_is_dropped() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Deaf).await;
    world.started(1).await;
    world.engine.cancel(id).await.unwrap();
    eventually(|| async {
        world.clock.advance(Duration::milliseconds(100));
        world.state(id).await == JobState::Cancelled
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_are_quick() {
    let world = World::new(3);
    let mut took = Vec::new();
    for _ in 0..20 {
        let before = world.probe.started.load(Ordering::SeqCst);
        let id = world.submit(JobKind::Scan, Script::Hold).await;
        world.started(before + 1).await;
        let begin = tokio::time::Instant::now();
        world.engine.cancel(id).await.unwrap();
        let end = world.clock.now() + Duration::HOUR;
        let record = world.engine.wait_terminal(id, end).await.unwrap();
        assert_eq!(record.machine.state, JobState::Cancelled);
        took.push(begin.elapsed());
    }
    took.sort();
    assert!(took[18].as_millis() < 1000, "p95 {:?}", took[18]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_ends_at_its_deadline() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.clock.advance(Duration::HOUR);
    let record = world.reach(id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::DeadlineExceeded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_while_the_work_goes_on() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    for renewals in 1..=6 {
        world.clock.advance(Duration::seconds(10));
        eventually(|| async { world.jobs.renewals.load(Ordering::SeqCst) >= renewals }).await;
    }
    assert_eq!(world.state(id).await, JobState::Running);
    world.probe.permits.add_permits(1);
    assert_eq!(world.reach(id, JobState::Succeeded).await.machine.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_past_its_leases_goes_on_with_its_own_jobs() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.clock.advance(Duration::minutes(5));
    eventually(|| async { world.jobs.renewals.load(Ordering::SeqCst) >= 1 }).await;
    world.probe.permits.add_permits(1);
    assert_eq!(world.reach(id, JobState::Succeeded).await.machine.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_lost_its_job_stops_and_writes_nothing() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let now = world.clock.now();
    let other = WorkerId("other".to_owned());
    world
        .jobs
        .transition(id, Event::OwnerGone, Transition::default(), now)
        .await
        .unwrap();
    world.jobs.claim(&other, now).await.unwrap().unwrap();
    world.clock.advance(Duration::seconds(10));
    eventually(|| async { world.engine.running() == 0 }).await;
    let record = world.reach(id, JobState::Running).await;
    assert_eq!(record.machine.owner, Some(other));
    // Nobody renews the other worker's lease: the job comes back.
    world.probe.permits.add_permits(1);
    world.clock.advance(Duration::seconds(30));
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.fence, Fence::new(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_dead_process_are_taken_up_at_once() {
    let mut world = World::new(3);
    let now = world.clock.now();
    let scan = world
        .engine
        .new_job(
            JobKind::Scan,
            TENANT.to_owned(),
            String::new(),
            json!(Script::Finish),
            &world.ids,
        )
        .unwrap();
    let iac = world
        .engine
        .new_job(
            JobKind::GenerateIac,
            String::new(),
            String::new(),
            json!(Script::Finish),
            &world.ids,
        )
        .unwrap();
    world.engine.shutdown(now).await;
    let dead = WorkerId("dead".to_owned());
    for job in [scan.clone(), iac.clone()] {
        world.jobs.insert(job, None).await.unwrap();
        world.jobs.claim(&dead, now).await.unwrap().unwrap();
    }
    world.next_process();
    let record = world.reach(scan.id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 2);
    let record = world.reach(iac.id, JobState::Failed).await;
    assert_eq!(World::error_code(&record), Some(ErrorCode::Interrupted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_yields_and_the_next_process_goes_on_from_the_checkpoint() {
    let mut world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Checkpoint).await;
    eventually(|| async { world.jobs.checkpoint_get(id).await.unwrap().is_some() }).await;
    let report = world.engine.shutdown(world.clock.now() + Duration::MINUTE).await;
    assert_eq!(report.dropped, 0);
    assert_eq!(world.state(id).await, JobState::Queued);
    world.next_process();
    let record = world.reach(id, JobState::Succeeded).await;
    assert_eq!(record.machine.attempt, 1, "a yield is not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_for_ever() {
    let world = World::new(3);
    let id = world.submit(JobKind::Scan, Script::Deaf).await;
    world.started(1).await;
    let report = world.engine.shutdown(world.clock.now()).await;
    assert_eq!(report.dropped, 1);
    assert_eq!(world.state(id).await, JobState::Queued, "given back, not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_of_a_tenant_run_one_by_one_and_readers_together() {
    let world = World::new(9);
    let first = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let second = world.submit(JobKind::Scan, Script::Hold).await;
    let readers = [
        world.submit(JobKind::GenerateIac, Script::Hold).await,
        world.submit(JobKind::GenerateIac, Script::Hold).await,
    ];
    let elsewhere = "22222222-2222-2222-2222-222222222222";
    let other = world.submit_for(JobKind::Scan, Script::Finish, elsewhere).await;
    world.reach(other, JobState::Succeeded).await;
    assert_eq!(world.state(second).await, JobState::Queued);
    world.probe.permits.add_permits(1);
    world.reach(first, JobState::Succeeded).await;
    world.reach(second, JobState::Running).await;
    assert_eq!(world.state(readers[0]).await, JobState::Queued);
    world.probe.permits.add_permits(1);
    for reader in readers {
        world.reach(reader, JobState::Running).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_run_than_allowed() {
    let world = World::new(2);
    for tenant in 0..4 {
        let tenant = format!("00000000-0000-0000-0000-00000000000{tenant}");
        world.submit_for(JobKind::Scan, Script::Hold, &tenant).await;
    }
    for started in 2..=4 {
        world.started(started).await;
        assert!(world.engine.running() <= 2);
        world.probe.permits.add_permits(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_waited_for() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    world.jobs.down.store(true, Ordering::SeqCst);
    world.probe.permits.add_permits(1);
    for _ in 0..50 {
        world.clock.advance(Duration::SECOND);
        tokio::task::yield_now().await;
    }
    assert_eq!(world.engine.running(), 1, "the end waits to be written");
    world.jobs.down.store(false, Ordering::SeqCst);
    eventually(|| async {
        world.clock.advance(Duration::SECOND);
        world.state(id).await == JobState::Succeeded
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_reach_slow_and_cut_readers_once_and_in_order() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Talk(1000)).await;
    let ticking = async {
        loop {
            world.clock.advance(Duration::milliseconds(50));
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let reading = |cut_every: usize| {
        let engine = world.engine.clone();
        async move {
            let mut events = Vec::new();
            let mut reader = engine.reader(id, Seq::ZERO);
            while let Some(item) = reader.next().await.unwrap() {
                let Item::Event(event) = item else {
                    panic!("no gap is due")
                };
                events.push(event);
                if events.len() % cut_every == 0 {
                    reader = engine.reader(id, reader.cursor());
                }
            }
            events
        }
    };
    let (whole, cut) = tokio::select! {
        both = futures_util::future::join(reading(usize::MAX), reading(7)) => both,
        () = ticking => unreachable!("it ticks for ever"),
    };
    let seqs: Vec<u64> = whole.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, (1..).take(whole.len()).collect::<Vec<_>>());
    assert!(
        (1000..EVENT_LOG_TAIL_ROWS).contains(seqs.last().unwrap()),
        "{}",
        whole.len()
    );
    assert_eq!(cut, whole);
    assert_eq!(world.engine.hub().watched_jobs(), 0);
    let percents: Vec<f64> = whole
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Progress(progress) => Some(progress.percent),
            EventBody::Log { .. } | EventBody::Error(_) | EventBody::Completion { .. } => None,
        })
        .collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents.last(), Some(&100.0));
    let appends = world.jobs.appends.load(Ordering::SeqCst);
    assert!(appends <= 30, "1,000 lines in 5 s came in {appends} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_answers_when_its_time_is_up_and_when_something_happens() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Hold).await;
    world.started(1).await;
    let mut reader = world.engine.reader(id, Seq::ZERO);
    let page = reader.page(10, world.clock.now()).await.unwrap();
    assert!(page.events.is_empty());
    let waiting = reader.page(10, world.clock.now() + Duration::HOUR);
    world.probe.permits.add_permits(1);
    let page = waiting.await.unwrap();
    assert!(page.complete && page.events.len() == 2, "{page:?}");
    assert_eq!(reader.cursor(), page.last);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_jobs_go_with_their_artifacts() {
    let world = World::new(1);
    let id = world.submit(JobKind::Scan, Script::Finish).await;
    world.reach(id, JobState::Succeeded).await;
    world.clock.advance(Duration::days(31));
    eventually(|| async { world.jobs.get(id).await.unwrap().is_none() }).await;
    eventually(|| async { world.artifacts.sweeps.load(Ordering::SeqCst) >= 2 }).await;
    assert_eq!(*world.artifacts.deleted.lock().unwrap(), vec![id]);
}
