//! `GET /api/v1/health`.

use serde::{Deserialize, Serialize};

use crate::environment::Environment;

/// Whether the graph store answers, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StoreStatus {
    /// It does.
    Connected,
    /// It does not.
    Disconnected,
}

/// Which graph store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum GraphStoreKind {
    /// Embedded.
    Sqlite,
    /// A server.
    Neo4j,
}

/// How the server is. Always 200 within a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthResponse {
    /// Always `healthy`.
    #[cfg_attr(feature = "openapi", schema(example = "healthy"))]
    pub status: String,
    /// Of the server.
    #[cfg_attr(feature = "openapi", schema(example = "0.1.0"))]
    pub version: String,
    /// Whether the graph store answers, whichever it is.
    pub neo4j_status: StoreStatus,
    /// Where it runs.
    pub environment: Environment,
    /// Which graph store it is.
    pub graph_store: GraphStoreKind,
}

impl HealthResponse {
    /// A healthy server's answer.
    pub fn healthy(
        version: &str,
        neo4j_status: StoreStatus,
        environment: Environment,
        graph_store: GraphStoreKind,
    ) -> Self {
        Self {
            status: "healthy".to_owned(),
            version: version.to_owned(),
            neo4j_status,
            environment,
            graph_store,
        }
    }
}
