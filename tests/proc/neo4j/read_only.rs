//! Neo4j takes no writes: it answers, and is still of no use.

use super::disturbed::Disturbed;

const READ_ONLY: (&str, &str) = ("server.databases.default_to_read_only", "true");

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_waits_until_the_database_takes_writes() {
    let Some(mut scan) = Disturbed::begin().await else {
        return;
    };
    let setting = (READ_ONLY.0.to_owned(), READ_ONLY.1.to_owned());
    scan.patient.neo4j.options_mut().settings.push(setting);
    scan.patient.start_again();
    // Nobody asks the health's question of a write before one was refused.
    scan.patient.is_refused().await;
    scan.watch.says("disconnected").await;
    scan.patient.neo4j.options_mut().settings.pop();
    scan.patient.start_again();
    scan.goes_on().await;
}
