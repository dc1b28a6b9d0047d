//! Random histories, told to SQLite and to Neo4j alike.

use futures_util::StreamExt as _;

use super::graph;
use crate::contract::history;

/// Histories that are told at the same time.
const TELLERS: usize = 2;
/// How many histories there are where the environment does not say.
const FEW: u64 = 6;

/// A number that a longer run, or the telling again of one history, sets in the environment.
pub(in crate::neo4j) fn asked(name: &str, otherwise: u64) -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a longer run is asked for in the environment")]
    let asked = std::env::var(name);
    asked.map_or(otherwise, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_is_told_alike() {
    let Some((neo4j, _turn)) = graph().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let sqlite = crate::sqlite::open(&folder.path().join("data")).unwrap();
    let first = asked("ATG_TEST_HISTORY", 1);
    let seeds = first..first + asked("ATG_TEST_HISTORIES", FEW);
    futures_util::stream::iter(seeds)
        .for_each_concurrent(TELLERS, |seed| {
            Box::pin(history::told_alike(&*sqlite.graph, &*neo4j, seed))
        })
        .await;
}
