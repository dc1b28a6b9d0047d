//! A tenant of many small subscriptions: its queries are few, and its graph is as if each had its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use atg_db::Change;
use atg_models::graph::{CollectionState, Verdict};
use atg_sim::world::ManyWorld;
use atg_sim::{Fault, FaultKind, SimConfig, Simulator};
use atg_tests::{DirectScan, Folder, until};

use crate::worlds::{of_world, scanned};

const SUBSCRIPTIONS: usize = 240;
/// On average: some 2,000 in all, which are three groups.
const RESOURCES: usize = 8;
/// Queries that are not of one subscription, and as many of the others as their rows ask for.
const CALLS: u64 = 20;

fn config() -> SimConfig {
    of_subscriptions(SUBSCRIPTIONS)
}

fn of_subscriptions(count: usize) -> SimConfig {
    let mut config = of_world(Arc::new(ManyWorld::new(count, RESOURCES).unwrap()));
    config.arg_page_rows = 1_000;
    config
}

fn arg_calls(sim: &Simulator) -> u64 {
    sim.stats().calls["arg"]
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_far_fewer_than_subscriptions() {
    let (_, sim, result) = scanned(config()).await;
    assert_eq!(result.verdict, Verdict::Complete, "{:?}", result.gaps);
    assert!(arg_calls(&sim) <= CALLS, "{:?}", sim.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn sharing_changes_nothing() {
    // Few: the client keeps to Azure's rates when it reads each alone.
    const FEW: usize = 9;
    let (_, _, shared) = scanned(of_subscriptions(FEW)).await;
    assert_eq!(shared.verdict, Verdict::Complete, "{:?}", shared.gaps);
    // Pages too small to be shared.
    let mut small = of_subscriptions(FEW);
    small.arg_page_rows = 8;
    small.order_seed = Some(3);
    let (_, sim, alone) = scanned(small).await;
    assert_eq!(alone.verdict, Verdict::Complete, "{:?}", alone.gaps);
    assert!(arg_calls(&sim) > 3 * u64::try_from(FEW).unwrap());
    assert_eq!(shared.graph_digest, alone.graph_digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_killed_amid_a_group_goes_on_from_its_ledger() {
    let (_, _, whole) = scanned(config()).await;
    for settled in [5, 100, 300, 650] {
        let folder = Folder::default();
        let sim = Simulator::start(config()).unwrap();
        let scan = DirectScan::new(&folder, &sim, 1);
        let read_so_far = || async {
            let ledger = folder.graph().ledger(scan.id()).await.unwrap_or_default();
            let read = ledger.iter().filter(|entry| entry.state == CollectionState::Complete);
            (read.count() >= settled).then_some(())
        };
        tokio::select! {
            end = scan.run() => panic!("it ended before {settled} were settled: {end:?}"),
            () = until("collections in the ledger", read_so_far) => {}
        }
        let before = arg_calls(&sim);
        let result = scan.run().await.unwrap();
        assert_eq!(result.verdict, Verdict::Complete, "{:?}", result.gaps);
        assert_eq!(result.graph_digest, whole.graph_digest, "killed after {settled}");
        assert!(arg_calls(&sim) - before <= CALLS, "killed after {settled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_removed_and_only_where_it_was_read() {
    let sim = Simulator::start(config()).unwrap();
    let folder = Folder::default();
    DirectScan::new(&folder, &sim, 1).run().await.unwrap();
    let planted = sim.plant_changes();
    let [gone] = planted.removed.as_slice() else {
        panic!("{planted:?}")
    };
    let subscription = gone.split('/').nth(2).unwrap().to_owned();
    sim.arm(Fault {
        target: Some(subscription.clone()),
        ..Fault::new(FaultKind::ForbiddenSubscription)
    });
    let before = arg_calls(&sim);
    let blind = DirectScan::new(&folder, &sim, 2);
    let result = blind.run().await.unwrap();
    assert_eq!(result.verdict, Verdict::Partial);
    let gaps: BTreeSet<_> = result
        .gaps
        .iter()
        .map(|gap| gap.collection.scope().to_owned())
        .collect();
    let tenant = sim.world().tenant_id().to_string();
    assert_eq!(gaps, BTreeSet::from([subscription, tenant]), "{:?}", result.gaps);
    assert!(
        arg_calls(&sim) - before <= CALLS + 3,
        "its neighbours are not asked for again"
    );
    assert_eq!(folder.graph().changes(blind.id(), None, 10).await.unwrap(), []);

    sim.clear_faults();
    let again = DirectScan::new(&folder, &sim, 3);
    assert_eq!(again.run().await.unwrap().verdict, Verdict::Complete);
    let changes = folder.graph().changes(again.id(), None, 10).await.unwrap();
    assert!(
        matches!(changes.as_slice(), [Change::Removed(id)] if id.as_str() == gone),
        "{changes:?}"
    );
}
