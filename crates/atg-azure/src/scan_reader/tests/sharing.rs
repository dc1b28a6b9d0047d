//! Small subscriptions share queries, and nothing else about them changes.

use atg_sim::world::ManyWorld;

use super::*;

const SUBSCRIPTIONS: usize = 60;
/// Where they are read alone: the client keeps to Azure's rates, whatever the simulator allows.
const FEW: usize = 8;
/// Counts, management groups, subscriptions, definitions, what lies outside of subscriptions, and one
/// shared query for each source.
const CALLS: u64 = 10;

fn many() -> Simulator {
    simulator_of(Arc::new(ManyWorld::new(SUBSCRIPTIONS, 4).unwrap()), |_| ())
}

fn few(page_rows: usize) -> Simulator {
    let world = Arc::new(ManyWorld::new(FEW, 4).unwrap());
    simulator_of(world, |config| config.arg_page_rows = page_rows)
}

fn arg_calls(sim: &Simulator) -> u64 {
    sim.stats().calls["arg"]
}

/// A subscription in the middle that holds role assignments.
fn one_of(sim: &Simulator) -> String {
    let row = sim.world().row(Table::RoleAssignments, 25).unwrap();
    row["subscriptionId"].as_str().unwrap().to_owned()
}

fn forbidden(sim: &Simulator) -> (String, Fault) {
    let subscription = one_of(sim);
    let mut fault = Fault::new(FaultKind::ForbiddenSubscription);
    fault.target = Some(subscription.clone());
    (subscription, fault)
}

/// All but this subscription's collections, and the list of subscriptions, are complete.
fn only_gaps_of(subscription: &str, scan: &Scan) {
    let gaps = scan.ends.iter().filter(|(_, end)| !matches!(end, End::Complete { .. }));
    for (collection, end) in gaps {
        let own = collection.scope() == subscription || collection.source() == "arg.subscriptions";
        assert!(own && matches!(end, End::Forbidden(_)), "{collection} {end:?}");
    }
    for source in ["arg.resources", "arg.resourcegroups", "arg.roleassignments"] {
        let end = scan.ends.get(&CollectionKey::new(source, subscription));
        assert!(matches!(end, Some(End::Forbidden(_))), "{source} {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_query_reads_them_all() {
    let sim = many();
    let shared = scan(&sim, &ScanFilters::default()).await.unwrap();
    assert!(shared.is_complete(), "{:#?}", shared.ends);
    assert_eq!(arg_calls(&sim), CALLS);
    assert_eq!(shared.count(NodeKind::ResourceGroup), SUBSCRIPTIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_the_same_as_alone() {
    let shared = scan(&few(1_000), &ScanFilters::default()).await.unwrap();
    // Where a page holds no more than five rows, no answer is whole, and each is read alone.
    let sim = few(5);
    let alone = scan(&sim, &ScanFilters::default()).await.unwrap();
    assert!(arg_calls(&sim) > 3 * u64::try_from(FEW).unwrap());
    assert!(alone.is_complete(), "{:#?}", alone.ends);
    assert_eq!(shared.ends, alone.ends);
    assert_eq!(shared.graph, alone.graph);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_subscription_is_a_gap_of_its_own() {
    let sim = many();
    let (subscription, fault) = forbidden(&sim);
    sim.arm(fault);
    let scan = scan(&sim, &ScanFilters::default()).await.unwrap();
    only_gaps_of(&subscription, &scan);
    // Its resource groups could not be counted, so they are asked for alone.
    assert_eq!(arg_calls(&sim), CALLS + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_lost_after_the_plan_costs_its_neighbours_nothing() {
    let sim = many();
    let reader = Arc::new(reader(&sim, sim.world().tenant_id()));
    let plan = reader
        .plan(&ScanFilters::default(), &CancellationToken::new())
        .await
        .unwrap();
    let (subscription, fault) = forbidden(&sim);
    sim.arm(fault);
    let scan = scan_of(plan, &|| Arc::clone(&reader)).await;
    only_gaps_of(&subscription, &scan);
    assert_eq!(arg_calls(&sim), CALLS + 3, "its own sources, alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_would_be_too_large_is_asked_for_in_parts() {
    let whole = scan(&few(1_000), &ScanFilters::default()).await.unwrap();
    let sim = few(1_000);
    sim.arm(Fault {
        value: Some(5),
        ..Fault::new(FaultKind::PageTooLarge)
    });
    let scan = scan(&sim, &ScanFilters::default()).await.unwrap();
    assert!(
        sim.stats().faults["page_too_large"] > 3,
        "the shared ones, and single ones too"
    );
    assert_eq!(scan.graph, whole.graph);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_hold_for_shared_queries() {
    let sim = many();
    let filters = ScanFilters {
        resource_groups: vec!["rg-00007".to_owned(), "rg-00009".to_owned()],
        no_directory: true,
        ..ScanFilters::default()
    };
    let scan = scan(&sim, &filters).await.unwrap();
    assert!(scan.is_complete(), "{:#?}", scan.ends);
    assert_eq!(scan.count(NodeKind::ResourceGroup), 2);
    assert!(arg_calls(&sim) <= CALLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_leaves_shared_collections_whole_or_a_gap() {
    let whole = scan(&few(1_000), &ScanFilters::default()).await.unwrap();
    let cases = FaultKind::ALL
        .iter()
        .flat_map(|kind| (0..4).map(move |seed| (*kind, seed)));
    let runs = cases.map(|(kind, seed)| disturbed(few(1_000), kind, seed, &whole.graph));
    let outcomes: Vec<_> = futures_util::stream::iter(runs).buffer_unordered(6).collect().await;
    let ended = outcomes.iter().flatten().count();
    let complete = outcomes.iter().flatten().filter(|complete| **complete).count();
    assert!(complete * 10 >= ended * 6, "{complete} of {ended} are complete");
}
