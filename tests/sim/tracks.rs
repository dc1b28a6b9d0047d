//! The directory is read while the resources are: their budgets are separate.

use atg_models::graph::{CollectionState, LedgerEntry, Verdict};
use atg_sim::{Fault, FaultKind, Lane, Simulator};
use atg_tests::{DirectScan, Folder, until};

use crate::worlds::{config, scanned};

/// Whether a collection of this service is settled, or one is not.
fn any(ledger: &[LedgerEntry], service: &str, settled: bool) -> bool {
    let of_service = ledger
        .iter()
        .filter(|entry| entry.collection.source().starts_with(service));
    let mut ends = of_service.map(|entry| entry.state == CollectionState::Complete);
    ends.any(|complete| complete == settled)
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_track_waits_for_the_other() {
    let (_, _, undisturbed) = scanned(config(60)).await;
    for (slow, others) in [(Lane::Arg, ("arg.", "graph.")), (Lane::Graph, ("graph.", "arg."))] {
        let mut disturbed = config(60);
        disturbed.arg_page_rows = 1_000;
        disturbed.graph_page_rows = 999;
        disturbed.faults = vec![Fault {
            lane: Some(slow),
            count: u64::MAX,
            value: Some(300),
            ..Fault::new(FaultKind::Slow)
        }];
        let sim = Simulator::start(disturbed).unwrap();
        let folder = Folder::default();
        let scan = DirectScan::new(&folder, &sim, 1);
        let overlap = || async {
            let ledger = folder.graph().ledger(scan.id()).await.unwrap_or_default();
            let (waiting, other) = others;
            let last_of_other = if other == "graph." {
                "graph.group-owners"
            } else {
                "arg.roleassignments"
            };
            (any(&ledger, waiting, false) && any(&ledger, last_of_other, true)).then_some(())
        };
        tokio::select! {
            end = scan.run() => panic!("{slow:?} and the others took turns: {end:?}"),
            () = until("both under way", overlap) => {}
        }
        // What was read on both tracks when it was killed is not read again.
        let result = scan.run().await.unwrap();
        assert_eq!(result.verdict, Verdict::Complete, "{:?}", result.gaps);
        assert_eq!(result.graph_digest, undisturbed.graph_digest);
    }
}
