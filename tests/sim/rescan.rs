//! A second scan finds what has changed, and nothing else.

use std::collections::BTreeSet;

use atg_db::Change;
use atg_models::graph::Verdict;
use atg_tests::{DirectScan, Folder};

use crate::worlds::{config, scanned};

/// Ids as the simulator lists its planted changes: those of ARM, and of directory objects.
fn ids(changes: &[Change], pick: impl Fn(&Change) -> Option<&atg_models::NodeId>) -> BTreeSet<String> {
    let picked = changes.iter().filter_map(pick);
    picked.map(|id| id.as_str().to_lowercase()).collect()
}

async fn changes(folder: &Folder, scan: &DirectScan<'_>) -> Vec<Change> {
    folder.graph().changes(scan.id(), None, 10_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescan_of_the_same_tenant_writes_nothing() {
    let (folder, sim, first) = scanned(config(400)).await;
    let again = DirectScan::new(&folder, &sim, 2);
    let second = again.run().await.unwrap();
    assert_eq!(second.graph_digest, first.graph_digest);
    let record = folder.graph().scan(again.id()).await.unwrap().unwrap();
    let counts = record.end.unwrap().counts;
    assert_eq!((counts.written, counts.removed), (0, 0), "{counts:?}");
    assert!(counts.unchanged >= 400, "{counts:?}");
    assert_eq!(changes(&folder, &again).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescan_finds_exactly_the_planted_changes() {
    let (folder, sim, first) = scanned(config(600)).await;
    let planted = sim.plant_changes();
    assert!(!planted.added.is_empty() && !planted.modified.is_empty() && !planted.removed.is_empty());
    let again = DirectScan::new(&folder, &sim, 2);
    let second = again.run().await.unwrap();
    assert_eq!(second.verdict, Verdict::Complete, "{:?}", second.gaps);
    assert_ne!(second.graph_digest, first.graph_digest);
    let found = changes(&folder, &again).await;
    let expected = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    let added = ids(&found, |change| match change {
        Change::Added(id) => Some(id),
        Change::Modified(_) | Change::Removed(_) => None,
    });
    let modified = ids(&found, |change| match change {
        Change::Modified(id) => Some(id),
        Change::Added(_) | Change::Removed(_) => None,
    });
    let removed = ids(&found, |change| match change {
        Change::Removed(id) => Some(id),
        Change::Added(_) | Change::Modified(_) => None,
    });
    assert_eq!(added, expected(&planted.added), "added");
    assert_eq!(modified, expected(&planted.modified), "modified");
    assert_eq!(removed, expected(&planted.removed), "removed");

    // A new folder that sees the changed tenant only has the same graph.
    let fresh = Folder::default();
    let whole = DirectScan::new(&fresh, &sim, 1).run().await.unwrap();
    assert_eq!(whole.graph_digest, second.graph_digest);
}
