//! Neo4j takes no writes: it answers, and is still of no use.

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

const READ_ONLY: (&str, &str) = ("server.databases.default_to_read_only", "true");

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_until_the_database_takes_writes() {
    let Some(mut patient) = Patient::new().await else {
        return;
    };
    let digest = undisturbed().await;
    let before = patient.held_at_rest().await;
    let watch = Watch::of(&patient.world);
    watch.says("connected").await;
    let job = patient.scan_up_to(10).await;
    let setting = (READ_ONLY.0.to_owned(), READ_ONLY.1.to_owned());
    patient.neo4j.options_mut().settings.push(setting);
    patient.start_again();
    // Nobody asks the health's question of a write before one was refused.
    patient.is_refused().await;
    watch.says("disconnected").await;
    patient.neo4j.options_mut().settings.pop();
    patient.start_again();
    watch.says("connected").await;
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
    patient.settles(before).await;
}
