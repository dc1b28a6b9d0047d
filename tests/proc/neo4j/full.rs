//! Neo4j's disk is full: its database stands still, for reads as well, until there is room and it was restarted.

use std::process::Command;

use super::Patient;
use super::disturbed::Disturbed;

/// Lets no file of Neo4j grow any more: what a quota does. `false` where the tool is missing.
fn stop_disk(patient: &Patient) -> bool {
    let id = patient.neo4j.id().unwrap().to_string();
    let told = Command::new("prlimit").args(["--pid", &id, "--fsize=0:"]).status();
    told.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_outlasts_a_full_disk() {
    let Some(mut scan) = Disturbed::begin().await else {
        return;
    };
    if !stop_disk(&scan.patient) {
        println!("NOTICE: left out: a full disk (no prlimit, which util-linux brings)");
        return;
    }
    scan.is_down().await;
    // There is room again: that alone does not help it.
    scan.patient.neo4j.kill().unwrap();
    scan.patient.start_again();
    scan.goes_on().await;
}
