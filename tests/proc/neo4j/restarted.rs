//! Neo4j is killed and started again in the middle of a scan.

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

/// How often, at growing depths of the scan.
const TIMES: u64 = 3;
/// Calls to Azure between two of them.
const DEPTH: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_goes_on_after_every_restart() {
    let Some(mut patient) = Patient::new().await else {
        return;
    };
    let digest = undisturbed().await;
    let before = patient.held_at_rest().await;
    let watch = Watch::of(&patient.world);
    let job = patient.scan_up_to(DEPTH).await;
    for _ in 0..TIMES {
        patient.neo4j.kill().unwrap();
        watch.says("disconnected").await;
        patient.start_again();
        watch.says("connected").await;
        let status = patient.world.client.operation(job).await.unwrap();
        if status.completed_at.is_some() {
            break;
        }
        patient.calls_reach(patient.calls() + 1).await;
    }
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
    patient.settles(before).await;
}
