//! Neo4j's disk is full: its database stands still, for reads as well, until there is room and it was restarted.

use std::process::Command;

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

/// Lets no file of Neo4j grow any more: what a quota does. `false` where the tool is missing.
fn stop_disk(patient: &Patient) -> bool {
    let id = patient.neo4j.id().unwrap().to_string();
    let told = Command::new("prlimit").args(["--pid", &id, "--fsize=0:"]).status();
    told.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_outlasts_a_full_disk() {
    let Some(mut patient) = Patient::new().await else {
        return;
    };
    let digest = undisturbed().await;
    let before = patient.held_at_rest().await;
    let watch = Watch::of(&patient.world);
    watch.says("connected").await;
    let job = patient.scan_up_to(10).await;
    if !stop_disk(&patient) {
        println!("NOTICE: left out: a full disk (no prlimit, which util-linux brings)");
        return;
    }
    watch.says("disconnected").await;
    patient.refuses(job).await;
    // There is room again: that alone does not help it.
    patient.neo4j.kill().unwrap();
    patient.start_again();
    watch.says("connected").await;
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
    patient.settles(before).await;
}
