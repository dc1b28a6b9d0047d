//! Stores that tell an observer of each call: how metrics see the stores, and how a test stops one.

mod artifacts;
mod graph;
mod jobs;

use std::future::Future;
use std::sync::Arc;

use atg_models::Clock;
use atg_models::job::JobRecord;
use time::Duration;

pub use artifacts::ObservedArtifacts;
pub use graph::ObservedGraph;
pub use jobs::ObservedJobs;

use crate::{Health, StoreError};

/// A call to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreCall {
    /// `graph`, `jobs` or `artifacts`.
    pub store: &'static str,
    /// The method of its trait.
    pub name: &'static str,
}

/// Sees each call to a store. Streams are seen as far as their beginning.
pub trait StoreObserver: Send + Sync + 'static {
    /// Before a call. An error is answered instead of making the call.
    fn begins(&self, _call: StoreCall) -> Result<(), StoreError> {
        Ok(())
    }

    /// After a call that was made.
    fn ended(&self, _call: StoreCall, _took: Duration, _error: Option<&StoreError>) {}

    /// After a job's state was changed.
    fn changed(&self, _job: &JobRecord) {}
}

/// Sees nothing and lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl StoreObserver for Unobserved {}

/// What the three stores have in common.
#[derive(Clone)]
struct Watch {
    store: &'static str,
    observer: Arc<dyn StoreObserver>,
    clock: Arc<dyn Clock>,
}

impl Watch {
    async fn call<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let call = StoreCall {
            store: self.store,
            name,
        };
        self.observer.begins(call)?;
        let started = self.clock.now();
        let outcome = work.await;
        let took = self.clock.now() - started;
        self.observer.ended(call, took, outcome.as_ref().err());
        outcome
    }

    async fn health(&self, work: impl Future<Output = Health>) -> Health {
        let answer = self.call("health", async { Ok(work.await) }).await;
        answer.unwrap_or(Health::Disconnected)
    }
}
