//! The embedded stores of a folder, with every place of theirs under one hand.

use std::path::Path;
use std::sync::Arc;

use crate::faults::{Faults, FaultyGraphStore, FaultyJobStore, FaultyObjectStore};
use crate::sqlite::Stores;
use crate::{ArtifactStore, GraphStore, JobStore, StoreError, sqlite};

/// Stores that fail when they are told to, and the ones behind them.
pub struct FaultyStores {
    /// The graph.
    pub graph: Arc<dyn GraphStore>,
    /// The jobs.
    pub jobs: Arc<dyn JobStore>,
    /// What jobs publish.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// For looking at what is really there. Their transactions fail as well when they are told to.
    pub plain: Stores,
}

/// Opens a data folder. Its transactions and uploads ask `faults` too.
pub fn open(data_dir: &Path, faults: &Faults) -> Result<FaultyStores, StoreError> {
    let plain = sqlite::open_faulty(data_dir, faults)?;
    let graph: Arc<dyn GraphStore> = Arc::<sqlite::SqliteGraph>::clone(&plain.graph);
    let jobs: Arc<dyn JobStore> = Arc::<sqlite::SqliteJobs>::clone(&plain.jobs);
    let artifacts = plain
        .artifacts
        .over(|store| Arc::new(FaultyObjectStore::new(store, faults.clone())));
    Ok(FaultyStores {
        graph: Arc::new(FaultyGraphStore::new(graph, faults.clone())),
        jobs: Arc::new(FaultyJobStore::new(jobs, faults.clone())),
        artifacts: Arc::new(artifacts),
        plain,
    })
}
