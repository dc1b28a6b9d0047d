//! Neo4j stands still: connections stay open and nothing answers.

use std::time::{Duration, Instant};

use super::disturbed::Disturbed;

/// Twice as long as a lease lasts: what ran has lost its own when Neo4j goes on.
const PAUSE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_outlasts_a_database_that_stands_still_for_a_minute() {
    let Some(mut scan) = Disturbed::begin().await else {
        return;
    };
    let paused = Instant::now();
    scan.patient.neo4j.pause().unwrap();
    scan.is_down().await;
    assert!(paused.elapsed() < PAUSE, "{:?}", paused.elapsed());
    tokio::time::sleep(PAUSE.saturating_sub(paused.elapsed())).await;
    assert_eq!(scan.watch.word(), "disconnected");
    scan.patient.neo4j.resume().unwrap();
    scan.goes_on().await;
}
