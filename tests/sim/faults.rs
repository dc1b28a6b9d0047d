//! Whatever goes wrong, a scan has the whole truth or says what it lacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use atg_db::Change;
use atg_jobs::OperationError;
use atg_models::ErrorCode;
use atg_models::graph::{CollectionState, Verdict};
use atg_sim::world::SeededWorld;
use atg_sim::{Fault, FaultKind, Simulator};
use atg_tests::{DirectScan, Folder};
use futures_util::StreamExt as _;

use crate::worlds::{config, of_world, scanned};

const SEEDS: u64 = 200;
const RESOURCES: usize = 120;
/// Scans at a time: most of their time is waits for retries and for Azure's documented rates.
const AT_A_TIME: usize = 64;

/// How a disturbed scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// The same graph as undisturbed.
    Whole,
    /// Partial, with its gaps.
    Partial,
    /// Failed, as a token of another tenant must.
    Failed,
}

fn config_of_pages(seed: u64) -> atg_sim::SimConfig {
    let mut config = of_world(Arc::new(SeededWorld::new(7, RESOURCES)));
    // Small enough that every lane has pages behind the first.
    config.arg_page_rows = 15;
    config.arm_page_rows = 10;
    config.graph_page_rows = 5;
    config.seed = seed;
    config
}

async fn disturbed(seed: u64, plain: &str) -> (FaultKind, End) {
    let kinds = u64::try_from(FaultKind::ALL.len()).unwrap();
    let kind = FaultKind::ALL[usize::try_from(seed % kinds).unwrap()];
    let mut fault = Fault::from_seed(kind, seed);
    if kind == FaultKind::PageTooLarge {
        // Below the size of this tenant's pages.
        fault.value = Some(4 + seed % 10);
    }
    let sim = Simulator::start(config_of_pages(seed)).unwrap();
    sim.arm(fault.clone());
    let folder = Folder::default();
    let scan = DirectScan::new(&folder, &sim, 1);
    let end = scan.run().await;
    let fired = sim.stats().faults.get(kind.as_str()).copied().unwrap_or_default();
    assert!(fired > 0, "seed {seed}: {fault:?} did not fire");
    let what = format!("seed {seed}, {fault:?}, fired {fired}");
    let end = match end {
        Ok(result) if result.verdict == Verdict::Complete => {
            assert_eq!(result.graph_digest, plain, "{what}: complete, and another graph");
            assert!(result.gaps.is_empty(), "{what}");
            End::Whole
        }
        Ok(result) => {
            assert!(!result.gaps.is_empty(), "{what}: partial without a gap");
            let ledger = folder.graph().ledger(scan.id()).await.unwrap();
            let unread = ledger
                .iter()
                .filter(|entry| entry.state != CollectionState::Complete)
                .count();
            assert_eq!(result.gaps.len(), unread, "{what}: {:?}", result.gaps);
            for gap in &result.gaps {
                assert!(!gap.reason.is_empty(), "{what}: {gap:?}");
            }
            End::Partial
        }
        Err(OperationError::Fatal(error)) if kind == FaultKind::WrongTenantToken => {
            assert_eq!(error.code, ErrorCode::AzureAuthenticationFailed, "{what}");
            assert!(folder.graph().tenants().await.unwrap().is_empty(), "{what}");
            End::Failed
        }
        Err(error) => panic!("{what}: {error:?}"),
    };
    (kind, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_seeds_give_the_whole_graph_or_name_the_gap() {
    let (_, _, plain) = scanned(config_of_pages(0)).await;
    assert_eq!(plain.verdict, Verdict::Complete, "{:?}", plain.gaps);
    let ends: Vec<(FaultKind, End)> = futures_util::stream::iter(0..SEEDS)
        .map(|seed| disturbed(seed, &plain.graph_digest))
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    let mut table: BTreeMap<(FaultKind, End), u64> = BTreeMap::new();
    for end in &ends {
        *table.entry(*end).or_default() += 1;
    }
    for ((kind, end), count) in &table {
        println!("{:<24} {end:?} {count}", kind.as_str());
    }
    let whole = ends.iter().filter(|(_, end)| *end == End::Whole).count();
    assert!(whole * 10 >= ends.len() * 3, "{whole} of {} complete", ends.len());
    let kinds: std::collections::BTreeSet<FaultKind> = ends.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds.len(), FaultKind::ALL.len(), "every kind has its turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_where_something_was_not_read() {
    for kind in [FaultKind::ForbiddenSubscription, FaultKind::ForbiddenCollection] {
        let (folder, sim, first) = scanned(config(300)).await;
        let tenant = sim.world().tenant_id();
        sim.plant_changes();
        sim.arm(Fault {
            value: Some(0),
            ..Fault::new(kind)
        });
        let again = DirectScan::new(&folder, &sim, 2);
        let second = again.run().await.unwrap();
        assert!(sim.stats().faults[kind.as_str()] > 0, "{kind:?} did not fire");
        assert_eq!(second.verdict, Verdict::Partial, "{kind:?}");
        let ledger = folder.graph().ledger(again.id()).await.unwrap();
        let unread: Vec<String> = ledger
            .iter()
            .filter(|entry| entry.state != CollectionState::Complete)
            .map(|entry| entry.collection.to_string())
            .collect();
        assert!(!unread.is_empty(), "{kind:?}");
        // Who owned what before is in the first scan's export; here a fresh look at the same tenant.
        let before = owners(&first_export(300).await);
        for change in folder.graph().changes(again.id(), None, 10_000).await.unwrap() {
            if let Change::Removed(id) = change {
                let owner = before.get(id.as_str()).unwrap_or_else(|| panic!("{id} was not there"));
                assert!(
                    !unread.contains(owner),
                    "{kind:?}: {id} of {owner}, which was not read whole"
                );
            }
        }
        assert_ne!(folder.export(tenant).await.len(), 0);
        assert_eq!(first.verdict, Verdict::Complete);
    }
}

async fn first_export(resources: usize) -> Vec<String> {
    let (folder, sim, _) = scanned(config(resources)).await;
    folder.export(sim.world().tenant_id()).await
}

/// The owner of each node of an export.
fn owners(export: &[String]) -> BTreeMap<String, String> {
    let lines = export
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let owned = lines.filter_map(|line| Some((line["id"].as_str()?.to_owned(), line["owner"].as_str()?.to_owned())));
    owned.collect()
}
