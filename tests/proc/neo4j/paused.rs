//! Neo4j stands still: connections stay open and nothing answers.

use std::time::{Duration, Instant};

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

/// Twice as long as a lease lasts: what ran has lost its own when Neo4j goes on.
const PAUSE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_outlasts_a_database_that_stands_still_for_a_minute() {
    let Some(mut patient) = Patient::new().await else {
        return;
    };
    let digest = undisturbed().await;
    let before = patient.held_at_rest().await;
    let watch = Watch::of(&patient.world);
    watch.says("connected").await;
    let job = patient.scan_up_to(10).await;
    let paused = Instant::now();
    patient.neo4j.pause().unwrap();
    watch.says("disconnected").await;
    patient.refuses(job).await;
    assert!(paused.elapsed() < PAUSE, "{:?}", paused.elapsed());
    tokio::time::sleep(PAUSE.saturating_sub(paused.elapsed())).await;
    assert_eq!(watch.word(), "disconnected");
    patient.neo4j.resume().unwrap();
    watch.says("connected").await;
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
    patient.settles(before).await;
}
