//! Connections are cut around the answers of commits: done or not done, nothing is lost and nothing twice.

use atg_tests::Cut;

use super::log::{are_all, completed, is_that_of};
use super::watch::Watch;
use super::{Patient, undisturbed};

/// Of so many commits one is cut.
const EVERY: u64 = 3;
/// At the least, of one scan's.
const CUTS: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_whole_wherever_its_commits_are_cut() {
    let Some(patient) = Patient::new().await else { return };
    let digest = undisturbed().await;
    let before = patient.held_at_rest().await;
    let world = &patient.world;
    let known = world.client.tenants().await.unwrap();
    let mut jobs = vec![known[0].last_scan.unwrap()];
    let watch = Watch::of(world);
    let proxy = world.database().unwrap().proxy();
    for cut in [
        Cut::BeforeCommit,
        Cut::BeforeAnswer,
        Cut::WithinAnswer,
        Cut::AfterAnswer,
    ] {
        let cuts = proxy.cuts();
        proxy.cut_commits(move |number| number.is_multiple_of(EVERY).then_some(cut));
        let job = world.start_scan().await;
        is_that_of(&digest, &completed(world, job).await);
        proxy.pass();
        let cuts = proxy.cuts() - cuts;
        println!("{cut:?}: {cuts} commits");
        assert!(cuts >= CUTS, "{cut:?}: only {cuts} commits");
        jobs.push(job);
        are_all(world, &jobs).await;
        let tenants = world.client.tenants().await.unwrap();
        assert_eq!((tenants[0].nodes, tenants[0].edges), (known[0].nodes, known[0].edges));
    }
    watch.was_answered().await;
    patient.settles(before).await;
}
