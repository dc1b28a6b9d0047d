//! What goes on while a place fails: one small story for each kind of place.

use std::sync::Arc;

use atg_db::faults::{FaultPlan, FaultPoint};
use atg_db::{ArtifactStore as _, GraphStore as _, JobStore as _, StoreError};
use atg_models::job::{ArtifactName, JobRecord, JobState, OnCrash, Refused, TenantUse, WorkerId};
use atg_models::{Clock as _, Fence, IdGen as _, JobId, JobKind};
use atg_server::SystemIds;
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use atg_tests::until;
use futures_util::StreamExt as _;
use tempfile::TempDir;
use time::Duration;

use super::bench::Bench;
use super::check;
use crate::worlds::of_world;

/// Enough for several pages of every kind.
const RESOURCES: usize = 40;
/// Milliseconds of an answer that lets a lease come due for renewal.
const SLOW_MS: u64 = 60;

/// A story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scene {
    /// The first scan of a tenant.
    Scan,
    /// A scan that finds things gone and changed.
    Rescan,
    /// A scan so slow that its lease has to be renewed.
    SlowScan,
    /// A scan with a limit, which counts in its checkpoint.
    LimitedScan,
    /// A scan that has to start a partition again.
    CursorExpires,
    /// A scan that derives all edges again.
    Rebuild,
    /// A scan whose worker has died.
    Orphan,
    /// Code from a scanned tenant.
    Generation,
}

/// The stories in which a place is reached; the others have a test of their own.
pub(super) fn of(point: FaultPoint) -> &'static [Scene] {
    use Scene::{CursorExpires, Generation, LimitedScan, Orphan, Rebuild, Rescan, Scan, SlowScan};
    match point {
        FaultPoint::InsertJob
        | FaultPoint::ClaimJob
        | FaultPoint::EndAttempt
        | FaultPoint::AppendEvents
        | FaultPoint::CommitJobs => &[Scan, Generation],
        FaultPoint::RenewLease => &[SlowScan],
        FaultPoint::ReleaseJob => &[Orphan],
        FaultPoint::PutCheckpoint => &[LimitedScan],
        FaultPoint::BeginScan
        | FaultPoint::PlanScan
        | FaultPoint::ApplyPage
        | FaultPoint::SettleCollection
        | FaultPoint::FinishScan
        | FaultPoint::CommitGraph => &[Scan, Rescan],
        FaultPoint::SweepCollection => &[Rescan],
        FaultPoint::RestartPartition => &[CursorExpires],
        FaultPoint::RederiveEdges => &[Rebuild],
        FaultPoint::OpenArtifact | FaultPoint::WriteArtifact | FaultPoint::PublishArtifact => &[Generation],
        FaultPoint::CancelJob
        | FaultPoint::PurgeJobs
        | FaultPoint::DeleteArtifact
        | FaultPoint::SweepArtifacts
        | FaultPoint::DeleteTenant
        | FaultPoint::PutCache
        | FaultPoint::AbortArtifact => &[],
    }
}

/// How a story went.
pub(super) struct Played {
    pub(super) record: JobRecord,
    /// The graph's digest, or the zip's hash.
    pub(super) proof: Option<String>,
    pub(super) milestones: Vec<String>,
    pub(super) fired: u64,
    /// How often this place was reached, and that one.
    pub(super) passed: Vec<(FaultPoint, u64)>,
}

/// The tenant, and folders to begin with.
pub(super) struct Stage {
    plain: Simulator,
    changed: Simulator,
    scanned: TempDir,
}

fn config() -> SimConfig {
    let mut config = of_world(Arc::new(SeededWorld::new(7, RESOURCES)));
    config.arg_page_rows = 15;
    config.arm_page_rows = 10;
    config.graph_page_rows = 5;
    config
}

fn disturbed(fault: Fault) -> Simulator {
    let sim = Simulator::start(config()).unwrap();
    sim.arm(fault);
    sim
}

fn slow() -> Simulator {
    disturbed(Fault {
        count: u64::MAX,
        value: Some(SLOW_MS),
        ..Fault::new(FaultKind::Slow)
    })
}

impl Stage {
    pub(super) async fn new() -> Self {
        let plain = Simulator::start(config()).unwrap();
        let changed = Simulator::start(config()).unwrap();
        let bench = Bench::new(&changed, None);
        bench.start();
        let job = bench.scan(|_| {}).await;
        assert_eq!(bench.ended(job).await.machine.state, JobState::Succeeded);
        let scanned = bench.close().await;
        changed.plant_changes();
        Self {
            plain,
            changed,
            scanned,
        }
    }

    fn bench(&self, scene: Scene, own: Option<&Simulator>) -> Bench {
        let scanned = Some(self.scanned.path());
        match scene {
            Scene::Rescan => Bench::new(&self.changed, scanned),
            Scene::Generation | Scene::Rebuild => Bench::new(&self.plain, scanned),
            Scene::Scan | Scene::SlowScan | Scene::LimitedScan | Scene::CursorExpires | Scene::Orphan => {
                Bench::new(own.unwrap_or(&self.plain), None)
            }
        }
    }

    /// Plays a story while a place fails. One that ends badly is followed by the same job, which must work.
    pub(super) async fn play(&self, scene: Scene, plan: Option<FaultPlan>) -> Played {
        let what = format!("{scene:?}, {plan:?}");
        let own = match scene {
            Scene::SlowScan => Some(slow()),
            Scene::CursorExpires => Some(disturbed(Fault::new(FaultKind::SkipTokenExpired))),
            Scene::Scan | Scene::Rescan | Scene::LimitedScan | Scene::Rebuild | Scene::Orphan | Scene::Generation => {
                None
            }
        };
        let bench = self.bench(scene, own.as_ref());
        let arm = || plan.map(|plan| bench.faults.arm(plan));
        let job = if scene == Scene::Orphan {
            let job = orphan(&bench).await;
            arm();
            bench.start();
            job
        } else {
            arm();
            bench.start();
            submit(&bench, scene).await
        };
        let record = bench.ended(job).await;
        let fired = bench.faults.fired();
        bench.faults.disarm();
        let milestones = check::log(&bench, &record, &what).await;
        let mut proof = proof(&bench, &record, &what).await;
        if record.machine.state == JobState::Failed {
            let again = submit(&bench, scene).await;
            let next = bench.ended(again).await;
            assert_eq!(
                next.machine.state,
                JobState::Succeeded,
                "{what}: and the next: {next:?}"
            );
            proof = self::proof(&bench, &next, &what).await;
        }
        let passed = FaultPoint::ALL
            .iter()
            .map(|point| (*point, bench.faults.passed(*point)));
        let passed = passed.collect();
        bench.close().await;
        Played {
            record,
            proof,
            milestones,
            fired,
            passed,
        }
    }

    /// A cancel that fails, and is tried again, ends the job.
    pub(super) async fn cancel(&self, plan: FaultPlan) -> u64 {
        let sim = slow();
        let bench = Bench::new(&sim, None);
        bench.start();
        let job = bench.scan(|_| {}).await;
        until("it runs", async || {
            let record = bench.stores.jobs.get(job).await.unwrap().unwrap();
            (record.machine.state == JobState::Running).then_some(())
        })
        .await;
        bench.faults.arm(plan);
        loop {
            match bench.engine().cancel(job).await {
                Ok(_) | Err(StoreError::Refused(Refused::Finished)) => break,
                Err(_) => bench.clock.sleep_until(bench.clock.now() + Duration::SECOND).await,
            }
        }
        let record = bench.ended(job).await;
        assert_eq!(record.machine.state, JobState::Cancelled, "{plan:?}");
        check::log(&bench, &record, &format!("{plan:?}")).await;
        let fired = bench.faults.fired();
        bench.close().await;
        fired
    }

    /// What is past its time goes, with its files, whatever fails on the way.
    pub(super) async fn clean_up(&self, plan: FaultPlan) -> u64 {
        let mut bench = self.bench(Scene::Generation, None);
        bench.start();
        let job = bench.generate().await;
        let record = bench.ended(job).await;
        assert!(check::artifact(&bench, &record, "before").await.is_some());
        let name = record.artifact.unwrap().name(job);
        let digest = bench.stores.graph.digest(bench.tenant).await.unwrap();
        bench.clock.advance(Duration::days(31));
        bench.faults.arm(plan);
        bench.restart().await;
        until("the job and its files go", async || {
            // The next sweep is minutes away.
            bench.clock.advance(Duration::minutes(1));
            let gone = bench.stores.jobs.get(job).await.unwrap().is_none();
            let gone = gone && bench.stores.plain.artifacts.size(name).await.unwrap().is_none();
            (gone && bench.faults.fired() > 0).then_some(())
        })
        .await;
        let fired = bench.faults.fired();
        assert_eq!(
            bench.stores.graph.digest(bench.tenant).await.unwrap(),
            digest,
            "{plan:?}"
        );
        bench.close().await;
        fired
    }

    /// A tenant's removal goes on where it was, and a scan afterwards is a first scan.
    pub(super) async fn delete_tenant(&self, plan: FaultPlan, first: &str) -> u64 {
        let bench = Bench::new(&self.plain, Some(self.scanned.path()));
        bench.faults.arm(plan);
        until("the tenant is removed", async || {
            bench.stores.graph.delete_tenant(bench.tenant).await.ok()
        })
        .await;
        assert_eq!(bench.stores.graph.tenants().await.unwrap(), Vec::new(), "{plan:?}");
        let fired = bench.faults.fired();
        bench.start();
        let scan = bench.scan(|_| {}).await;
        let record = bench.ended(scan).await;
        assert_eq!(
            proof(&bench, &record, "after").await.as_deref(),
            Some(first),
            "{plan:?}"
        );
        bench.close().await;
        fired
    }

    pub(super) async fn put_cache(&self, plan: FaultPlan) -> u64 {
        let bench = Bench::new(&self.plain, Some(self.scanned.path()));
        bench.faults.arm(plan);
        until("the value is kept", async || {
            bench.stores.graph.cache_put(bench.tenant, "k", vec![1, 2]).await.ok()
        })
        .await;
        let kept = bench.stores.graph.cache_get(bench.tenant, "k").await.unwrap();
        assert_eq!(kept, Some(vec![1, 2]), "{plan:?}");
        let fired = bench.faults.fired();
        bench.close().await;
        fired
    }

    /// An upload that breaks off and cannot even be taken back is never seen, and is swept.
    pub(super) async fn abort(&self, plan: FaultPlan) -> u64 {
        let bench = Bench::new(&self.plain, None);
        let name = ArtifactName {
            job: SystemIds.job_id(JobKind::GenerateIac, bench.clock.now()),
            lease: Fence::new(1),
        };
        bench.faults.arm(plan);
        let broken = futures_util::stream::iter([
            Ok(bytes::Bytes::from_static(b"half")),
            Err(StoreError::NotFound { what: "rest" }),
        ]);
        let put = bench.stores.artifacts.put(name, broken.boxed(), 1_000).await;
        assert!(matches!(put, Err(StoreError::NotFound { what: "rest" })), "{put:?}");
        assert_eq!(bench.stores.artifacts.size(name).await.unwrap(), None);
        let fired = bench.faults.fired();
        bench.faults.disarm();
        let whole = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"whole"))]);
        bench.stores.artifacts.put(name, whole.boxed(), 1_000).await.unwrap();
        assert_eq!(bench.stores.artifacts.size(name).await.unwrap(), Some(5));
        bench.close().await;
        fired
    }
}

async fn submit(bench: &Bench, scene: Scene) -> JobId {
    match scene {
        Scene::Generation => bench.generate().await,
        Scene::LimitedScan => bench.scan(|request| request.resource_limit = Some(10_000)).await,
        Scene::Rebuild => bench.scan(|request| request.rebuild_edges = true).await,
        Scene::Scan | Scene::Rescan | Scene::SlowScan | Scene::CursorExpires | Scene::Orphan => {
            bench.scan(|_| {}).await
        }
    }
}

/// A job that a worker held which is dead.
async fn orphan(bench: &Bench) -> JobId {
    let request = atg_models::api::ScanRequest::new(bench.tenant);
    let now = bench.clock.now();
    let job = atg_models::job::NewJob {
        id: SystemIds.job_id(JobKind::Scan, now),
        tenant: bench.tenant.to_string(),
        tenant_use: TenantUse::Exclusive,
        on_crash: OnCrash::Rerun,
        key_prefix: "12345678".to_owned(),
        params: serde_json::to_value(request).unwrap(),
        created_at: now,
    };
    let id = job.id;
    let jobs = &bench.stores.plain.jobs;
    jobs.insert(job, None).await.unwrap();
    jobs.claim(&WorkerId("dead".to_owned()), now).await.unwrap().unwrap();
    id
}

/// What shows that a job has done what it was to do.
async fn proof(bench: &Bench, record: &JobRecord, what: &str) -> Option<String> {
    let hash = check::artifact(bench, record, what).await;
    if record.machine.state != JobState::Succeeded || record.id.kind() != JobKind::Scan {
        return hash;
    }
    let result = record.result.as_ref().unwrap();
    assert_eq!(result["verdict"], "complete", "{what}");
    let digest = bench.stores.plain.graph.digest(bench.tenant).await.unwrap();
    assert_eq!(result["graph_digest"], digest, "{what}");
    Some(digest)
}
