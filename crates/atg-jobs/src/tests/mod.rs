//! The engine with operations made for its tests, on a clock that the tests move.

mod ends;
mod leases;
mod lost;
mod readers;
mod watched;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use atg_db::{Inserted, JobLimits, JobStore as _, StoreError, Transition};
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
        // What a key may have is the store's matter, and its suite's.
        let limits = JobLimits {
            scans_per_hour: 1_000,
            ..JobLimits::default()
        };
        let stores = atg_db::sqlite::open_with(folder.path(), limits).unwrap();
        let jobs = Arc::new(WatchedJobs::new(stores.jobs));
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
