//! Every place where a store writes fails in turn: before it has written, and after; once and often;
//! in a way that passes, and in one that does not.
//!
//! A job ends as if undisturbed when the failure passes, and otherwise fails with a code that says so;
//! the next one works. No event is lost or doubled, no artifact is half there.

mod bench;
mod check;
mod scenes;

use std::collections::BTreeMap;

use atg_db::faults::{Failure, FaultPlan, FaultPoint, Moment};
use atg_models::ErrorCode;
use atg_models::job::JobState;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;

use scenes::{Played, Scene, Stage};

/// Cases at a time.
const AT_A_TIME: usize = 4;

/// Every way in which a place fails.
const MODES: [(Moment, Failure, u64); 6] = [
    (Moment::Before, Failure::Away, 1),
    (Moment::After, Failure::Away, 1),
    (Moment::Before, Failure::Away, 3),
    (Moment::After, Failure::Away, 3),
    (Moment::Before, Failure::Broken, 1),
    (Moment::After, Failure::Broken, 1),
];

/// How a job ends when this place fails in a way that does not pass.
fn when_broken(point: FaultPoint, moment: Moment) -> JobState {
    match (point, moment) {
        // The client or the engine asks again, or what was to be written was written.
        (
            FaultPoint::InsertJob
            | FaultPoint::ClaimJob
            | FaultPoint::RenewLease
            | FaultPoint::ReleaseJob
            | FaultPoint::AppendEvents
            // The first transaction of a job is its insertion.
            | FaultPoint::CommitJobs
            // An object store's errors all pass.
            | FaultPoint::OpenArtifact
            | FaultPoint::WriteArtifact
            | FaultPoint::PublishArtifact,
            _,
        )
        | (FaultPoint::EndAttempt, Moment::After) => JobState::Succeeded,
        (FaultPoint::EndAttempt, Moment::Before)
        | (
            FaultPoint::PutCheckpoint
            | FaultPoint::BeginScan
            | FaultPoint::PlanScan
            | FaultPoint::ApplyPage
            | FaultPoint::SettleCollection
            | FaultPoint::RestartPartition
            | FaultPoint::SweepCollection
            | FaultPoint::FinishScan
            | FaultPoint::RederiveEdges
            | FaultPoint::CommitGraph,
            _,
        ) => JobState::Failed,
        (
            FaultPoint::CancelJob
            | FaultPoint::PurgeJobs
            | FaultPoint::DeleteArtifact
            | FaultPoint::SweepArtifacts
            | FaultPoint::DeleteTenant
            | FaultPoint::PutCache
            | FaultPoint::AbortArtifact,
            _,
        ) => panic!("{point:?} has no job"),
    }
}

/// A disturbed job beside the same undisturbed.
fn compare(plan: FaultPlan, played: &Played, good: &Played, expected: JobState) {
    let record = &played.record;
    let what = format!("{plan:?}: {:?} {:?}", record.machine, record.result);
    assert_eq!(record.machine.state, expected, "{what}");
    assert_eq!(played.proof, good.proof, "{what}");
    match expected {
        JobState::Failed => {
            let code = record.machine.error.as_ref().map(|error| error.code);
            assert_eq!(code, Some(ErrorCode::Internal), "{what}");
        }
        // Said once by one attempt; a second one goes on, or begins again.
        JobState::Succeeded if record.machine.attempt == good.record.machine.attempt => {
            assert_eq!(played.milestones, good.milestones, "{what}");
        }
        JobState::Succeeded => {
            for line in &good.milestones {
                assert!(played.milestones.contains(line), "{what}: {line} is lost");
            }
        }
        JobState::Queued | JobState::Running | JobState::Cancelling | JobState::Cancelled => panic!("{what}"),
    }
}

/// Undisturbed, each story ends well; what the others are compared with.
async fn undisturbed(stage: &Stage, scenes: &[Scene]) -> BTreeMap<Scene, Played> {
    let mut good = BTreeMap::new();
    for scene in scenes {
        let played = stage.play(*scene, None).await;
        assert_eq!(played.record.machine.state, JobState::Succeeded, "{:?}", played.record);
        good.insert(*scene, played);
    }
    good
}

/// One case; answers how often its place has failed.
async fn case(stage: &Stage, good: &BTreeMap<Scene, Played>, plan: FaultPlan) -> u64 {
    match plan.point {
        FaultPoint::CancelJob => return stage.cancel(plan).await,
        FaultPoint::PurgeJobs | FaultPoint::DeleteArtifact | FaultPoint::SweepArtifacts => {
            return stage.clean_up(plan).await;
        }
        FaultPoint::DeleteTenant => {
            return stage
                .delete_tenant(plan, good[&Scene::Scan].proof.as_deref().unwrap())
                .await;
        }
        FaultPoint::PutCache => return stage.put_cache(plan).await,
        FaultPoint::AbortArtifact => return stage.abort(plan).await,
        FaultPoint::InsertJob
        | FaultPoint::ClaimJob
        | FaultPoint::RenewLease
        | FaultPoint::ReleaseJob
        | FaultPoint::EndAttempt
        | FaultPoint::AppendEvents
        | FaultPoint::PutCheckpoint
        | FaultPoint::CommitJobs
        | FaultPoint::BeginScan
        | FaultPoint::PlanScan
        | FaultPoint::ApplyPage
        | FaultPoint::SettleCollection
        | FaultPoint::RestartPartition
        | FaultPoint::SweepCollection
        | FaultPoint::FinishScan
        | FaultPoint::RederiveEdges
        | FaultPoint::CommitGraph
        | FaultPoint::OpenArtifact
        | FaultPoint::WriteArtifact
        | FaultPoint::PublishArtifact => {}
    }
    let mut least = u64::MAX;
    for scene in scenes::of(plan.point) {
        let played = stage.play(*scene, Some(plan)).await;
        let expected = match plan.failure {
            Failure::Away => JobState::Succeeded,
            Failure::Broken => when_broken(plan.point, plan.moment),
        };
        compare(plan, &played, &good[scene], expected);
        least = least.min(played.fired);
    }
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_point_fails_in_every_way() {
    use Scene::{CursorExpires, Generation, LimitedScan, Orphan, Rebuild, Rescan, Scan, SlowScan};
    let stage = Stage::new().await;
    let scenes = [
        Scan,
        Rescan,
        SlowScan,
        LimitedScan,
        CursorExpires,
        Rebuild,
        Orphan,
        Generation,
    ];
    let good = undisturbed(&stage, &scenes).await;
    let plans = FaultPoint::ALL.iter().flat_map(|point| {
        MODES.map(|(moment, failure, times)| FaultPlan {
            times,
            ..FaultPlan::once(*point, moment, failure)
        })
    });
    let cases = plans.map(|plan| -> BoxFuture<'_, (FaultPlan, u64)> {
        let (stage, good) = (&stage, &good);
        Box::pin(async move { (plan, case(stage, good, plan).await) })
    });
    let cases: Vec<_> = cases.collect();
    let fired: Vec<(FaultPlan, u64)> = futures_util::stream::iter(cases)
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    let mut covered: BTreeMap<FaultPoint, usize> = BTreeMap::new();
    for (plan, fired) in &fired {
        assert!(*fired > 0, "{plan:?} did not fire");
        *covered.entry(plan.point).or_default() += 1;
    }
    for (point, ways) in &covered {
        println!("{:<20} {ways} of {} ways", format!("{point:?}"), MODES.len());
    }
    println!(
        "fault points covered: {} of {} ({} %)",
        covered.len(),
        FaultPoint::ALL.len(),
        100 * covered.len() / FaultPoint::ALL.len()
    );
    assert_eq!(covered.len(), FaultPoint::ALL.len());
    assert!(covered.values().all(|ways| *ways == MODES.len()));
}

/// Whichever transaction it is, in the middle of a sweep or at the end of a scan: it is lost, or its answer is.
#[tokio::test(flavor = "multi_thread")]
async fn every_transaction_fails_in_turn() {
    let stage = Stage::new().await;
    let good = undisturbed(&stage, &[Scene::Scan, Scene::Rescan, Scene::Generation]).await;
    let mut cases: Vec<(Scene, FaultPlan)> = Vec::new();
    for (scene, played) in &good {
        let counts: BTreeMap<FaultPoint, u64> = played.passed.iter().copied().collect();
        for point in [
            FaultPoint::CommitJobs,
            FaultPoint::CommitGraph,
            FaultPoint::AppendEvents,
        ] {
            for skip in 0..counts[&point] {
                // Both sides of each are in the other test's modes; here they take turns.
                let moment = [Moment::Before, Moment::After][usize::try_from(skip % 2).unwrap()];
                let plan = FaultPlan {
                    skip,
                    ..FaultPlan::once(point, moment, Failure::Away)
                };
                cases.push((*scene, plan));
            }
        }
    }
    let count = cases.len();
    let played: Vec<_> = futures_util::stream::iter(cases)
        .map(|(scene, plan)| {
            let (stage, good) = (&stage, &good);
            async move {
                let played = stage.play(scene, Some(plan)).await;
                compare(plan, &played, &good[&scene], JobState::Succeeded);
                played.fired
            }
        })
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    // How many writes a log takes is a matter of time, so the last may not be reached.
    let fired = played.iter().filter(|fired| **fired > 0).count();
    println!("transactions that failed in turn: {fired} of {count}");
    assert!(fired * 10 >= count * 9, "{fired} of {count}");
}
