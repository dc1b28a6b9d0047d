//! Random histories that are moved in the middle.

use super::Neo4j;
use crate::contract::history::History;
use crate::contract::moving::parts;
use crate::neo4j::graph::asked;
use crate::sqlite::SqliteSource;

/// How many histories there are where the environment does not say.
const FEW: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_goes_on_behind_a_move() {
    let Some(mut neo4j) = Neo4j::fresh().await else { return };
    let first = asked("ATG_TEST_HISTORY", 1);
    for seed in first..first + asked("ATG_TEST_HISTORIES", FEW) {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let sqlite = crate::sqlite::open(&one).unwrap();
        let mut history = History::new(seed);

        // Told to both, they hold the same; so do their exports, byte for byte.
        history.go_on(&*sqlite.graph, &neo4j.graph, 3).await;
        let source = SqliteSource::new(&one).unwrap();
        assert_eq!(parts(&source).await, parts(&neo4j.source()).await, "seed {seed}");

        neo4j = neo4j.emptied().await;
        neo4j.take_from(&one).await;
        history.compare(&*sqlite.graph, &neo4j.graph).await;
        history.go_on(&*sqlite.graph, &neo4j.graph, 2).await;

        let back = neo4j.hand_to(&two).await;
        history.compare(&*back.graph, &neo4j.graph).await;
        history.go_on(&*back.graph, &neo4j.graph, 2).await;
        let source = SqliteSource::new(&two).unwrap();
        assert_eq!(parts(&source).await, parts(&neo4j.source()).await, "seed {seed}");
        history.end(&*back.graph, &neo4j.graph).await;
    }
}
