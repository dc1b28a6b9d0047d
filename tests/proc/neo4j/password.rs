//! The password is changed under a running server, and changed back.

use atg_db::neo4j::{ByHand, Neo4jConfig};
use atg_tests::neo4j_config;

use super::Patient;
use super::disturbed::Disturbed;

const OTHER: &str = "another-password-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_until_the_password_is_the_right_one() {
    let Some(patient) = Patient::new().await else { return };
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
    let scan = Disturbed::of(patient).await;
    change(&access.password, OTHER).await;
    // Connections that are there were let in already.
    scan.patient.world.database().unwrap().proxy().cut_all();
    scan.is_down().await;
    change(OTHER, &access.password).await;
    scan.goes_on().await;
}
