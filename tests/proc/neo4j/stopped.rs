//! Neo4j is stopped in the middle of a scan, and started again later.

use std::time::Duration;

use super::disturbed::Disturbed;
use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

/// How long it stays away.
const AWAY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_for_a_stopped_database_and_goes_on() {
    let Some(mut scan) = Disturbed::begin().await else {
        return;
    };
    let stopping = || scan.patient.neo4j.terminate();
    tokio::task::block_in_place(stopping).unwrap();
    scan.is_down().await;
    tokio::time::sleep(AWAY).await;
    assert_eq!(scan.watch.word(), "disconnected");
    scan.patient.start_again();
    scan.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_without_its_database_goes_on_when_it_is_there() {
    let Some(mut patient) = Patient::new().await else {
        return;
    };
    let digest = undisturbed().await;
    let job = patient.scan_up_to(10).await;
    patient.world.stop_server().await;
    patient.neo4j.kill().unwrap();
    patient.world.restart().await;
    let watch = Watch::of(&patient.world);
    watch.says("disconnected").await;
    patient.refuses(job).await;
    patient.start_again();
    watch.says("connected").await;
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
}
