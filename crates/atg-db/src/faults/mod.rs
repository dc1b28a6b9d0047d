//! Named places where the stores can be made to fail, one after the other. For tests: no released
//! program holds this module (feature `faults`).
//!
//! A place fails *before* the work is done, or *after* it: the work is done, and reported as failed.
//! The wrappers know the methods of the traits; what lies inside one, between two of its
//! transactions or in the middle of an upload, is reached through the embedded backend.

mod artifacts;
mod graph;
mod jobs;
mod stores;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

pub use artifacts::FaultyObjectStore;
pub use graph::FaultyGraphStore;
pub use jobs::FaultyJobStore;
pub use stores::{FaultyStores, open};

use crate::StoreError;

macro_rules! fault_points {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A place where a store writes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultPoint {
            $($(#[$doc])+ $name,)+
        }

        impl FaultPoint {
            /// All places.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

fault_points! {
    /// A job is added.
    InsertJob,
    /// A worker takes a job.
    ClaimJob,
    /// A lease is renewed.
    RenewLease,
    /// A client asks a job to stop.
    CancelJob,
    /// A job is taken from a worker that is gone.
    ReleaseJob,
    /// An attempt ends, well or not.
    EndAttempt,
    /// Events are added to a job's log.
    AppendEvents,
    /// A checkpoint is kept.
    PutCheckpoint,
    /// Old jobs are removed.
    PurgeJobs,
    /// Any transaction of the jobs' file is committed.
    CommitJobs,
    /// A scan is opened or taken over.
    BeginScan,
    /// Collections are added to a ledger.
    PlanScan,
    /// A page is stored with its ledger progress.
    ApplyPage,
    /// A collection is settled.
    SettleCollection,
    /// A partition starts again.
    RestartPartition,
    /// What a collection did not see is removed.
    SweepCollection,
    /// A scan is closed.
    FinishScan,
    /// Edges are derived again.
    RederiveEdges,
    /// A tenant is removed.
    DeleteTenant,
    /// A cached value is replaced.
    PutCache,
    /// Any transaction of the graph's file is committed: also one of many inside a sweep, a removal, the end of
    /// a scan.
    CommitGraph,
    /// An upload begins.
    OpenArtifact,
    /// A part of an upload is written.
    WriteArtifact,
    /// An upload is flushed and published.
    PublishArtifact,
    /// What an upload left is taken back.
    AbortArtifact,
    /// An artifact is removed.
    DeleteArtifact,
    /// Old artifacts are looked for.
    SweepArtifacts,
}

/// On which side of the work a place fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Nothing is done.
    Before,
    /// All is done, and reported as failed.
    After,
}

/// How a place fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// In a way that passes: the disk is full, the store is away.
    Away,
    /// In a way that does not: the file is damaged.
    Broken,
}

/// What is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPlan {
    /// Where.
    pub point: FaultPoint,
    /// When.
    pub moment: Moment,
    /// How.
    pub failure: Failure,
    /// How often the place is passed unharmed first.
    pub skip: u64,
    /// How often it fails then.
    pub times: u64,
}

impl FaultPlan {
    /// The first time that a place is passed, once.
    pub const fn once(point: FaultPoint, moment: Moment, failure: Failure) -> Self {
        Self {
            point,
            moment,
            failure,
            skip: 0,
            times: 1,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    plan: Option<FaultPlan>,
    /// Times that the plan's place was passed since it was armed.
    met: u64,
    fired: u64,
    passed: BTreeMap<FaultPoint, u64>,
}

/// What all places of a set of stores ask. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

impl Faults {
    /// Makes one place fail, instead of the one before.
    pub fn arm(&self, plan: FaultPlan) {
        self.with(|state| {
            state.plan = Some(plan);
            state.met = 0;
            state.fired = 0;
        });
    }

    /// Lets all places work again.
    pub fn disarm(&self) {
        self.with(|state| state.plan = None);
    }

    /// How often the armed place has failed.
    pub fn fired(&self) -> u64 {
        self.with(|state| state.fired)
    }

    /// How often a place was reached in all.
    pub fn passed(&self, point: FaultPoint) -> u64 {
        self.with(|state| state.passed.get(&point).copied().unwrap_or_default())
    }

    /// Fails if it is the turn of this place.
    pub(crate) fn pass(&self, point: FaultPoint, moment: Moment) -> Result<(), StoreError> {
        self.with(|state| {
            if moment == Moment::Before {
                *state.passed.entry(point).or_default() += 1;
            }
            let Some(plan) = state.plan.filter(|plan| plan.point == point && plan.moment == moment) else {
                return Ok(());
            };
            state.met += 1;
            let due = state.met > plan.skip && state.fired < plan.times;
            if !due {
                return Ok(());
            }
            state.fired += 1;
            Err(error(plan.failure))
        })
    }

    /// Does the work of a place between its two moments.
    pub(crate) async fn around<T>(
        &self,
        point: FaultPoint,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pass(point, Moment::Before)?;
        let done = work.await?;
        self.pass(point, Moment::After)?;
        Ok(done)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn error(failure: Failure) -> StoreError {
    const DOING: &str = "failing on purpose";
    match failure {
        Failure::Away => StoreError::Unavailable {
            doing: DOING,
            source: "away on purpose".into(),
        },
        Failure::Broken => StoreError::Corrupt {
            doing: DOING,
            problem: "broken on purpose".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fails_when_it_is_its_turn_and_no_other_does() {
        let faults = Faults::default();
        let pass = |point, moment| faults.pass(point, moment).is_ok();
        let mut plan = FaultPlan::once(FaultPoint::ApplyPage, Moment::After, Failure::Away);
        plan.skip = 1;
        plan.times = 2;
        faults.arm(plan);
        assert!(pass(FaultPoint::ApplyPage, Moment::Before) && pass(FaultPoint::BeginScan, Moment::After));
        let after: Vec<bool> = (0..4).map(|_| pass(FaultPoint::ApplyPage, Moment::After)).collect();
        assert_eq!(after, [true, false, false, true]);
        assert_eq!((faults.fired(), faults.passed(FaultPoint::ApplyPage)), (2, 1));
    }
}
