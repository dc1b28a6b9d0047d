//! The suite against a real server, and what is this backend's own.

mod alike;
mod histories;
mod removed_meanwhile;
mod streams;
mod unknown_ends;

use std::sync::Arc;

use crate::neo4j::Neo4jGraph;
use crate::neo4j::tests::world::{Turn, fresh};

pub(in crate::neo4j) use histories::asked;

async fn graph() -> Option<(Arc<Neo4jGraph>, Turn)> {
    let turn = fresh().await?;
    Some((Arc::new(Neo4jGraph::new(Arc::clone(&turn.driver))), turn))
}

crate::graph_contract!(super::graph);
