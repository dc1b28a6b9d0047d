//! All stores of a server, whichever backend keeps them.

use std::sync::Arc;

use crate::{ArtifactStore, GraphStore, JobStore, KeyStore, ReplicaStore};

/// What a server keeps, and where.
#[derive(Clone)]
pub struct Stores {
    /// The graph.
    pub graph: Arc<dyn GraphStore>,
    /// The jobs.
    pub jobs: Arc<dyn JobStore>,
    /// What jobs publish.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// The stored API keys.
    pub keys: Arc<dyn KeyStore>,
    /// What servers keep together, where several share the store.
    pub replicas: Option<Arc<dyn ReplicaStore>>,
}

impl From<crate::sqlite::Stores> for Stores {
    fn from(stores: crate::sqlite::Stores) -> Self {
        Self {
            graph: stores.graph,
            jobs: stores.jobs,
            artifacts: stores.artifacts,
            keys: stores.keys,
            replicas: None,
        }
    }
}
