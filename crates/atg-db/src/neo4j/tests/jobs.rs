//! The suite of the job stores.

mod races;
mod unknown_ends;

use std::sync::Arc;

use super::world::{Turn, fresh};
use crate::JobLimits;
use crate::neo4j::Neo4jJobs;

async fn jobs() -> Option<(Arc<Neo4jJobs>, Turn)> {
    let turn = fresh().await?;
    let jobs = Neo4jJobs::new(Arc::clone(&turn.driver), JobLimits::default());
    Some((Arc::new(jobs), turn))
}

/// Eight servers of one database.
fn servers(turn: &Turn, limits: JobLimits) -> Vec<Neo4jJobs> {
    (0..8).map(|_| Neo4jJobs::new(turn.another(), limits)).collect()
}

crate::job_contract!(super::jobs);
