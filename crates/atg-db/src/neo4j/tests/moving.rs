//! From a data folder to Neo4j and back: nothing is lost, and all goes on as before.

mod bulk;
mod histories;
mod jobs;
mod marks;

use std::path::Path;

use crate::JobLimits;
use crate::contract::moving::{exported, imported};
use crate::moving::Begun;
use crate::neo4j::tests::world::{Turn, fresh};
use crate::neo4j::{Neo4jGraph, Neo4jJobs, Neo4jKeys, Neo4jSource, Neo4jTarget};
use crate::sqlite::{SqliteSource, SqliteTarget, Stores};
use std::sync::Arc;

/// An empty Neo4j, with what its servers would use.
pub(super) struct Neo4j {
    pub(super) turn: Turn,
    pub(super) graph: Neo4jGraph,
    pub(super) jobs: Neo4jJobs,
    pub(super) keys: Neo4jKeys,
}

impl Neo4j {
    pub(super) async fn fresh() -> Option<Self> {
        let turn = fresh().await?;
        Some(Self {
            graph: Neo4jGraph::new(Arc::clone(&turn.driver)),
            jobs: Neo4jJobs::new(Arc::clone(&turn.driver), JobLimits::default()),
            keys: Neo4jKeys::new(Arc::clone(&turn.driver)),
            turn,
        })
    }

    /// The same database, emptied.
    pub(super) async fn emptied(self) -> Self {
        drop(self);
        Self::fresh().await.unwrap()
    }

    pub(super) fn source(&self) -> Neo4jSource {
        Neo4jSource::new(&self.turn.config).unwrap()
    }

    pub(super) fn target(&self) -> Neo4jTarget {
        Neo4jTarget::new(&self.turn.config).unwrap()
    }

    /// Takes in what a folder holds, beside whoever uses it.
    pub(super) async fn take_from(&self, folder: &Path) {
        let (file, sent) = exported(&SqliteSource::new(folder).unwrap()).await.unwrap();
        let taken = imported(&self.target(), &file).await.unwrap();
        assert_eq!(taken.begun, Begun::New);
        assert_eq!(taken.manifest, sent);
    }

    /// Hands all over to a new folder, and opens that.
    pub(super) async fn hand_to(&self, folder: &Path) -> Stores {
        let (file, sent) = exported(&self.source()).await.unwrap();
        let target = SqliteTarget::new(folder).unwrap();
        let taken = imported(&target, &file).await.unwrap();
        assert_eq!(taken.manifest.parts, sent.parts);
        drop(target);
        crate::sqlite::open(folder).unwrap()
    }
}
