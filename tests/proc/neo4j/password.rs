//! The password is changed under a running server, and changed back.

use atg_db::neo4j::{ByHand, Neo4jConfig};
use atg_tests::neo4j_config;

use super::log::{completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

const OTHER: &str = "another-password-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_until_the_password_is_the_right_one() {
    let Some(patient) = Patient::new().await else { return };
    let digest = undisturbed().await;
    let access = patient.neo4j.access();
    let of_system = Neo4jConfig {
        database: Some("system".to_owned()),
        pool_size: 1,
        ..neo4j_config(&access)
    };
    let administrator = ByHand::new(&of_system).unwrap();
    let change = async |from: &str, to: &str| Box::pin(administrator.change_password(from, to)).await.unwrap();
    // Signed in now: whoever tries a wrong password three times is locked out, with the right one as well.
    change(&access.password, OTHER).await;
    change(OTHER, &access.password).await;
    let before = patient.held_at_rest().await;
    let watch = Watch::of(&patient.world);
    watch.says("connected").await;
    let job = patient.scan_up_to(10).await;
    Box::pin(administrator.change_password(&access.password, OTHER))
        .await
        .unwrap();
    // Connections that are there were let in already.
    patient.world.database().unwrap().proxy().cut_all();
    watch.says("disconnected").await;
    patient.refuses(job).await;
    Box::pin(administrator.change_password(OTHER, &access.password))
        .await
        .unwrap();
    watch.says("connected").await;
    is_that_of(&digest, &completed(&patient.world, job).await);
    watch.was_answered().await;
    patient.settles(before).await;
}
