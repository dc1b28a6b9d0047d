//! Nothing of another tenant is stored.

use atg_jobs::OperationError;
use atg_models::ErrorCode;
use atg_models::graph::Verdict;
use atg_sim::{Fault, FaultKind, Simulator};
use atg_tests::{DirectScan, Folder};

use crate::worlds::{config, scanned};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_tenant_fails_the_scan_and_writes_nothing() {
    let sim = Simulator::start(config(100)).unwrap();
    sim.arm(Fault::new(FaultKind::WrongTenantToken));
    let folder = Folder::default();
    let end = DirectScan::new(&folder, &sim, 1).run().await;
    assert!(
        matches!(&end, Err(OperationError::Fatal(error)) if error.code == ErrorCode::AzureAuthenticationFailed),
        "{end:?}"
    );
    assert!(sim.stats().faults["wrong_tenant_token"] > 0);
    assert!(folder.graph().tenants().await.unwrap().is_empty());
    assert!(folder.export(sim.world().tenant_id()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegated_subscription_is_counted_and_not_stored() {
    let (plain_folder, plain_sim, plain) = scanned(config(200)).await;
    let mut delegated = config(200);
    delegated.faults = vec![Fault::new(FaultKind::DelegatedSubscription)];
    let (folder, sim, result) = scanned(delegated).await;
    assert!(sim.stats().faults["delegated_subscription"] > 0);
    assert_eq!(result.verdict, Verdict::Complete, "{:?}", result.gaps);
    assert_eq!(result.graph_digest, plain.graph_digest);
    let tenant = plain_sim.world().tenant_id();
    assert_eq!(folder.export(tenant).await, plain_folder.export(tenant).await);
    let other = result
        .not_planned
        .iter()
        .find(|left_out| left_out.what == "other_tenant");
    let other = other.unwrap_or_else(|| panic!("{:?}", result.not_planned));
    assert!(other.count.is_some_and(|count| count > 0), "{other:?}");
    assert!(plain.not_planned.iter().all(|left_out| left_out.what != "other_tenant"));
}
